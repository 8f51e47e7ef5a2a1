use serde::{Deserialize, Serialize};
use tenantry_domain::Tenant;
use tenantry_retrieval::{Answer, Question, Turn};
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody};
use crate::routes::wire::{CitationView, RetrievalBody, SourceView, UsageView, finish_reason, sources_view};

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Question, example = json!({"message": "How long can goods be returned?"}))]
pub(super) struct QuestionBody {
    /// The question: 1 to 16,000 characters.
    message: String,
    /// The conversation of yours that it goes on with; without one, it begins one.
    conversation_id: Option<String>,
    /// Whether to answer with a stream of events; else the `Accept` header tells.
    pub(super) stream: Option<bool>,
    #[schema(schema_with = RetrievalBody::schema)]
    retrieval: Option<RetrievalBody>,
    /// The model that is asked first: one of the tenant's.
    model: Option<String>,
}

impl QuestionBody {
    /// What a tenant is asked.
    ///
    /// # Errors
    /// When the id is none, or the filter or the weights cannot be used.
    pub(super) fn into_question(self, tenant: &Tenant) -> Result<Question, ApiError> {
        let retrieval = self
            .retrieval
            .map(|retrieval| retrieval.into_retrieval(tenant.search.fusion));
        let question = match self.conversation_id {
            // What is no id at all is none of the user's conversations.
            Some(id) => {
                let id = id.parse().map_err(|_| ApiError::unknown_conversation())?;
                Question::following(id, self.message)
            }
            None => Question::opening(self.message),
        };
        Ok(Question {
            retrieval: retrieval.transpose()?.unwrap_or_default(),
            model: self.model,
            ..question
        })
    }
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(super) struct AnswerView {
    /// The text, with markers `[1]` that name sources.
    answer: String,
    /// The passages that it may cite.
    sources: Vec<SourceView>,
    #[serde(flatten)]
    done: DoneView,
}

impl From<Answer> for AnswerView {
    fn from(mut answer: Answer) -> Self {
        Self {
            answer: std::mem::take(&mut answer.text),
            sources: answer.sources.drain(..).map(SourceView::from).collect(),
            done: answer.into(),
        }
    }
}

/// Where question and answer are kept.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = AnswerPlace)]
pub(super) struct PlaceView {
    /// The conversation; `null` when it was removed meanwhile.
    #[schema(required)]
    conversation_id: Option<String>,
    /// The answer's message; `null` when it was not kept.
    #[schema(required)]
    message_id: Option<String>,
}

impl From<&Turn> for PlaceView {
    fn from(turn: &Turn) -> Self {
        Self {
            conversation_id: turn.conversation().map(|id| id.to_string()),
            message_id: turn.message().map(|id| id.to_string()),
        }
    }
}

impl From<&Answer> for PlaceView {
    fn from(answer: &Answer) -> Self {
        Self {
            conversation_id: answer.conversation.as_ref().map(|it| it.id.to_string()),
            message_id: answer.message.map(|id| id.to_string()),
        }
    }
}

/// The data of the event `sources`.
#[derive(Debug, Serialize)]
pub(super) struct SourcesView {
    #[serde(flatten)]
    place: PlaceView,
    sources: Vec<SourceView>,
}

impl From<&Turn> for SourcesView {
    fn from(turn: &Turn) -> Self {
        Self {
            place: turn.into(),
            sources: sources_view(turn.sources()),
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
    /// What the text's markers stand for, by number.
    citations: Vec<CitationView>,
    /// Whether the text cites anything.
    supported: bool,
    /// The model that wrote the answer; where none was asked, the one that would have been.
    model: String,
    /// `stop`, `length`, `content_filter` or `other`.
    #[schema(example = "stop")]
    finish_reason: &'static str,
    /// How the message is kept: `complete`.
    #[schema(example = "complete")]
    status: &'static str,
    /// The tokens that writing it took, without those of searching.
    usage: UsageView,
    #[serde(flatten)]
    place: PlaceView,
}

impl From<Answer> for DoneView {
    fn from(answer: Answer) -> Self {
        Self {
            place: (&answer).into(),
            citations: answer.citations.into_iter().map(CitationView::from).collect(),
            supported: answer.supported,
            model: answer.model,
            finish_reason: finish_reason(answer.finish),
            status: answer.status.as_str(),
            usage: answer.usage.into(),
        }
    }
}

/// The data of the event `error`: an error answer's body, and what there is of the answer.
#[derive(Debug, Serialize)]
pub(super) struct FailureView {
    #[serde(flatten)]
    error: ErrorBody,
    #[serde(flatten)]
    place: PlaceView,
    /// How the message was kept; `null` when it was not.
    status: Option<&'static str>,
}

impl FailureView {
    /// The failure of an answer that was to be kept at `planned`.
    pub(super) fn new(error: ErrorBody, planned: PlaceView, kept: Option<Answer>) -> Self {
        let Some(kept) = kept else {
            let place = PlaceView {
                message_id: None,
                ..planned
            };
            return Self {
                error,
                place,
                status: None,
            };
        };
        Self {
            error,
            place: (&kept).into(),
            status: kept.message.map(|_| kept.status.as_str()),
        }
    }
}
