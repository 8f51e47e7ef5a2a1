use crate::names::names;
use crate::{ConversationId, MessageId, Origin, Span, Timestamp, TokenUsage, UserId};

/// A talk of one user with the tenant's knowledge; nobody else sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The conversation's id.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is called: 1 to 200 characters on one line.
    pub title: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last got a message or another title.
    pub updated_at: Timestamp,
}

/// Text that is no role or status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a message's role or status")]
pub struct ParseMessageError;

names! {
    /// Who speaks.
    MessageRole, ParseMessageError:
    /// The owner of the conversation.
    User = "user",
    /// The model.
    Assistant = "assistant",
}

names! {
    /// How a message came to its end.
    MessageStatus, ParseMessageError:
    /// It is whole.
    Complete = "complete",
    /// Its reader left; the text is what was written until then.
    Cancelled = "cancelled",
    /// It broke off; the text is what came until then.
    Failed = "failed",
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The message's id.
    pub id: MessageId,
    /// Who speaks.
    pub role: MessageRole,
    /// The text; of an answer with `[number]` markers, each of which has its citation.
    pub text: String,
    /// How it came to its end.
    pub status: MessageStatus,
    /// What its markers stand for, by number; empty for a user's message.
    pub citations: Vec<Citation>,
    /// The model that wrote it; `None` for a user's message, and where none was reached.
    pub model: Option<String>,
    /// The tokens that writing it took, without those of searching.
    pub usage: Option<TokenUsage>,
    /// When it was written, to the end.
    pub created_at: Timestamp,
}

/// What a marker of an answer stands for, as it was when the answer was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The number in the marker, from 1.
    pub number: u16,
    /// Where the passage stands.
    pub origin: Origin,
    /// The document's title; of a record, its id.
    pub title: String,
    /// Where in the document's text the excerpt stands.
    pub span: Span,
    /// The page that it begins on, where the file has pages.
    pub page: Option<u32>,
    /// The text at `span`, to the letter.
    pub excerpt: String,
}
