use tenantry_crypto::OpenError;
use tenantry_llm_client::LlmError;
use tenantry_tenant_store::StoreError;

use crate::{InvalidField, SearchError};

/// Why there is no answer, or only a part of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The question cannot be asked.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The asker has no conversation of that id.
    #[error("there is no such conversation")]
    UnknownConversation,
    /// The tenant has no model of that name.
    #[error("the tenant has no model of that name")]
    UnknownModel,
    /// The tenant takes no instructions from clients.
    #[error("the tenant takes no instructions from clients")]
    InstructionsRefused,
    /// The tenant's passages could not be searched; nothing is answered from a model's memory instead.
    #[error(transparent)]
    Search(SearchError),
    /// The sealed key of the tenant's own provider does not open; no other provider is asked instead.
    #[error("the sealed key of the tenant's provider does not open")]
    SealedKey(#[from] OpenError),
    /// The model did not answer, or not to the end.
    #[error("the model did not answer")]
    Complete(#[from] LlmError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SearchError> for ChatError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Invalid(error) => Self::Invalid(error),
            error => Self::Search(error),
        }
    }
}
