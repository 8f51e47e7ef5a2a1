//! What calls took, as providers counted it, or by our estimate.

use tenantry_domain::TokenUsage;
use tenantry_llm_client::{Completion, LlmError, Prompt, estimate_tokens};

/// What a finished call took.
pub(super) fn reported(completion: &Completion, prompt: &Prompt) -> TokenUsage {
    match completion.usage {
        Some(usage) => TokenUsage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            estimated: false,
        },
        None => estimated(prompt, &completion.text),
    }
}

/// What a call took that gave `text` and then ended with `error`; `None` where it was refused before it cost anything.
pub(super) fn of_failed(error: &LlmError, prompt: &Prompt, text: &str) -> Option<TokenUsage> {
    let began = match error {
        // The provider read the prompt, whether or not a word of its answer came.
        LlmError::Cancelled | LlmError::Truncated(_) | LlmError::Protocol(_) => true,
        _ => !text.is_empty(),
    };
    began.then(|| estimated(prompt, text))
}

fn estimated(prompt: &Prompt, text: &str) -> TokenUsage {
    TokenUsage {
        prompt_tokens: count(prompt.estimated_tokens()),
        completion_tokens: count(estimate_tokens(text)),
        estimated: true,
    }
}

fn count(tokens: usize) -> u64 {
    u64::try_from(tokens).unwrap_or(u64::MAX)
}
