use serde::{Deserialize, Serialize};
use tenantry_domain::{
    BoxError, Citation, Conversation, ConversationId, DocumentId, Message, MessageId, MessageRole,
    MessageStatus, Origin, PromptVersion, Span, Timestamp, TokenUsage, UsageKind, UsageTotals, UserId,
};
use tenantry_tenant_store::{ArchivedRecord, ArchivedUsage};

use super::tenant::unreadable;
use super::text;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct PromptLine {
    number: u32,
    text: Option<String>,
    #[serde(with = "text::option")]
    author: Option<UserId>,
    #[serde(with = "text")]
    created_at: Timestamp,
}

impl From<PromptVersion> for PromptLine {
    fn from(prompt: PromptVersion) -> Self {
        Self {
            number: prompt.number,
            text: prompt.text,
            author: prompt.author,
            created_at: prompt.created_at,
        }
    }
}

impl From<PromptLine> for PromptVersion {
    fn from(line: PromptLine) -> Self {
        Self {
            number: line.number,
            text: line.text,
            author: line.author,
            created_at: line.created_at,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct ConversationLine {
    #[serde(with = "text")]
    id: ConversationId,
    #[serde(with = "text")]
    owner: UserId,
    title: String,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

impl From<Conversation> for ConversationLine {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id,
            owner: conversation.owner,
            title: conversation.title,
            created_at: conversation.created_at,
            updated_at: conversation.updated_at,
        }
    }
}

impl From<ConversationLine> for Conversation {
    fn from(line: ConversationLine) -> Self {
        Self {
            id: line.id,
            owner: line.owner,
            title: line.title,
            created_at: line.created_at,
            updated_at: line.updated_at,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct MessageLine {
    #[serde(with = "text")]
    conversation: ConversationId,
    #[serde(with = "text")]
    id: MessageId,
    #[serde(with = "text")]
    role: MessageRole,
    #[serde(with = "text")]
    status: MessageStatus,
    text: String,
    citations: Vec<CitationPart>,
    model: Option<String>,
    usage: Option<UsagePart>,
    #[serde(with = "text")]
    created_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsagePart {
    prompt_tokens: u64,
    completion_tokens: u64,
    estimated: bool,
}

/// A passage of a document, or of a record of an index that another tool fills.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CitationPart {
    number: u16,
    #[serde(with = "text::option")]
    document: Option<DocumentId>,
    record: Option<String>,
    title: String,
    start: u32,
    end: u32,
    page: Option<u32>,
    excerpt: String,
}

impl MessageLine {
    pub(in crate::archive) fn new(conversation: ConversationId, message: Message) -> Self {
        Self {
            conversation,
            id: message.id,
            role: message.role,
            status: message.status,
            text: message.text,
            citations: message.citations.into_iter().map(CitationPart::from).collect(),
            model: message.model,
            usage: message.usage.map(|usage| UsagePart {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                estimated: usage.estimated,
            }),
            created_at: message.created_at,
        }
    }
}

impl TryFrom<MessageLine> for ArchivedRecord {
    type Error = BoxError;

    fn try_from(line: MessageLine) -> Result<Self, BoxError> {
        let citations = line.citations.into_iter().map(Citation::try_from);
        Ok(Self::Message {
            conversation: line.conversation,
            message: Message {
                id: line.id,
                role: line.role,
                text: line.text,
                status: line.status,
                citations: citations.collect::<Result<_, _>>()?,
                model: line.model,
                usage: line.usage.map(|usage| TokenUsage {
                    prompt_tokens: usage.prompt_tokens,
                    completion_tokens: usage.completion_tokens,
                    estimated: usage.estimated,
                }),
                created_at: line.created_at,
            },
        })
    }
}

impl From<Citation> for CitationPart {
    fn from(citation: Citation) -> Self {
        let (document, record) = match citation.origin {
            Origin::Document(id) => (Some(id), None),
            Origin::Record(id) => (None, Some(id)),
        };
        Self {
            number: citation.number,
            document,
            record,
            title: citation.title,
            start: citation.span.start,
            end: citation.span.end,
            page: citation.page,
            excerpt: citation.excerpt,
        }
    }
}

impl TryFrom<CitationPart> for Citation {
    type Error = BoxError;

    fn try_from(part: CitationPart) -> Result<Self, BoxError> {
        let origin = match (part.document, part.record) {
            (Some(id), None) => Origin::Document(id),
            (None, Some(id)) => Origin::Record(id),
            _ => return Err(unreadable("a citation is of one `document` or of one `record`")),
        };
        Ok(Self {
            number: part.number,
            origin,
            title: part.title,
            span: Span {
                start: part.start,
                end: part.end,
            },
            page: part.page,
            excerpt: part.excerpt,
        })
    }
}

/// The sum of a day's calls on one account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct UsageLine {
    /// Days since 1970-01-01 (UTC).
    day: i64,
    #[serde(with = "text::option")]
    user: Option<UserId>,
    #[serde(with = "text")]
    kind: UsageKind,
    model: String,
    calls: u64,
    estimated_calls: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl From<ArchivedUsage> for UsageLine {
    fn from(usage: ArchivedUsage) -> Self {
        Self {
            day: usage.day,
            user: usage.user,
            kind: usage.kind,
            model: usage.model,
            calls: usage.totals.calls,
            estimated_calls: usage.totals.estimated_calls,
            prompt_tokens: usage.totals.prompt_tokens,
            completion_tokens: usage.totals.completion_tokens,
        }
    }
}

impl From<UsageLine> for ArchivedUsage {
    fn from(line: UsageLine) -> Self {
        Self {
            day: line.day,
            user: line.user,
            kind: line.kind,
            model: line.model,
            totals: UsageTotals {
                calls: line.calls,
                estimated_calls: line.estimated_calls,
                prompt_tokens: line.prompt_tokens,
                completion_tokens: line.completion_tokens,
            },
        }
    }
}
