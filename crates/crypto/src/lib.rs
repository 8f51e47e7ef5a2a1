#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod password;
mod sealer;

pub use password::{Password, PasswordError, PasswordHasher, PasswordPolicy, RejectedPassword, Verdict};
pub use sealer::{Field, KeyId, OpenError, ParseKeyIdError, SealError, Sealer};
