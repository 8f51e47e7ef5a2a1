//! Reading in a process of its own. This program is both sides: with `--reader` it is the process that reads, so it
//! has a `main` of its own.
#![expect(
    unreachable_pub,
    reason = "the conformance suite is a public module of the library under its feature `testing`"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a broken promise fails the test, and nobody else prints which"
)]

mod cases;
#[path = "../../src/conformance/mod.rs"]
mod conformance;
mod reader;

use std::panic::catch_unwind;
use std::process::ExitCode;

use tenantry_extraction::{Bound, ExtractError, Extracted, Extractor, FileHint, Limits, Piece};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, kind] = arguments.as_slice()
        && mode == "--reader"
    {
        return reader::run(kind);
    }
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = arguments
        .iter()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for (name, case) in cases::ALL {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            left_out += 1;
            continue;
        }
        let result = catch_unwind(case);
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        match result {
            Ok(()) => passed += 1,
            Err(_) => failed += 1,
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left_out} filtered out"
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
