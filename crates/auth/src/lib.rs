#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod token;

pub use token::{IssueError, IssuedToken, TokenError, TokenIssuer, TokenVerifier};
