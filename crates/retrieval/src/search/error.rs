use tenantry_domain::InvalidFilter;
use tenantry_llm_client::LlmError;
use tenantry_tenant_store::StoreError;
use tenantry_vector_client::VectorError;

use crate::{CollectionError, EmbeddingMismatch, InvalidField};

/// Why nothing was searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query is blank or too long, or a number is outside its bounds.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The filter cannot be applied.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// The tenant's vector store could not be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The model that made the tenant's vectors is not configured.
    #[error(transparent)]
    Model(#[from] EmbeddingMismatch),
    /// The tenant's index was filled by another tool and has embeddings alone, and no model is configured.
    #[error(
        "an index that another tool fills is searched by embeddings, and no embedding model is configured"
    )]
    NoModel,
    /// The query could not be embedded.
    #[error("the query could not be embedded")]
    Embed(#[from] LlmError),
    /// The vector store failed.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
