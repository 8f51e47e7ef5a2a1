//! From what PostgreSQL says to what the caller can act on.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};

use crate::VectorError;

/// Why a transaction ended without its work done.
#[derive(Debug)]
pub(super) enum Fault {
    /// Said as it is.
    Vector(VectorError),
    /// A statement failed.
    Sql(Error),
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    #[error(
        "the server has no pgvector: install its package (as postgresql-17-pgvector) or use an image that has it, such as \
         pgvector/pgvector"
    )]
    Missing,
    #[error("pgvector {found} is too old, 0.8.0 is needed for searches with filters: {remedy}")]
    TooOld { found: String, remedy: String },
    #[error(
        "the database has no pgvector and this user may not add it: run `CREATE EXTENSION vector` as one who may"
    )]
    MayNotCreate(#[source] Error),
    #[error(
        "the tables were made by a later version of this program: schema {found}, expected {expected} at most"
    )]
    Newer { found: i32, expected: i32 },
    #[error("the tables could not be made")]
    Tables(#[source] Error),
}

/// A stored value that nothing of ours wrote.
#[derive(Debug, thiserror::Error)]
#[error("a stored {0} is out of range")]
struct OutOfRange(&'static str);

impl Fault {
    pub(super) fn out_of_range(what: &'static str) -> Self {
        Self::Vector(VectorError::Refused(OutOfRange(what).into()))
    }

    /// Something else happened meanwhile; the same call again goes through.
    pub(super) fn interrupted(by: &'static str) -> Self {
        Self::Vector(VectorError::Unavailable(by.into()))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Fault> for VectorError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Vector(error) => error,
            Fault::Sql(error) if is_transient(&error) => Self::Unavailable(error.into()),
            Fault::Sql(error) => Self::Refused(error.into()),
        }
    }
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        Self::Vector(VectorError::Unavailable(error.into()))
    }
}

/// What a failed step of the set-up means.
pub(super) fn setup(error: Error, meaning: impl FnOnce(Error) -> SetupError) -> VectorError {
    if is_transient(&error) {
        VectorError::Unavailable(error.into())
    } else {
        VectorError::Refused(meaning(error).into())
    }
}

/// Whether the connection broke, or the server gave up waiting, or two writers met: the same call may succeed a moment later.
pub(super) fn is_transient(error: &Error) -> bool {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            // Two writers of one chunk: all that is unique here is made within the transaction that writes it.
            | DatabaseErrorKind::UniqueViolation,
            _,
        )
        | Error::RollbackErrorOnCommit { .. }
        | Error::BrokenTransactionManager => true,
        Error::DatabaseError(_, about) => gave_up_waiting(about.message()),
        _ => false,
    }
}

/// Diesel passes on no code for these, so their words decide; they are set to English where the server allows that.
fn gave_up_waiting(message: &str) -> bool {
    // 57014, 55P03, 40P01, 57P01 to 57P03 and 25P03, 53300, and a closed socket.
    const SIGNS: [&str; 6] = [
        "canceling statement due to",
        "deadlock detected",
        "terminating connection due to",
        "the database system is",
        "too many clients already",
        "server closed the connection",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}
