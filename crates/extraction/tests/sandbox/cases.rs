use std::fs;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tenantry_extraction::{ProcessExtractor, ProcessLimits};

use crate::conformance::{self, samples, whole};
use crate::{ExtractError, Extractor, FileHint, Piece, reader};

type Case = (&'static str, fn());

pub(crate) const ALL: [Case; 16] = [
    ("it_keeps_the_promises_of_an_extractor", promises),
    ("it_keeps_the_promises_for_every_format", promises_for_formats),
    (
        "a_reader_has_nothing_that_it_does_not_need",
        nothing_it_does_not_need,
    ),
    ("a_reader_cannot_write_a_file", writing),
    ("a_reader_that_waits_is_ended_at_the_deadline", waiting),
    ("a_reader_that_works_without_end_is_ended", busy),
    ("a_reader_that_takes_all_memory_is_ended", greedy),
    ("a_reader_that_uses_up_its_stack_is_noticed", recursing),
    ("a_reader_that_aborts_or_panics_is_noticed", aborting),
    ("a_reader_that_says_nothing_or_nonsense_is_noticed", nonsense),
    ("a_reader_that_talks_without_end_is_stopped", endless),
    ("a_reader_that_complains_is_not_held_up", complaining),
    (
        "a_program_that_is_not_there_is_not_the_files_fault",
        missing_program,
    ),
    (
        "no_process_is_left_when_the_sink_breaks_or_the_source_fails",
        none_left,
    ),
    ("a_pdf_that_inflates_without_end_is_ended", flate_bomb),
    ("no_bytes_do_harm", no_bytes_do_harm),
];

fn extractor(kind: &str) -> ProcessExtractor {
    let program = std::env::current_exe().unwrap();
    ProcessExtractor::new(program, ["--reader", kind]).with_limits(conformance::limits())
}

/// The error of reading a small PDF with a reader of that kind.
fn error(extractor: &ProcessExtractor) -> ExtractError {
    whole(extractor, &samples::article(), "a.pdf").unwrap_err()
}

fn promises() {
    conformance::extractor(&extractor("honest"));
}

fn promises_for_formats() {
    conformance::formats(&extractor("honest"));
}

fn nothing_it_does_not_need() {
    let (_, read) = whole(&extractor("telling"), &samples::article(), "a.pdf").unwrap();
    let has = |line: &str| read.text.lines().any(|other| other == line);
    assert!(has("variables 0"), "{}", read.text);
    if cfg!(target_os = "linux") {
        let descriptors = 4 + left_open();
        assert!(has(&format!("descriptors {descriptors}")), "{}", read.text);
        assert!(has("first to go 1000"), "{}", read.text);
        let limit = |name: &str| {
            let line = read.text.lines().find(|line| line.starts_with(name)).unwrap();
            line.trim_start_matches(name)
                .split_whitespace()
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(limit("Max core file size"), "0");
        assert_eq!(limit("Max file size"), "0");
        assert_eq!(limit("Max processes"), "0");
        assert_eq!(limit("Max cpu time"), "60");
        assert_eq!(limit("Max address space"), (768 << 20).to_string());
    }
}

/// How many descriptors beyond the usual three this process was itself given to pass on: by cargo, for one.
fn left_open() -> usize {
    const CLOSED_ON_EXEC: u32 = 0o2_000_000;
    let passed_on = |name: &str| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{name}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & CLOSED_ON_EXEC == 0)
    };
    let all = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let all = all.map(|name| name.to_string_lossy().into_owned());
    all.filter(|name| name.parse::<u32>().unwrap() > 2 && passed_on(name))
        .count()
}

fn writing() {
    let error = error(&extractor("writing"));
    let path = reader::written(std::process::id());
    let length = fs::metadata(&path).map_or(0, |file| file.len());
    fs::remove_file(&path).unwrap_or_default();
    assert!(matches!(error, ExtractError::Crashed) && length == 0, "{error:?}");
}

fn waiting() {
    let limits = ProcessLimits {
        deadline: Duration::from_millis(300),
        ..ProcessLimits::default()
    };
    for kind in ["sleeping", "busy"] {
        let extractor = extractor(kind).with_process_limits(limits);
        assert!(matches!(error(&extractor), ExtractError::TookTooLong), "{kind}");
    }
}

fn busy() {
    let extractor = extractor("busy").with_process_limits(ProcessLimits {
        cpu_seconds: 1,
        ..ProcessLimits::default()
    });
    assert!(matches!(error(&extractor), ExtractError::TookTooLong));
}

fn greedy() {
    let extractor = extractor("greedy").with_process_limits(ProcessLimits {
        memory_bytes: 256 << 20,
        ..ProcessLimits::default()
    });
    if cfg!(target_os = "linux") {
        assert!(matches!(error(&extractor), ExtractError::TooMuchMemory));
    }
}

fn recursing() {
    assert!(matches!(error(&extractor("recursing")), ExtractError::Crashed));
}

fn aborting() {
    for kind in ["aborting", "panicking"] {
        let error = error(&extractor(kind));
        assert!(matches!(error, ExtractError::Crashed), "{kind}: {error:?}");
        assert!(!error.is_transient());
    }
}

fn nonsense() {
    for kind in ["silent", "garbage"] {
        let error = error(&extractor(kind));
        assert!(matches!(error, ExtractError::Unavailable(_)), "{kind}: {error:?}");
    }
}

fn endless() {
    let error = error(&extractor("endless"));
    assert!(matches!(error, ExtractError::TooLarge(_)), "{error:?}");
}

fn complaining() {
    assert_eq!(
        whole(&extractor("complaining"), &samples::article(), "a.pdf")
            .unwrap()
            .1
            .text,
        "text"
    );
}

fn missing_program() {
    let extractor = ProcessExtractor::new("/nowhere/at/all", ["x"]);
    let error = error(&extractor);
    assert!(
        matches!(error, ExtractError::Unavailable(_)) && error.is_transient(),
        "{error:?}"
    );
    // Text needs no process.
    assert!(whole(&extractor, b"text", "a.txt").is_ok());
}

fn none_left() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let extractor = extractor("honest");
    let file = samples::article();
    let result = extractor.extract(&mut file.as_slice(), FileHint::default(), &mut |_| {
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(ExtractError::Stopped)), "{result:?}");

    let begin = format!("%PDF-1.7\n{}", "x".repeat(200_000));
    let mut file = begin.as_bytes().chain(Broken);
    let mut none = |_: Piece<'_>| ControlFlow::Continue(());
    let result = extractor.extract(&mut file, FileHint::default(), &mut none);
    assert!(matches!(result, Err(ExtractError::Source(_))), "{result:?}");
    if cfg!(target_os = "linux") {
        let children = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
        // Not every kernel is built to tell.
        assert_eq!(children.unwrap_or_default(), "");
    }
}

fn flate_bomb() {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..64 {
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let content = samples::stream("/Filter /FlateDecode", &packed.finish().unwrap());
    let page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>".to_vec();
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_vec(),
        page,
        content,
    ];
    let extractor = extractor("honest").with_process_limits(ProcessLimits {
        memory_bytes: 100 << 20,
        cpu_seconds: 20,
        ..ProcessLimits::default()
    });
    let result = whole(&extractor, &samples::pdf(&objects, ""), "a.pdf");
    assert!(
        matches!(
            result,
            Err(ExtractError::TooMuchMemory | ExtractError::TookTooLong | ExtractError::NoText)
        ),
        "{result:?}"
    );
}

/// Bytes of any kind, and files of every format with some of their bytes changed, cut off or said twice, end in text
/// or in an error that is about the file.
fn no_bytes_do_harm() {
    let extractor = extractor("honest").with_process_limits(ProcessLimits {
        deadline: Duration::from_mins(1),
        ..ProcessLimits::default()
    });
    let files = vec![
        samples::article(),
        samples::hebrew(),
        samples::docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>"),
        samples::pptx(),
        samples::xlsx(samples::PRICES),
        samples::epub(None),
        b"{\\rtf1\\ansi{\\fonttbl{\\f0 A;}}\\u8212? \\'e4\\par\\trowd a\\cell b\\cell\\row}".to_vec(),
        b"From: a@b.c\r\nTo: d@e.f\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x--".to_vec(),
        b"<html><table><tr><td>a<table><td>b</table><ul><li>c</html>".to_vec(),
    ];
    let arbitrary = proptest::collection::vec(any::<u8>(), 0..2_000);
    let changed = (
        proptest::sample::select(files),
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut file, changes, at, cut)| {
            for (at, byte) in changes {
                let at = at.index(file.len());
                if let Some(place) = file.get_mut(at) {
                    *place = byte;
                }
            }
            let at = at.index(file.len());
            if cut {
                file.truncate(at);
            } else {
                let again = file.split_off(at);
                file.extend_from_slice(&again);
                file.extend(again);
            }
            file
        });
    let names = proptest::sample::select(vec!["a.pdf", "a.docx", "a.rtf", "a.eml", "a.html", "a.csv", "a"]);
    let strategy = (prop_oneof![1 => arbitrary, 4 => changed], names);
    let config = Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |(bytes, name)| {
            match whole(&extractor, &bytes, name) {
                Err(
                    error @ (ExtractError::Crashed | ExtractError::TookTooLong | ExtractError::TooMuchMemory),
                ) => {
                    prop_assert!(!error.is_transient());
                }
                Err(error) => prop_assert!(!error.is_transient(), "{error:?}"),
                Ok((_, read)) => prop_assert!(!read.text.contains('\0')),
            }
            Ok(())
        })
        .unwrap();
}
