use serde::{Deserialize, Serialize};
use tenantry_domain::{Conversation, Message};
use utoipa::ToSchema;

use crate::routes::wire::{CitationView, UsageView};

/// A conversation to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Returns"}))]
pub(super) struct NewConversation {
    /// What it is called: 1 to 200 characters on one line, else `Conversation`.
    pub(super) title: Option<String>,
}

/// What to change of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Returns"}))]
pub(super) struct ConversationChange {
    /// What it is called: 1 to 200 characters on one line.
    pub(super) title: Option<String>,
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(super) struct ConversationView {
    /// Its id.
    id: String,
    /// What it is called: at first the first line of its first question.
    title: String,
    /// When it began (RFC 3339, UTC).
    created_at: String,
    /// When it last got a message or another title.
    updated_at: String,
}

impl From<Conversation> for ConversationView {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id.to_string(),
            title: conversation.title,
            created_at: conversation.created_at.to_string(),
            updated_at: conversation.updated_at.to_string(),
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageView {
    /// Its id.
    id: String,
    /// Who speaks: `user` or `assistant`.
    #[schema(example = "assistant")]
    role: &'static str,
    /// The text; of an answer with markers `[1]`.
    text: String,
    /// How it came to its end: `complete`, `cancelled` (its reader left) or `failed`; then the text is what was written until then.
    #[schema(example = "complete")]
    status: &'static str,
    /// What the text's markers stand for, by number.
    citations: Vec<CitationView>,
    /// The model that wrote it; `null` for a question, and where no model wrote anything.
    model: Option<String>,
    /// The tokens that writing it took; `null` for a question, and where no model was asked.
    usage: Option<UsageView>,
    /// When it was written (RFC 3339, UTC).
    created_at: String,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.to_string(),
            role: message.role.as_str(),
            text: message.text,
            status: message.status.as_str(),
            citations: message.citations.into_iter().map(CitationView::from).collect(),
            model: message.model,
            usage: message.usage.map(UsageView::from),
            created_at: message.created_at.to_string(),
        }
    }
}
