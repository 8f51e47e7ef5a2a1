//! The process that reads, and others that misbehave.

use std::fs;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tenantry_domain::{MediaType, TextFormat};
use tenantry_extraction::sandbox::{serve, serve_with};
use tenantry_extraction::{ExtractError, Extracted, Extractor, FileHint, Piece, Sink};

pub(crate) fn run(kind: &str) -> ExitCode {
    let (input, output) = (&mut io::stdin().lock(), &mut io::stdout().lock());
    let result = match kind {
        "honest" => serve(input, output),
        "silent" => Ok(()),
        "garbage" => output.write_all(&b"T".repeat(100_000)),
        "endless" => loop {
            // Text frames without end, whose sum no honest reader would pass on.
            if output.write_all(b"T\x04\0\0\0text").is_err() {
                break Ok(());
            }
        },
        kind => serve_with(input, output, |_| Misbehaving(kind.to_owned())),
    };
    if result.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Misbehaving(String);

impl Extractor for Misbehaving {
    fn extract(
        &self,
        _: &mut dyn Read,
        _: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let text = match self.0.as_str() {
            "sleeping" => {
                thread::sleep(Duration::from_hours(1));
                String::new()
            }
            "busy" => loop {
                std::hint::spin_loop();
            },
            "greedy" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(vec![1_u8; 1 << 20]);
                    if hoard.len() > 100_000 {
                        break String::new();
                    }
                }
            }
            "recursing" => depth(&[0; 64]).to_string(),
            "aborting" => std::process::abort(),
            "panicking" => panic!("as asked"),
            "complaining" => {
                io::stderr().write_all(&b"x".repeat(1 << 20)).unwrap();
                "text".to_owned()
            }
            "telling" => told(),
            "writing" => format!("{:?}", fs::write(written(parent_id()), "x")),
            other => panic!("{other}"),
        };
        match sink(Piece::Text(&text)) {
            ControlFlow::Continue(()) => Ok(Extracted {
                media_type: MediaType::Pdf,
                format: TextFormat::Plain,
                title: None,
                pages: 0,
            }),
            ControlFlow::Break(()) => Err(ExtractError::Stopped),
        }
    }
}

#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn depth(frame: &[u8; 64]) -> u64 {
    let next = [frame.first().unwrap().wrapping_add(1); 64];
    depth(std::hint::black_box(&next)) + u64::from(*std::hint::black_box(frame).last().unwrap())
}

/// The file that a reader of that parent tries to write.
pub(crate) fn written(parent: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/tenantry-extraction-{parent}"))
}

/// What this process has and may do.
fn told() -> String {
    let variables = std::env::vars_os().count();
    // One more is the folder itself, while it is read.
    let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let first_to_go = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    format!("variables {variables}\ndescriptors {descriptors}\nfirst to go {first_to_go}{limits}")
}
