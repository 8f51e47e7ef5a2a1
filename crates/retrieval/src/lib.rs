#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts;
mod api_keys;
mod archive;
mod audit;
mod chat;
mod collections;
mod conversations;
mod embedders;
mod identities;
mod ingest;
mod knowledge;
mod meter;
mod opaque;
mod outline;
mod output;
mod pinecone;
mod prompts;
mod reconcile;
mod reindex;
mod resolve;
mod search;
mod secrets;
mod sessions;
mod split;
mod template;
mod tenants;
mod text;
mod usage;

pub use accounts::{
    AccountError, AccountParts, Accounts, ChangePasswordError, Client, LogIns, LoginError, NewUser,
    Passwords, RedeemError, RegisterError, ResetError, ResetLink, Resets, Throttle, TooManyAttempts,
    UserUpdate,
};
pub use api_keys::{ApiKeyError, ApiKeys, IssuedApiKey, KeyRights, NewApiKey};
pub use archive::{
    ArchiveFault, ArchiveLimits, ArchiveSource, EraseError, EraseParts, ErasePatience, Eraser, ExportError,
    Exported, Exporter, ImportError, ImportParts, ImportProgress, Imported, Importer, Receipt, ReceiptError,
    RemoteVectors,
};
pub use audit::{AuditFault, AuditFlaw, AuditLogs, VerifiedLog};
pub use chat::{
    Answer, Asker, Chat, ChatError, ChatModels, ChatParts, Question, Retrieval, Source, Thread, Turn,
};
pub use collections::{Collection, CollectionError, Collections, ExternalCollection, OwnCollection};
pub use conversations::{ConversationError, Conversations};
pub use embedders::{Embedders, EmbeddingMismatch, UnknownEmbeddingModel};
pub use identities::{
    ClaimMappingUpdate, Identities, IdentityProviderError, IdentityProviderUpdate, NewIdentityProvider,
};
pub use ingest::{IndexError, IngestLimits, IngestOptions, IngestParts, Ingestor, Settled, Worked};
pub use knowledge::{Knowledge, NewFile, SubmitError, Upload};
pub use opaque::NoRandomness;
pub use pinecone::{PineconeCheck, PineconeLookup, RejectedPinecone};
pub use prompts::{ChangedLine, LineChange, PromptAccess, PromptDiff, Prompts};
pub use reconcile::{Differences, IndexDifferences, Reconciler, RepairProgress, Repaired};
pub use reindex::{ReindexError, ReindexProgress, Reindexed, Reindexer};
pub use resolve::{
    AccountHolder, AdmittedIdentity, Caller, Credential, IdentityGate, NoIdentities, ResolveError, Resolver,
    Superuser, TenantAdmin,
};
pub use search::{
    CandidateCounts, Contribution, DenseSearch, Diversity, Explanation, HitExplanation, MergedChunk,
    QuerySpending, Reranking, SearchError, SearchRequest, SearchResult, Searcher,
};
pub use secrets::{
    KeyReport, KeyRole, KeyUse, RotateError, Rotation, Secrets, Unopened, Verification, secret_field,
};
pub use sessions::{LoggedIn, RefreshError, Sessions, WhichSession};
pub use split::Splitter;
pub use tenants::{
    ChatTuning, NewTenant, NewTenantUser, OfferedModels, PineconeState, ProviderUpdate, SaveTenantError,
    SavedTenant, SearchTuning, SettingsUpdate, TenantSettings, TenantUpdate, TenantUserError,
    TenantUserUpdate, TenantUsers, Tenants,
};
pub use text::InvalidField;
pub use usage::{UsageError, UsageQuery, UsageReport, UsageReports};

/// Runs the example of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
