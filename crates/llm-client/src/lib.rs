#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod completer;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod embedder;
mod error;
mod extractive;
#[cfg(any(test, feature = "testing"))]
mod failing;
#[cfg(feature = "http")]
mod failure;
#[cfg(feature = "http")]
mod http_reranker;
#[cfg(feature = "local")]
mod local;
mod memory;
mod messages;
#[cfg(feature = "http")]
mod openai;
mod prompt;
mod reranker;
mod sentences;
mod terms;
mod tokens;

use completer::deliver;
pub use completer::{Completer, Completion, FinishReason, Usage};
pub use embedder::{Embedded, Embedder};
pub use error::LlmError;
pub use extractive::ExtractiveCompleter;
#[cfg(any(test, feature = "testing"))]
pub use failing::{FailingCompleter, FailingEmbedder, FailingReranker};
#[cfg(feature = "http")]
pub use http_reranker::{HttpReranker, RerankerSettings};
#[cfg(feature = "local")]
pub use local::{LocalEmbedder, LocalModelError};
pub use memory::{MemoryCompleter, MemoryEmbedder, MemoryReranker};
#[cfg(feature = "http")]
pub use openai::{KeyHeader, MaxTokensField, OpenAiCompleter, OpenAiEmbedder, OpenAiSettings};
pub use prompt::{Budget, Grounding, Passage, Prompt, Sampling, Task, Turn};
pub use reranker::Reranker;
pub use tokens::estimate_tokens;
