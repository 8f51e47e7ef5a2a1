use tenantry_llm_client::LlmError;
use tenantry_tenant_store::StoreError;
use tenantry_vector_client::VectorError;

use crate::collections::RecordError;
use crate::{CollectionError, EmbeddingMismatch};

/// Why chunks were not written to an index, or not removed from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The tenant's collection could not be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The model that made the index is not configured.
    #[error(transparent)]
    Mismatch(#[from] EmbeddingMismatch),
    /// The chunks could not be embedded.
    #[error("the text could not be embedded")]
    Embed(#[from] LlmError),
    /// The vector store failed.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordError> for IndexError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Mismatch(error) => error.into(),
            RecordError::Store(error) => error.into(),
        }
    }
}
