//! From what SQLite says to what the caller can act on.

use diesel::result::{ConnectionError, Error as QueryError};
use tenantry_domain::{BoxError, TenantId};

use crate::VectorError;

/// Why one statement or file operation failed; becomes a [`VectorError`] once the tenant is known.
#[derive(Debug)]
pub(super) enum Fault {
    /// Said as it is.
    Vector(VectorError),
    /// SQLite, the file system, or what stands in the file.
    File(BoxError),
    /// The file cannot be read by this version.
    Unreadable(BoxError),
    /// The file is one of the version before, to be changed first.
    Former,
}

#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("the vector file of tenant {tenant} is damaged or not ours")]
    Unreadable { tenant: TenantId, source: BoxError },
    #[error("the vector file of tenant {tenant} could not be used")]
    Unusable { tenant: TenantId, source: BoxError },
}

impl Fault {
    /// A number in the file that nothing of ours wrote.
    pub(super) fn out_of_range<E>(_: E) -> Self {
        Self::Unreadable("a stored number is out of range".into())
    }

    pub(super) fn of_tenant(self, tenant: &TenantId) -> VectorError {
        let tenant = tenant.clone();
        match self {
            Self::Vector(error) => error,
            Self::File(source) if says_damaged(&source) => {
                VectorError::Refused(FileError::Unreadable { tenant, source }.into())
            }
            Self::Unreadable(source) => VectorError::Refused(FileError::Unreadable { tenant, source }.into()),
            Self::Former => {
                let source = "its schema is of the version before".into();
                VectorError::Unavailable(FileError::Unusable { tenant, source }.into())
            }
            Self::File(source) => VectorError::Unavailable(FileError::Unusable { tenant, source }.into()),
        }
    }
}

/// Whether the cause is `SQLITE_CORRUPT` or `SQLITE_NOTADB`; diesel passes on their texts and not their codes
/// (<https://www.sqlite.org/rescode.html>).
fn says_damaged(source: &BoxError) -> bool {
    let text = source.to_string();
    text.contains("malformed") || text.contains("file is not a database")
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        Self::File(error.into())
    }
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        Self::File(error.into())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}
