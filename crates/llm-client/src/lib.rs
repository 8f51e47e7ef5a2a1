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
mod fallback;
#[cfg(feature = "http")]
mod http_reranker;
#[cfg(feature = "local")]
mod local;
mod memory;
mod memory_providers;
mod messages;
#[cfg(feature = "http")]
mod openai;
mod prompt;
mod provider_address;
mod providers;
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
pub use fallback::FallbackCompleter;
#[cfg(feature = "http")]
pub use http_reranker::{HttpReranker, RerankerSettings};
#[cfg(feature = "local")]
pub use local::{LocalEmbedder, LocalModelError};
pub use memory::{MemoryCompleter, MemoryEmbedder, MemoryReranker};
pub use memory_providers::{MemoryProviders, OpenedModel};
#[cfg(feature = "http")]
pub use openai::{
    CompletionDeadlines, KeyHeader, MaxTokensField, OpenAiCompleter, OpenAiEmbedder, OpenAiProviders,
    OpenAiSettings,
};
pub use prompt::{Budget, Grounding, Passage, PastMessage, Prompt, Sampling, Task};
pub use provider_address::{ChosenBy, InvalidBaseUrl, ProviderAddress};
pub use providers::Providers;
pub use reranker::Reranker;
pub use tokens::estimate_tokens;
