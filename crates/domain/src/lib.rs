#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod actor;
mod allowed_hosts;
mod api_key;
mod audit;
mod cancel;
mod chat_settings;
mod chunk;
mod claims;
mod clock;
mod conversation;
mod document;
mod embedding;
mod filter;
mod fusion;
mod identity;
mod ids;
mod index;
mod job;
mod media_type;
mod metadata;
mod names;
mod page;
mod role;
mod session;
mod tenant;
mod usage;
mod user;

pub use actor::{Actor, ParsePrincipalError, Principal, RequestOrigin};
pub use allowed_hosts::{AllowedHost, AllowedHosts, ParseAllowedHostError};
pub use api_key::ApiKey;
pub use audit::{AuditAction, AuditEntry, AuditEvent, AuditHash, ParseAuditActionError};
pub use cancel::{Cancellation, OnCancel};
pub use chat_settings::{
    ChatSettings, ClientInstructions, FollowUps, LlmProvider, OnLeave, ParseChatSettingError, PromptVersion,
    WithoutSupport,
};
pub use chunk::{Chunk, ChunkHash, Hit, Origin, ScoreParts, Span, TopK, TopKOutOfRange};
pub use claims::AccessClaims;
pub use clock::{Clock, ManualClock, ParseTimestampError, SystemClock, Timestamp, TimestampOutOfRange};
pub use conversation::{Citation, Conversation, Message, MessageRole, MessageStatus, ParseMessageError};
pub use document::{
    ContentHash, Document, DocumentState, DocumentVersion, PageMark, ParseDocumentStateError, Segment,
};
pub use embedding::{Dimension, DimensionOutOfRange, Embedding, InvalidEmbedding};
pub use filter::{Bound, Bounds, Filter, InvalidFilter};
pub use fusion::{Fusion, InvalidFusion, SearchSettings};
pub use identity::{ClaimMapping, ForeignIdentity, IdentityProvider};
pub use ids::{
    ApiKeyId, ConversationId, DocumentId, IdentityProviderId, JobId, MessageId, ParseIdError, SessionId,
    SourceId, UserId,
};
pub use index::{EmbeddingModel, Generation, Index, IndexScope, IndexState, ParseIndexStateError};
pub use job::{Job, JobKind, JobProgress, JobStage, JobState, ParseJobError};
pub use media_type::{MediaType, ParseMediaTypeError, ParseTextFormatError, TextFormat};
pub use metadata::{InvalidMetadata, Metadata, MetadataValue};
pub use page::{Page, PageOutOfRange, Paged};
pub use role::{
    Ingesters, ParseIngestersError, ParsePermissionError, ParseRoleError, Permission, Permissions, Role,
};
pub use session::{LoginMethod, ParseLoginMethodError, Session, TokenHash};
pub use tenant::{
    ExternalIndex, ParseTenantIdError, PineconeSettings, Sealed, SealedSecret, Tenant, TenantId,
    TenantInactive, TenantScope,
};
pub use usage::{ParseUsageKindError, TokenUsage, UsageKind, UsageRecord, UsageTotals};
pub use user::{Email, ParseEmailError, PasswordHash, User};

/// The cause of a failure that a caller cannot act on; the error that carries it says what failed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
