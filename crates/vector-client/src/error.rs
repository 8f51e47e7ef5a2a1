use std::time::Duration;

use tenantry_domain::{BoxError, Dimension};

/// Why chunks were not stored or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// The collection holds vectors of another dimension.
    #[error("the collection holds vectors of {expected} numbers, these have {actual}")]
    DimensionMismatch {
        /// The collection's dimension.
        expected: Dimension,
        /// The dimension that was given.
        actual: Dimension,
    },
    /// The store searches by embedding alone and the query or a chunk has none.
    #[error("the vector store needs embeddings, and no embedding model is configured")]
    EmbeddingRequired,
    /// The service refused the key.
    #[error("the vector store refused the api key")]
    Unauthorized(#[source] BoxError),
    /// The index does not exist.
    #[error("the vector store does not know the index")]
    UnknownIndex(#[source] BoxError),
    /// Too many requests; a later one may succeed.
    #[error("the vector store limits the rate")]
    RateLimited {
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
        /// What the service said.
        #[source]
        source: BoxError,
    },
    /// The service refused the request for another reason.
    #[error("the vector store refused the request")]
    Refused(#[source] BoxError),
    /// The store could not be reached, failed, or did not answer in time.
    #[error("the vector store is unavailable")]
    Unavailable(#[source] BoxError),
}

impl VectorError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable(_) => true,
            Self::DimensionMismatch { .. }
            | Self::EmbeddingRequired
            | Self::Unauthorized(_)
            | Self::UnknownIndex(_)
            | Self::Refused(_) => false,
        }
    }
}
