//! How an archive is written: one JSON object a line, each with one field, which names what the line is.

mod access;
mod chat;
mod document;
mod tenant;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenantry_domain::{BoxError, TenantId, Timestamp};
use tenantry_tenant_store::ArchivedRecord;

use self::access::{ApiKeyLine, AuditLine, IdentityLine, ProviderLine, UserLine};
use self::chat::{ConversationLine, MessageLine, PromptLine, UsageLine};
pub(super) use self::document::ChunkLine;
use self::document::{DocumentLine, SegmentLine};
pub(super) use self::tenant::TenantLine;

/// What every archive begins by saying.
pub(super) const FORMAT: &str = "tenantry-archive";
/// The version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    #[serde(with = "text")]
    pub(super) tenant: TenantId,
    #[serde(with = "text")]
    pub(super) made_at: Timestamp,
}

/// The last line: how many there are of each other kind but the first, and the SHA-256 of all lines before this one, line ends included.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) sha256: String,
}

/// A line after the first, in the order in which they come: segments and chunks behind their document, messages behind their
/// conversation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Tenant(Box<TenantLine>),
    User(UserLine),
    Prompt(PromptLine),
    Document(Box<DocumentLine>),
    Segment(SegmentLine),
    /// A piece as it is embedded and found, for other tools; it follows from the segments, and is not read back.
    Chunk(ChunkLine),
    Conversation(ConversationLine),
    Message(Box<MessageLine>),
    Usage(UsageLine),
    ApiKey(ApiKeyLine),
    IdentityProvider(Box<ProviderLine>),
    Identity(IdentityLine),
    Audit(Box<AuditLine>),
    End(End),
}

impl Line {
    /// Its name, and the place of its kind among the others.
    pub(super) fn kind(&self) -> (&'static str, u8) {
        match self {
            Self::Tenant(_) => ("tenant", 0),
            Self::User(_) => ("user", 1),
            Self::Prompt(_) => ("prompt", 2),
            Self::Document(_) => ("document", 3),
            Self::Segment(_) => ("segment", 3),
            Self::Chunk(_) => ("chunk", 3),
            Self::Conversation(_) => ("conversation", 4),
            Self::Message(_) => ("message", 4),
            Self::Usage(_) => ("usage", 5),
            Self::ApiKey(_) => ("api_key", 6),
            Self::IdentityProvider(_) => ("identity_provider", 7),
            Self::Identity(_) => ("identity", 8),
            Self::Audit(_) => ("audit", 9),
            Self::End(_) => ("end", 10),
        }
    }

    /// The record that it says, for the tenant of that id; `None` for a line that is no record of its own.
    pub(super) fn record(self, tenant: &TenantId) -> Result<Option<ArchivedRecord>, BoxError> {
        Ok(Some(match self {
            Self::User(line) => ArchivedRecord::User(line.into()),
            Self::Prompt(line) => ArchivedRecord::Prompt(line.into()),
            Self::Document(line) => ArchivedRecord::Document((*line).try_into()?),
            Self::Segment(line) => line.into(),
            Self::Conversation(line) => ArchivedRecord::Conversation(line.into()),
            Self::Message(line) => (*line).try_into()?,
            Self::Usage(line) => ArchivedRecord::Usage(line.into()),
            Self::IdentityProvider(line) => ArchivedRecord::IdentityProvider((*line).into()),
            Self::Identity(line) => ArchivedRecord::Identity(line.into()),
            Self::Audit(line) => ArchivedRecord::Audit(line.entry(tenant)?),
            Self::Tenant(_) | Self::Chunk(_) | Self::ApiKey(_) | Self::End(_) => return Ok(None),
        }))
    }
}

impl TryFrom<ArchivedRecord> for Line {
    type Error = BoxError;

    fn try_from(record: ArchivedRecord) -> Result<Self, BoxError> {
        Ok(match record {
            ArchivedRecord::Tenant(tenant) => Self::Tenant(Box::new((*tenant).into())),
            ArchivedRecord::User(user) => Self::User(user.into()),
            ArchivedRecord::Prompt(prompt) => Self::Prompt(prompt.into()),
            ArchivedRecord::Document(document) => Self::Document(Box::new(document.try_into()?)),
            ArchivedRecord::Segment { of, segment } => Self::Segment(SegmentLine::new(of, segment)),
            ArchivedRecord::Conversation(conversation) => Self::Conversation(conversation.into()),
            ArchivedRecord::Message {
                conversation,
                message,
            } => Self::Message(Box::new(MessageLine::new(conversation, message))),
            ArchivedRecord::Usage(usage) => Self::Usage(usage.into()),
            ArchivedRecord::ApiKey(key) => Self::ApiKey(key.into()),
            ArchivedRecord::IdentityProvider(provider) => Self::IdentityProvider(Box::new(provider.into())),
            ArchivedRecord::Identity(identity) => Self::Identity(identity.into()),
            ArchivedRecord::Audit(entry) => Self::Audit(Box::new(entry.into())),
        })
    }
}
