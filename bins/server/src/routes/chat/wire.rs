use serde::{Deserialize, Serialize};
use tenantry_llm_client::{FinishReason, Usage};
use tenantry_retrieval::{Answer, Source};
use utoipa::ToSchema;

use crate::routes::wire::Passage;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"message": "How long can goods be returned?"}))]
pub(super) struct Question {
    /// The question: 1 to 16,000 characters.
    pub(super) message: String,
    /// Whether to answer with a stream of events; else the `Accept` header tells.
    pub(super) stream: Option<bool>,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(super) struct AnswerView {
    /// The text, with markers `[1]` that name sources.
    answer: String,
    /// What the answer rests on.
    sources: Vec<SourceView>,
    #[serde(flatten)]
    done: DoneView,
}

impl From<Answer> for AnswerView {
    fn from(mut answer: Answer) -> Self {
        Self {
            answer: std::mem::take(&mut answer.text),
            sources: std::mem::take(&mut answer.sources)
                .into_iter()
                .map(SourceView::from)
                .collect(),
            done: answer.into(),
        }
    }
}

/// A passage that the answer may cite.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
struct SourceView {
    /// The number in the answer's markers.
    number: usize,
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

/// The data of the event `sources`.
#[derive(Debug, Serialize)]
pub(super) struct SourcesView {
    sources: Vec<SourceView>,
}

impl From<&[Source]> for SourcesView {
    fn from(sources: &[Source]) -> Self {
        Self {
            sources: sources.iter().cloned().map(SourceView::from).collect(),
        }
    }
}

/// The data of the event `delta`.
#[derive(Debug, Serialize)]
pub(super) struct DeltaView<'a> {
    pub(super) text: &'a str,
}

/// How an answer ended; also the data of the event `done`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnswerEnd)]
pub(super) struct DoneView {
    /// The model that wrote the answer.
    model: String,
    /// The tokens that it took, where the provider counts them.
    usage: Option<UsageView>,
    /// `stop`, `length`, `content_filter` or `other`.
    #[schema(example = "stop")]
    finish_reason: &'static str,
}

impl From<Answer> for DoneView {
    fn from(answer: Answer) -> Self {
        Self {
            model: answer.model,
            usage: answer.usage.map(UsageView::from),
            finish_reason: match answer.finish {
                FinishReason::Stop => "stop",
                FinishReason::Length => "length",
                FinishReason::ContentFilter => "content_filter",
                _ => "other",
            },
        }
    }
}

/// Tokens, as the provider counted them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
#[expect(clippy::struct_field_names, reason = "the names that every provider uses")]
struct UsageView {
    /// Tokens read.
    prompt_tokens: u64,
    /// Tokens written.
    completion_tokens: u64,
    /// Both.
    total_tokens: u64,
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens.saturating_add(usage.completion_tokens),
        }
    }
}
