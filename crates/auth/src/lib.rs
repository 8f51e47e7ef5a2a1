#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod lifetime;
mod memory;
mod token;

pub use lifetime::{Lifetime, LifetimeOutOfRange};
pub use memory::MemoryTokens;
pub use token::{IssueError, IssuedToken, MAX_TOKEN_BYTES, TokenError, TokenIssuer, TokenVerifier};
