use serde::Serialize;
use tenantry_domain::TokenUsage;
use tenantry_llm_client::FinishReason;
use tenantry_retrieval::Source;
use utoipa::ToSchema;

use super::Passage;

/// A passage that the answer may cite.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub(in crate::routes) struct SourceView {
    /// The number in the answer's markers.
    number: u16,
    #[serde(flatten)]
    passage: Passage,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            number: source.number,
            passage: source.hit.into(),
        }
    }
}

/// The passages of an answer, in the order of their numbers.
pub(in crate::routes) fn sources_view(sources: &[Source]) -> Vec<SourceView> {
    sources.iter().cloned().map(SourceView::from).collect()
}

/// The tokens that writing an answer took.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = TokenUsage)]
pub(in crate::routes) struct UsageView {
    /// Tokens read.
    prompt_tokens: u64,
    /// Tokens written.
    completion_tokens: u64,
    /// Both.
    total_tokens: u64,
    /// Whether the provider did not say, and the numbers are an estimate.
    estimated: bool,
}

impl From<TokenUsage> for UsageView {
    fn from(usage: TokenUsage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens(),
            estimated: usage.estimated,
        }
    }
}

/// Why an answer ended, in a word: `stop`, `length`, `content_filter` or `other`.
pub(in crate::routes) fn finish_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ContentFilter => "content_filter",
        _ => "other",
    }
}
