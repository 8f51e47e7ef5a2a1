#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts;
mod answer;
mod collections;
mod knowledge;
mod pinecone;
mod resolve;
mod search;
mod split;
mod tenants;
mod text;

pub use accounts::{AccountError, Accounts, LoginError, NewUser, UserUpdate};
pub use answer::{Answer, AnswerError, AnswerEvent, Answers, Source};
pub use collections::{CollectionError, Collections};
pub use knowledge::{IngestError, IngestProgress, Knowledge, NewText};
pub use pinecone::{PineconeCheck, PineconeLookup, RejectedPinecone};
pub use resolve::{Caller, ResolveError, Resolver, Superuser};
pub use search::{SearchError, Searcher};
pub use split::Splitter;
pub use tenants::{NewTenant, PineconeState, SaveTenantError, SavedTenant, TenantUpdate, Tenants};
pub use text::InvalidField;

/// Runs the example of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
