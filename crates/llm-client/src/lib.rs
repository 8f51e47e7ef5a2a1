#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod completer;
mod embedder;
mod error;

pub use completer::{Completer, Completion, FinishReason, Passage, Prompt, Usage};
pub use embedder::{Embedded, Embedder};
pub use error::LlmError;
