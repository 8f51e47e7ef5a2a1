use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

use crate::StoreError;

/// What a database's error means to the caller: the only place that decides it.
pub(super) fn store_error(error: Error) -> StoreError {
    match &error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, about) if of_email(&**about) => {
            StoreError::EmailTaken
        }
        // Every other unique value is an id.
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => StoreError::IdTaken,
        // Every foreign key that a caller's value can miss names a tenant.
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => StoreError::UnknownTenant,
        _ if is_transient(&error) => StoreError::Unavailable(error.into()),
        _ => StoreError::Failed(error.into()),
    }
}

/// Whether the connection broke or the database gave up waiting: the same statement may succeed a moment later.
pub(super) fn is_transient(error: &Error) -> bool {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure,
            _,
        )
        | Error::RollbackErrorOnCommit { .. }
        | Error::BrokenTransactionManager => true,
        Error::DatabaseError(_, about) => gave_up_waiting(about.message()),
        _ => false,
    }
}

/// PostgreSQL names the constraint, SQLite the column, in its message alone.
fn of_email(about: &dyn DatabaseErrorInformation) -> bool {
    match about.constraint_name() {
        Some(constraint) => constraint == "users_email_key",
        None => about.message().ends_with("users.email"),
    }
}

/// Diesel passes on no code for these, so their words decide; PostgreSQL's are set to English when it allows that.
fn gave_up_waiting(message: &str) -> bool {
    const SIGNS: [&str; 10] = [
        // SQLite: `SQLITE_BUSY`, `SQLITE_LOCKED`, `SQLITE_CANTOPEN`, `SQLITE_IOERR`.
        "database is locked",
        "database table is locked",
        "unable to open database file",
        "disk I/O error",
        // PostgreSQL: 40P01, 57014, 55P03, 57P01 to 57P03, 25P03, 53300.
        "deadlock detected",
        "canceling statement due to",
        "terminating connection due to",
        "the database system is",
        "server closed the connection",
        "too many clients already",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}
