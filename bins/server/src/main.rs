//! The binary `tenantry`.

use std::process::ExitCode;

use clap::Parser;
use tenantry::cli::{self, Cli};
use tenantry::config::Environment;

fn main() -> ExitCode {
    cli::run(Cli::parse(), Environment::new(variable))
}

/// A variable of the process; bytes that are not UTF-8 become U+FFFD, which the configuration refuses.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
