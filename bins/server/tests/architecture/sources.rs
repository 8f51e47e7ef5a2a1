use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{hold, root};

/// What may outlive a call in a library, and why.
const STATE: [(&str, &str); 2] = [
    (
        "crates/vector-client/src/embedded/extension.rs",
        "SQLite registers an extension for the whole process",
    ),
    (
        "crates/http-client/src/ureq_transport/call.rs",
        "ureq tells its connectors nothing of a request but its thread",
    ),
];

/// One file of Rust, with its path from the root.
struct Source {
    path: String,
    text: String,
    /// Whether the file is a module for unit tests.
    is_test: bool,
}

/// A line of code with its number.
type Line<'a> = (usize, &'a str);

impl Source {
    /// Whether the file is compiled into a library or the server, rather than a test, a benchmark or an example.
    fn is_product(&self) -> bool {
        self.path.contains("/src/") && !self.is_test
    }

    fn is_library(&self) -> bool {
        self.path.starts_with("crates/") && self.is_product()
    }

    /// Whether the file holds a suite that every implementation of a trait must pass.
    fn is_conformance(&self) -> bool {
        self.path.contains("/conformance")
    }

    /// Every line but comments.
    fn code(&self) -> Vec<Line<'_>> {
        numbered(&self.text)
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .collect()
    }

    /// Every line but comments and what is compiled for unit tests only.
    fn code_without_tests(&self) -> Vec<Line<'_>> {
        let tests = self.test_lines();
        self.code()
            .into_iter()
            .filter(|(number, _)| !tests.contains(number))
            .collect()
    }

    /// What the paths begin with of the modules that this file declares for unit tests.
    fn test_modules(&self) -> Vec<String> {
        let stem = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"]
            .iter()
            .find_map(|end| self.path.strip_suffix(end));
        let tests = self.test_lines();
        self.code()
            .into_iter()
            .filter(|(number, _)| tests.contains(number))
            .filter_map(|(_, line)| line.strip_suffix(';')?.split_once("mod ").map(|(_, name)| name))
            .flat_map(|name| [".rs", "/"].map(|end| format!("{}/{name}{end}", stem.unwrap_or_default())))
            .collect()
    }

    /// The numbers of the lines under `#[cfg(test)]`. rustfmt puts an item's last line at the item's own indentation.
    fn test_lines(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut lines = numbered(&self.text);
        while let Some((number, attribute)) = lines.next() {
            if attribute.trim() != "#[cfg(test)]" {
                continue;
            }
            found.push(number);
            for (number, line) in lines.by_ref() {
                found.push(number);
                if indentation(line) == indentation(attribute) && (line.ends_with('}') || line.ends_with(';'))
                {
                    break;
                }
            }
        }
        found
    }
}

fn numbered(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Every file of Rust in the workspace but this test's own, which spells out what it looks for.
fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("tests/architecture") {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(Source {
                    path,
                    text,
                    is_test: false,
                });
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("crates"), &mut found);
    walk(&root().join("bins"), &mut found);
    assert!(found.len() > 50, "the sources were not found");
    let tests: BTreeSet<_> = found.iter().flat_map(Source::test_modules).collect();
    for source in &mut found {
        source.is_test |= tests.iter().any(|module| source.path.starts_with(module));
    }
    found
}

/// Where the lines that `lines` picks of the files that `files` picks have one of `needles`.
fn occurrences(
    files: impl Fn(&Source) -> bool,
    lines: fn(&Source) -> Vec<Line<'_>>,
    needles: &[&str],
) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| files(source)) {
        for (number, line) in lines(source) {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn libraries_never_read_the_environment() {
    let reads = ["std::env", "env::var", "env::args", "use std::{env"];
    let found = occurrences(Source::is_library, Source::code_without_tests, &reads);
    hold(
        "libraries never read the environment; main.rs reads it and passes values in",
        &found,
    );
}

#[test]
fn only_main_reads_the_environment_of_the_server() {
    let server = |source: &Source| source.path.starts_with("bins/") && source.is_product();
    let elsewhere = |source: &Source| server(source) && source.path != "bins/server/src/main.rs";
    let found = occurrences(elsewhere, Source::code_without_tests, &["env::var"]);
    hold("the server reads its environment in main.rs alone", &found);
}

#[test]
fn libraries_hold_no_process_wide_state() {
    let mut found = Vec::new();
    let excused = |source: &Source| STATE.iter().any(|(path, _)| *path == source.path);
    for source in sources()
        .iter()
        .filter(|source| source.is_library() && !excused(source))
    {
        for (number, line) in source.code_without_tests() {
            let item = line
                .trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ");
            let mutable = ["Mutex<", "RwLock<", "Atomic", "OnceLock<", "Cell<"]
                .iter()
                .any(|kind| item.contains(kind));
            if (item.starts_with("static ") && mutable) || item.contains("thread_local!") {
                found.push(format!("{}:{number}: {}", source.path, item));
            }
        }
    }
    hold(
        "libraries hold no process-wide state, so that a program can embed two of each",
        &found,
    );
}

#[test]
fn one_file_crosses_from_async_to_blocking() {
    let elsewhere = |source: &Source| source.is_product() && source.path != "bins/server/src/offload.rs";
    let found = occurrences(elsewhere, Source::code, &["web::block", "spawn_blocking"]);
    hold(
        "bins/server/src/offload.rs is the one bridge from async to blocking",
        &found,
    );
}

#[test]
fn one_file_makes_tenant_scopes() {
    let elsewhere = |source: &Source| {
        source.is_product()
            && !source.path.starts_with("crates/retrieval/src/resolve/")
            && !source.path.starts_with("crates/domain/")
            && !source.is_conformance()
    };
    let found = occurrences(elsewhere, Source::code_without_tests, &[".activate("]);
    hold(
        "crates/retrieval/src/resolve alone makes a TenantScope, after a credential was verified",
        &found,
    );
}

#[test]
fn only_commands_act_as_the_operator() {
    let elsewhere = |source: &Source| {
        source.is_product()
            && !source.path.starts_with("bins/server/src/cli/")
            && !source.path.starts_with("bins/server/src/quickstart/")
    };
    let found = occurrences(elsewhere, Source::code_without_tests, &["::operator("]);
    hold(
        "who runs a command acts without a token; a request never does, it proves who sent it",
        &found,
    );
}

#[test]
fn one_unsafe_call_registers_the_vector_extension() {
    let marks = [
        "unsafe {",
        "unsafe(",
        "unsafe fn",
        "unsafe impl",
        "unsafe trait",
        "unsafe extern",
    ];
    let is_unsafe = |line: &str| marks.iter().any(|mark| line.contains(mark));
    let mut found = Vec::new();
    let mut calls = 0;
    for source in &sources() {
        for (number, line) in source.code().into_iter().filter(|(_, line)| is_unsafe(line)) {
            calls += line.matches("unsafe {").count();
            if source.path != "crates/vector-client/src/embedded/extension.rs" {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    if calls != 1 {
        found.push(format!("there are {calls} unsafe blocks"));
    }
    hold(
        "the workspace has one unsafe block, which registers sqlite-vec, with the declaration that it needs",
        &found,
    );
}

#[test]
fn every_library_forbids_unsafe_code_and_shows_its_readme() {
    let mut breaches = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.path.ends_with("/src/lib.rs"))
    {
        let has = |line: &str| source.text.lines().any(|candidate| candidate == line);
        if !has("#![forbid(unsafe_code)]") && source.path != "crates/vector-client/src/lib.rs" {
            breaches.push(format!("{} lacks #![forbid(unsafe_code)]", source.path));
        }
        if !source.text.contains("doc = include_str!(\"../README.md\")") {
            breaches.push(format!("{} does not include its README.md", source.path));
        }
    }
    hold(
        "each crate root forbids unsafe code (vector-client denies it) and has its README as documentation",
        &breaches,
    );
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut breaches = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.is_product() && !source.is_conformance())
    {
        let lines = source.text.lines().count() - source.test_lines().len();
        if lines > 400 {
            breaches.push(format!("{} has {lines} lines", source.path));
        }
    }
    hold("a file has at most 400 lines, tests not counted", &breaches);
}

#[test]
fn code_for_unit_tests_is_told_from_code() {
    let text = "a\n#[cfg(test)]\nuse b;\nc\n    #[cfg(test)]\n    fn d() {\n        e();\n    }\n// f\n#[cfg(test)]\nmod tests {\n    g\n}\n#[cfg(test)]\npub(crate) mod h;\n";
    let source = Source {
        path: "a/mod.rs".to_owned(),
        text: text.to_owned(),
        is_test: false,
    };
    let lines: Vec<_> = source
        .code_without_tests()
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    assert_eq!(lines, ["a", "c"]);
    assert_eq!(source.test_modules(), ["a/h.rs", "a/h/"]);
}
