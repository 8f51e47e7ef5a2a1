#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod api_keys;
mod archive;
mod audit;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod conversations;
mod documents;
mod erasure;
mod error;
mod identities;
mod indexes;
mod jobs;
mod keys;
mod ledger;
mod memory;
mod messages;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod owned;
mod prompts;
mod sessions;
mod sources;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod throttle;
mod usage;
mod users;

pub use api_keys::{ApiKeyStore, KeyAccess};
pub use archive::{
    ArchivedDocument, ArchivedIdentity, ArchivedRecord, ArchivedUsage, ArchivedUser, TenantArchiveStore,
};
pub use audit::{AuditFilter, AuditHead, AuditLog, AuditStore};
pub use conversations::ConversationStore;
pub use documents::{
    DocumentFilter, DocumentStore, ReadyDocument, ReadyVersion, Submission, SubmitOutcome, Submitted,
};
pub use erasure::{ErasedTenant, TenantEraseStore};
pub use error::StoreError;
pub use identities::{Admission, IdentityStore};
pub use indexes::IndexStore;
pub use jobs::{
    Claim, ClaimedJob, Held, Incoming, JobFilter, JobQueue, JobStore, LOST_WORKER, Lease, Published,
    Settlement, TextRead,
};
pub use keys::{KeyDerivation, KeyState, KeyStateStore, SealedValue, SecretKind, SecretSample};
pub use ledger::audit::audit_hash;
pub use memory::MemoryStore;
pub use messages::{MessageStore, MessageTarget};
pub use prompts::PromptStore;
pub use sessions::{MAX_SESSIONS, NewSession, Refreshed, SessionStore};
pub use sources::SourceStore;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use sql::{DatabaseUrl, DatabaseUrlError, Isolation, MigrateError, PoolOptions, SqlStore};
pub use tenants::{ChangeBasis, TenantChange, TenantStore};
pub use throttle::{Attempt, ThrottlePolicy, ThrottleStore};
pub use usage::{UsageFilter, UsageGroup, UsageStore, UsageSum};
pub use users::{Access, UserChange, UserFilter, UserStore};
