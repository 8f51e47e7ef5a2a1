use std::time::Duration;

use tenantry_domain::BoxError;

/// Why a model did not answer. Upstream text stays in the source chain, for logs alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The provider refused the key.
    #[error("the provider refused the api key")]
    Unauthorized(#[source] BoxError),
    /// Too many requests; a later one may succeed.
    #[error("the provider limits the rate")]
    RateLimited {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
        /// What the provider said.
        #[source]
        source: BoxError,
    },
    /// The account's quota is used up; waiting does not help.
    #[error("the provider's quota is used up")]
    QuotaExceeded(#[source] BoxError),
    /// The model does not exist or the account may not use it.
    #[error("the provider does not know the model")]
    UnknownModel(#[source] BoxError),
    /// The texts are longer than the model takes.
    #[error("the input is too long for the model")]
    TooLong(#[source] BoxError),
    /// The provider refused the request for another reason.
    #[error("the provider refused the request")]
    Refused(#[source] BoxError),
    /// The provider answered with something that is no answer.
    #[error("the provider's answer is not understood")]
    Protocol(#[source] BoxError),
    /// The stream ended before the answer did; what came so far was passed on.
    #[error("the provider's answer broke off")]
    Truncated(#[source] BoxError),
    /// The provider could not be reached, failed, or did not answer in time.
    #[error("the provider is unavailable")]
    Unavailable(#[source] BoxError),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl LlmError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable(_) => true,
            Self::Unauthorized(_)
            | Self::QuotaExceeded(_)
            | Self::UnknownModel(_)
            | Self::TooLong(_)
            | Self::Refused(_)
            | Self::Protocol(_)
            | Self::Truncated(_)
            | Self::Cancelled => false,
        }
    }

    /// The same error with another cause; [`LlmError::Cancelled`] has none.
    pub(crate) fn with_source(self, source: BoxError) -> Self {
        match self {
            Self::Unauthorized(_) => Self::Unauthorized(source),
            Self::RateLimited { retry_after, .. } => Self::RateLimited { retry_after, source },
            Self::QuotaExceeded(_) => Self::QuotaExceeded(source),
            Self::UnknownModel(_) => Self::UnknownModel(source),
            Self::TooLong(_) => Self::TooLong(source),
            Self::Refused(_) => Self::Refused(source),
            Self::Protocol(_) => Self::Protocol(source),
            Self::Truncated(_) => Self::Truncated(source),
            Self::Unavailable(_) => Self::Unavailable(source),
            Self::Cancelled => Self::Cancelled,
        }
    }
}
