use std::ops::ControlFlow;

use tenantry_domain::Cancellation;

use crate::{LlmError, Prompt, Task};

/// Tokens as the provider counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
}

/// Why the answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishReason {
    /// It was complete.
    Stop,
    /// It reached the longest that is allowed.
    Length,
    /// The provider withheld it.
    ContentFilter,
    /// Another reason, or none given.
    Other,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Its text, with `[number]` markers where it cites.
    pub text: String,
    /// The model that wrote it, as the provider calls it.
    pub model: String,
    /// The same model as the provider was asked for it; what is counted is counted by this name, which no provider can make up.
    pub asked: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// The tokens it took; `None` when the provider does not say.
    pub usage: Option<Usage>,
}

/// Answers questions from passages.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
///
/// use tenantry_domain::Cancellation;
/// use tenantry_llm_client::{Completer, LlmError, MemoryCompleter, Prompt};
///
/// /// The first piece of an answer; the rest is not waited for.
/// fn first_piece(model: &dyn Completer, prompt: &Prompt) -> String {
///     let mut heard = String::new();
///     let outcome = model.stream(prompt, &Cancellation::new(), &mut |delta| {
///         heard.push_str(delta);
///         ControlFlow::Break(())
///     });
///     assert!(matches!(outcome, Err(LlmError::Cancelled)));
///     heard
/// }
///
/// assert_eq!(first_piece(&MemoryCompleter::saying("Thirty days."), &Prompt::default()), "Thirty ");
/// ```
pub trait Completer: Send + Sync {
    /// The model's name, as answers carry it.
    fn model(&self) -> &str;

    /// Whether it can do [`Task::Rewrite`]; one that cannot refuses it with [`LlmError::Refused`].
    fn can_rewrite(&self) -> bool {
        true
    }

    /// Answers `prompt` in one piece.
    ///
    /// # Errors
    /// When the provider gives no answer; see [`LlmError`].
    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError>;

    /// Answers `prompt`, handing each piece of text to `on_delta` as it comes; the pieces together are the text of the
    /// completion. `on_delta` breaks to stop early, `cancellation` stops a read that blocks; both end in
    /// [`LlmError::Cancelled`]. Nothing is retried after the first piece.
    ///
    /// # Errors
    /// When the provider gives no answer, or only a part of one ([`LlmError::Truncated`]).
    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError>;
}

/// Hands `pieces` to `on_delta` one by one, until one of the two signals to stop.
pub(crate) fn deliver<'p>(
    pieces: impl IntoIterator<Item = &'p str>,
    cancellation: &Cancellation,
    on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(), LlmError> {
    for piece in pieces {
        if cancellation.is_cancelled() || on_delta(piece).is_break() {
            return Err(LlmError::Cancelled);
        }
    }
    Ok(())
}

/// Refuses [`Task::Rewrite`] where `model` cannot do it.
pub(crate) fn refuse_rewriting(model: &dyn Completer, prompt: &Prompt) -> Result<(), LlmError> {
    if prompt.task == Task::Rewrite && !model.can_rewrite() {
        return Err(LlmError::Refused("only a model that writes can rewrite".into()));
    }
    Ok(())
}
