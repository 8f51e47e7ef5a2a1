#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod documents;
mod error;
mod keys;
mod tenants;
mod users;

pub use documents::{Advance, DocumentStore, NewDocument};
pub use error::StoreError;
pub use keys::{KeyDerivation, KeyState, KeyStateStore, SecretSample};
pub use tenants::{TenantChange, TenantStore};
pub use users::{Access, UserChange, UserFilter, UserStore};
