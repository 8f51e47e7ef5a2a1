use tenantry_domain::{Embedding, EmbeddingModel};

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
    /// The model whose space this is, which an index keeps beside its vectors. Its dimension is known before the first call or
    /// learned from it; nothing else of it changes.
    fn identity(&self) -> EmbeddingModel;

    /// Whether an embedding of `text` says what it means. It does not in a language that the model never learned: a search
    /// for such a text is better without it.
    fn understands(&self, text: &str) -> bool {
        let _ = text;
        true
    }

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
