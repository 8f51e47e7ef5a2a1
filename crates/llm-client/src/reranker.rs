use crate::LlmError;

/// Says how well each of some passages answers a query, by reading both together.
///
/// # Examples
/// ```
/// use tenantry_llm_client::{MemoryReranker, Reranker};
///
/// let passages = ["Ships leave on Monday.", "Refunds take a month."];
/// let relevance = MemoryReranker.rerank("How long do refunds take?", &passages)?;
/// assert!(relevance[1] > relevance[0]);
/// # Ok::<(), tenantry_llm_client::LlmError>(())
/// ```
pub trait Reranker: Send + Sync {
    /// The model's name, as the provider calls it.
    fn model(&self) -> &str;

    /// The relevance of each passage, in the order of the passages: finite, the higher the better, comparable within one call
    /// alone. No passages give none and no request.
    ///
    /// # Errors
    /// When the query is empty ([`LlmError::Refused`]), or the provider does not give one relevance for each passage.
    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, LlmError>;
}

pub(crate) fn refuse_empty(query: &str) -> Result<(), LlmError> {
    if query.is_empty() {
        return Err(LlmError::Refused(
            "passages are not ranked by an empty query".into(),
        ));
    }
    Ok(())
}
