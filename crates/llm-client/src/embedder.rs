use tenantry_domain::{Dimension, Embedding};

use crate::LlmError;

/// Embeddings in the order of their texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One embedding a text, all of one dimension.
    pub embeddings: Vec<Embedding>,
    /// The tokens that the provider counted; `None` when it does not say.
    pub tokens: Option<u64>,
}

/// Places texts in a model's space.
///
/// # Examples
/// ```
/// use tenantry_llm_client::{Embedder, MemoryEmbedder};
///
/// let embedded = MemoryEmbedder.embed(&["refunds take a month", "refunds take a month"])?;
/// assert_eq!(embedded.embeddings[0], embedded.embeddings[1]);
/// # Ok::<(), tenantry_llm_client::LlmError>(())
/// ```
pub trait Embedder: Send + Sync {
    /// The model's name, as the provider calls it.
    fn model(&self) -> &str;

    /// The model's dimension, where it is known before the first call.
    fn dimension(&self) -> Option<Dimension>;

    /// Embeds `texts`, split into as many requests as the provider's limits ask for. No texts give no embeddings
    /// and no request.
    ///
    /// # Errors
    /// When a text is empty ([`LlmError::Refused`]), or the provider does not give one valid embedding of one dimension for each text.
    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError>;
}

pub(crate) fn refuse_empty(texts: &[&str]) -> Result<(), LlmError> {
    if texts.iter().any(|text| text.is_empty()) {
        return Err(LlmError::Refused("an empty text has no embedding".into()));
    }
    Ok(())
}
