use std::fmt;
use std::ops::ControlFlow;

use tenantry_domain::{Cancellation, EmbeddingModel};

use crate::{Completer, Completion, Embedded, Embedder, LlmError, Prompt, Reranker, deliver};

type Failure = Box<dyn Fn() -> LlmError + Send + Sync>;

/// A completer that says a few pieces and then fails.
pub struct FailingCompleter {
    pieces: Vec<String>,
    failure: Failure,
}

impl FailingCompleter {
    /// Fails before the first piece.
    pub fn at_once(failure: impl Fn() -> LlmError + Send + Sync + 'static) -> Self {
        Self::after(Vec::<String>::new(), failure)
    }

    /// Streams `pieces`, then fails; an answer in one piece fails at once.
    pub fn after(
        pieces: impl IntoIterator<Item = impl Into<String>>,
        failure: impl Fn() -> LlmError + Send + Sync + 'static,
    ) -> Self {
        Self {
            pieces: pieces.into_iter().map(Into::into).collect(),
            failure: Box::new(failure),
        }
    }
}

impl Completer for FailingCompleter {
    fn model(&self) -> &'static str {
        "failing"
    }

    fn complete(&self, _: &Prompt) -> Result<Completion, LlmError> {
        Err((self.failure)())
    }

    fn stream(
        &self,
        _: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        deliver(self.pieces.iter().map(String::as_str), cancellation, on_delta)?;
        Err((self.failure)())
    }
}

impl fmt::Debug for FailingCompleter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingCompleter")
            .field("pieces", &self.pieces)
            .finish_non_exhaustive()
    }
}

/// An embedder that always fails.
pub struct FailingEmbedder(Failure);

impl FailingEmbedder {
    /// Fails every call with texts.
    pub fn new(failure: impl Fn() -> LlmError + Send + Sync + 'static) -> Self {
        Self(Box::new(failure))
    }
}

impl Embedder for FailingEmbedder {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "failing".to_owned(),
            name: "failing".to_owned(),
            dimension: None,
        }
    }

    fn embed(&self, _: &[&str]) -> Result<Embedded, LlmError> {
        Err((self.0)())
    }
}

impl fmt::Debug for FailingEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailingEmbedder(..)")
    }
}

/// A reranker that always fails.
pub struct FailingReranker(Failure);

impl FailingReranker {
    /// Fails every call.
    pub fn new(failure: impl Fn() -> LlmError + Send + Sync + 'static) -> Self {
        Self(Box::new(failure))
    }
}

impl Reranker for FailingReranker {
    fn model(&self) -> &'static str {
        "failing"
    }

    fn rerank(&self, _: &str, _: &[&str]) -> Result<Vec<f32>, LlmError> {
        Err((self.0)())
    }
}

impl fmt::Debug for FailingReranker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailingReranker(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_comes_after_the_pieces() {
        let model = FailingCompleter::after(["a ", "b"], || LlmError::Truncated("scripted".into()));
        let mut heard = String::new();
        let failure = model.stream(&Prompt::default(), &Cancellation::new(), &mut |delta| {
            heard.push_str(delta);
            ControlFlow::Continue(())
        });
        assert!(matches!(failure, Err(LlmError::Truncated(_))));
        assert_eq!(heard, "a b");
        assert!(matches!(
            model.complete(&Prompt::default()),
            Err(LlmError::Truncated(_))
        ));
    }

    #[test]
    fn an_embedder_and_a_reranker_can_fail_too() {
        let embedder = FailingEmbedder::new(|| LlmError::Unavailable("scripted".into()));
        assert!(matches!(embedder.embed(&["text"]), Err(LlmError::Unavailable(_))));
        let reranker = FailingReranker::new(|| LlmError::Unavailable("scripted".into()));
        assert!(matches!(
            reranker.rerank("query", &["text"]),
            Err(LlmError::Unavailable(_))
        ));
    }
}
