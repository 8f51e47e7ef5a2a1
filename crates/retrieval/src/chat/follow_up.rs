//! A follow-up question as one that can be searched for by itself.

use std::ops::ControlFlow;
use std::time::Duration;

use tenantry_domain::{Cancellation, TokenUsage};
use tenantry_llm_client::{Budget, Completer, LlmError, PastMessage, Prompt};

use super::spending;

/// How long a reader waits for a rewritten question at most; then the question is searched for as it is.
const BUDGET: Budget = Budget {
    first_token: Some(Duration::from_secs(5)),
    total: Some(Duration::from_secs(10)),
};
/// The longest rewritten question in characters; what is longer is an essay, and no query.
const MAX_CHARACTERS: usize = 1_000;

/// What came of rewriting.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// The question that stands alone; `None` where the model gave none.
    pub(super) query: Option<String>,
    /// The model that was asked.
    pub(super) model: String,
    /// What it took, where it took anything.
    pub(super) usage: Option<TokenUsage>,
}

/// Asks `model` for the question that stands alone. A model that fails gives none, which is no error.
pub(super) fn rewrite(
    model: &dyn Completer,
    history: &[PastMessage],
    question: &str,
    cancellation: &Cancellation,
) -> Rewritten {
    let mut prompt = Prompt::rewriting(history.to_vec(), question);
    prompt.budget = BUDGET;
    let mut text = String::new();
    let outcome = model.stream(&prompt, cancellation, &mut |delta| {
        text.push_str(delta);
        // Nobody reads on, and the provider need not write on.
        if text.len() > 4 * MAX_CHARACTERS {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    match outcome {
        Ok(completion) => Rewritten {
            query: query(&completion.text),
            usage: Some(spending::reported(&completion, &prompt)),
            model: completion.asked,
        },
        Err(error) => Rewritten {
            query: None,
            model: model.model().to_owned(),
            usage: spending::of_failed(&error, &prompt, &text),
        },
    }
}

/// The query in a model's answer: its text on one line.
fn query(text: &str) -> Option<String> {
    let line = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('\0', "");
    let fits = !line.is_empty() && line.chars().count() <= MAX_CHARACTERS;
    fits.then_some(line)
}

/// Whether rewriting ended because the reader left.
pub(super) fn stopped(cancellation: &Cancellation) -> Result<(), LlmError> {
    if cancellation.is_cancelled() {
        Err(LlmError::Cancelled)
    } else {
        Ok(())
    }
}
