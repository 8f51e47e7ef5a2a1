use tenantry_domain::BoxError;

/// Why a record was not read or written. Absence is not an error, it is `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A record with that id exists.
    #[error("the id is taken")]
    IdTaken,
    /// A user with that address exists.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The record names a tenant that does not exist.
    #[error("the tenant does not exist")]
    UnknownTenant,
    /// Nobody would be left who manages the platform.
    #[error("the last active superuser must stay one")]
    LastSuperuser,
    /// The database could not be reached, or did not answer in time.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The database refused the statement, or a record in it cannot be read.
    #[error("the store failed")]
    Failed(#[source] BoxError),
}

impl StoreError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::IdTaken
            | Self::EmailTaken
            | Self::UnknownTenant
            | Self::LastSuperuser
            | Self::Failed(_) => false,
        }
    }
}
