use serde::Serialize;
use tenantry_domain::{Citation, Clock, SystemClock, TokenUsage};
use tenantry_llm_client::FinishReason;
use tenantry_retrieval::Answer;
use utoipa::ToSchema;

use crate::routes::wire::CitationView;

/// What every piece of an answer begins with.
#[derive(Debug, Clone)]
pub(super) struct Head {
    id: String,
    created: i64,
}

impl Head {
    pub(super) fn new() -> Self {
        let mut bytes = [0; 16];
        // Without random numbers an answer still has an id, only not its own.
        let _ = getrandom::fill(&mut bytes);
        Self {
            id: format!("chatcmpl-{:032x}", u128::from_be_bytes(bytes)),
            created: SystemClock.now().unix_seconds(),
        }
    }
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatCompletion)]
pub(super) struct CompletionView {
    /// The answer's id. It names nothing that is kept.
    id: String,
    /// `chat.completion`.
    #[schema(example = "chat.completion")]
    object: &'static str,
    /// When the answer was begun, in seconds of Unix time.
    created: i64,
    /// The model that wrote it.
    model: String,
    /// The answer, alone.
    choices: [ChoiceView; 1],
    /// The tokens that writing it took.
    usage: CompletionUsageView,
}

impl CompletionView {
    pub(super) fn of(head: Head, answer: Answer) -> Self {
        Self {
            id: head.id,
            object: "chat.completion",
            created: head.created,
            model: answer.model,
            choices: [ChoiceView {
                index: 0,
                message: AnswerMessageView {
                    role: "assistant",
                    content: answer.text,
                    refusal: None,
                    annotations: [],
                    tenantry: GroundsView::of(answer.citations, answer.supported),
                },
                logprobs: None,
                finish_reason: finish_reason(answer.finish),
            }],
            usage: answer.usage.into(),
        }
    }
}

/// The one answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatCompletionChoice)]
struct ChoiceView {
    /// 0.
    index: u8,
    /// What was answered.
    message: AnswerMessageView,
    /// Never given.
    #[schema(value_type = Option<Object>)]
    logprobs: Option<()>,
    /// `stop`, `length` or `content_filter`.
    #[schema(example = "stop")]
    finish_reason: &'static str,
}

/// What was answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatCompletionMessage)]
struct AnswerMessageView {
    /// `assistant`.
    #[schema(example = "assistant")]
    role: &'static str,
    /// The text, with markers `[1]` that name citations.
    content: String,
    /// Never given.
    #[schema(value_type = Option<String>)]
    refusal: Option<()>,
    /// Always empty: an annotation is the citation of an address on the web.
    #[schema(value_type = Vec<Object>)]
    annotations: [(); 0],
    /// What `OpenAI`'s API has no place for.
    tenantry: GroundsView,
}

/// What an answer rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grounds)]
pub(super) struct GroundsView {
    /// What the markers in the text stand for, by number.
    citations: Vec<CitationView>,
    /// Whether the text cites anything.
    supported: bool,
}

impl GroundsView {
    fn of(citations: Vec<Citation>, supported: bool) -> Self {
        Self {
            citations: citations.into_iter().map(CitationView::from).collect(),
            supported,
        }
    }
}

/// Tokens.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = CompletionUsage)]
pub(super) struct CompletionUsageView {
    /// Tokens read.
    prompt_tokens: u64,
    /// Tokens written.
    completion_tokens: u64,
    /// Both.
    total_tokens: u64,
    /// What `OpenAI`'s API has no place for.
    tenantry: CountView,
}

/// How tokens were counted.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = TokenCount)]
struct CountView {
    /// Whether the provider did not say, and the numbers are an estimate.
    estimated: bool,
}

impl From<TokenUsage> for CompletionUsageView {
    fn from(usage: TokenUsage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens(),
            tenantry: CountView {
                estimated: usage.estimated,
            },
        }
    }
}

/// A piece of a streamed answer.
#[derive(Debug, Serialize)]
pub(super) struct ChunkView<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<ChunkChoiceView<'a>>,
    /// Left out where nobody asked for it, else `null` until the last chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<CompletionUsageView>>,
}

#[derive(Debug, Serialize)]
struct ChunkChoiceView<'a> {
    index: u8,
    delta: DeltaView<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

/// What a chunk adds to the message.
#[derive(Debug, Default, Serialize)]
pub(super) struct DeltaView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenantry: Option<GroundsView>,
}

impl<'a> ChunkView<'a> {
    fn of(head: &'a Head, model: &'a str, choices: Vec<ChunkChoiceView<'a>>, counts: bool) -> Self {
        Self {
            id: &head.id,
            object: "chat.completion.chunk",
            created: head.created,
            model,
            choices,
            usage: counts.then_some(None),
        }
    }

    /// One that adds to the message; `counts` when the last chunk will have the usage.
    pub(super) fn adding(head: &'a Head, model: &'a str, delta: DeltaView<'a>, counts: bool) -> Self {
        let choice = ChunkChoiceView {
            index: 0,
            delta,
            logprobs: None,
            finish_reason: None,
        };
        Self::of(head, model, vec![choice], counts)
    }

    /// The one that ends the message, with what it rests on.
    pub(super) fn ending(head: &'a Head, answer: &'a Answer, counts: bool) -> Self {
        let grounds = GroundsView::of(answer.citations.clone(), answer.supported);
        let choice = ChunkChoiceView {
            index: 0,
            delta: DeltaView {
                tenantry: Some(grounds),
                ..DeltaView::default()
            },
            logprobs: None,
            finish_reason: Some(finish_reason(answer.finish)),
        };
        Self::of(head, &answer.model, vec![choice], counts)
    }

    /// The one that tells the usage.
    pub(super) fn counting(head: &'a Head, answer: &'a Answer) -> Self {
        Self {
            usage: Some(Some(answer.usage.into())),
            ..Self::of(head, &answer.model, Vec::new(), true)
        }
    }
}

/// Why an answer ended, in the words that the API has for it.
fn finish_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Length => "length",
        FinishReason::ContentFilter => "content_filter",
        _ => "stop",
    }
}
