use tenantry_domain::{Embedding, TokenUsage};
use tenantry_llm_client::{Embedder, LlmError};

use crate::meter::embedding_usage;

/// What embedding a query took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySpending {
    /// The model, as its provider calls it.
    pub model: String,
    /// The tokens.
    pub usage: TokenUsage,
}

/// Embeds a query, and keeps what that took.
pub(super) fn embed(
    embedder: &dyn Embedder,
    query: &str,
    spent: &mut Option<QuerySpending>,
) -> Result<Option<Embedding>, LlmError> {
    let mut answer = embedder.embed(&[query])?;
    *spent = Some(QuerySpending {
        model: embedder.identity().name,
        usage: embedding_usage(&[query], answer.tokens),
    });
    Ok(answer.embeddings.pop())
}
