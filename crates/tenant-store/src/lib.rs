#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod documents;
mod error;
mod keys;
mod memory;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod users;

pub use documents::{Advance, DocumentStore, NewDocument, ReadyDocument};
pub use error::StoreError;
pub use keys::{KeyDerivation, KeyState, KeyStateStore, SecretSample};
pub use memory::MemoryStore;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use sql::{DatabaseUrl, DatabaseUrlError, Isolation, MigrateError, PoolOptions, SqlStore};
pub use tenants::{TenantChange, TenantStore};
pub use users::{Access, UserChange, UserFilter, UserStore};
