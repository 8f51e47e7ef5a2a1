#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod conversations;
mod documents;
mod error;
mod indexes;
mod jobs;
mod keys;
mod ledger;
mod memory;
mod messages;
mod prompts;
mod sources;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod usage;
mod users;

pub use conversations::ConversationStore;
pub use documents::{
    DocumentFilter, DocumentStore, ReadyDocument, ReadyVersion, Submission, SubmitOutcome, Submitted,
};
pub use error::StoreError;
pub use indexes::IndexStore;
pub use jobs::{
    Claim, ClaimedJob, Held, Incoming, JobFilter, JobQueue, JobStore, LOST_WORKER, Lease, Published,
    Settlement, TextRead,
};
pub use keys::{KeyDerivation, KeyState, KeyStateStore, SecretKind, SecretSample};
pub use memory::MemoryStore;
pub use messages::{MessageStore, MessageTarget};
pub use prompts::PromptStore;
pub use sources::SourceStore;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use sql::{DatabaseUrl, DatabaseUrlError, Isolation, MigrateError, PoolOptions, SqlStore};
pub use tenants::{ChangeBasis, TenantChange, TenantStore};
pub use usage::{UsageFilter, UsageGroup, UsageStore, UsageSum};
pub use users::{Access, UserChange, UserFilter, UserStore};
