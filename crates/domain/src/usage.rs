use crate::names::names;
use crate::{Timestamp, UserId};

/// Tokens that a call of a model took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Whether the provider did not say, and the numbers are our estimate, which errs high.
    pub estimated: bool,
}

impl TokenUsage {
    /// All of them.
    pub fn total_tokens(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// Text that is no kind of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a kind of usage")]
pub struct ParseUsageKindError;

names! {
    /// What a call of a model was for.
    UsageKind, ParseUsageKindError:
    /// Embedding a query or a document.
    Embedding = "embedding",
    /// Rewriting a follow-up question into one that stands alone.
    Rewriting = "rewriting",
    /// Answering.
    Answering = "answering",
}

/// One call of a model, on the account of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// For whom; `None` for work that nobody waits for, as taking a document in.
    pub user: Option<UserId>,
    /// What for.
    pub kind: UsageKind,
    /// The model, as its provider calls it.
    pub model: String,
    /// The tokens.
    pub usage: TokenUsage,
    /// When.
    pub at: Timestamp,
}

/// Calls and their tokens in sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    /// How many calls.
    pub calls: u64,
    /// How many of them were estimated.
    pub estimated_calls: u64,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
}

impl UsageTotals {
    /// All of the tokens.
    pub fn total_tokens(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    /// Adds a call.
    pub fn add(&mut self, usage: TokenUsage) {
        self.merge(Self {
            calls: 1,
            estimated_calls: u64::from(usage.estimated),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        });
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.estimated_calls = self.estimated_calls.saturating_add(other.estimated_calls);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_add_up() {
        let mut totals = UsageTotals::default();
        for estimated in [true, false] {
            totals.add(TokenUsage {
                prompt_tokens: 10,
                completion_tokens: 2,
                estimated,
            });
        }
        let wanted = UsageTotals {
            calls: 2,
            estimated_calls: 1,
            prompt_tokens: 20,
            completion_tokens: 4,
        };
        assert_eq!(totals, wanted);
    }
}
