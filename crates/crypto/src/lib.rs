#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod memory;
mod password;
mod sealer;

pub use memory::{MemoryPasswordHasher, MemorySealer};
pub use password::{Password, PasswordError, PasswordHasher, PasswordPolicy, RejectedPassword, Verdict};
pub use sealer::{Field, KeyId, OpenError, ParseKeyIdError, SealError, Sealer};
