use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use tenantry_tenant_store::MigrateError;

use crate::logging::chain;
use crate::startup::{DatabaseError, EmbeddingGuard, StartError};
use crate::wiring::WiringError;

/// Why a command failed, in a line for the person who called it, with what to do about it where that is known.
#[derive(Debug)]
pub struct Failure {
    message: Option<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure that nothing else caused.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            hint: None,
        }
    }

    /// A failure that has been told already.
    pub fn told() -> Self {
        Self {
            message: None,
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is told of it.
    pub(super) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Writes `error: ...` and the hint to standard error, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        let mut err = io::stderr().lock();
        // A standard error that cannot be written to leaves the exit code.
        if let Some(message) = &self.message {
            let _ = writeln!(err, "error: {message}");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(err, "hint: {hint}");
        }
        ExitCode::FAILURE
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &(dyn Error + 'static) = &error;
        // `tenantry tenant list | head -1`: the reader has what it wanted.
        if any
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
        {
            return Self::told();
        }
        Self::new(chain(any))
    }
}

/// A failure to start, with what to do about it.
pub(super) fn start_failure(error: StartError) -> Failure {
    let hint = match &error {
        StartError::Database(DatabaseError::Unreachable { .. }) => {
            Some("is the database running, and is DATABASE_URL right? Nothing was changed")
        }
        StartError::Database(DatabaseError::Migrate(MigrateError::DatabaseNewer { .. })) => {
            Some("use the version of tenantry that migrated it, or a newer one")
        }
        StartError::Wiring(WiringError::Embedded(_)) => {
            Some("DATA_DIR must name a folder that this user may write to")
        }
        StartError::Wiring(WiringError::PgVector(_) | WiringError::Model(_))
        | StartError::Database(_)
        | StartError::Keys(_) => None,
    };
    let failure = Failure::from(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Models that do not fit the indexes, with what to do about it.
pub(super) fn guard_failure(error: EmbeddingGuard) -> Failure {
    let hint = error.hint();
    let failure = Failure::from(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the store is unavailable")]
    struct Outer(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Transparent(Outer);

    #[test]
    fn every_cause_is_told_once() {
        let error = Transparent(Outer(io::Error::other("connection\n\trefused\n")));
        assert_eq!(
            Failure::from(error).message.unwrap(),
            "the store is unavailable: connection refused"
        );
    }

    #[test]
    fn a_reader_that_has_left_is_not_reported() {
        assert!(
            Failure::from(io::Error::from(ErrorKind::BrokenPipe))
                .message
                .is_none()
        );
    }
}
