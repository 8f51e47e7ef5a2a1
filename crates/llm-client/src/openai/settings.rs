use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use tenantry_domain::Dimension;
use tenantry_http_client::Trust;
use url::Url;

/// How to reach a provider that speaks OpenAI's protocol, and what to ask it for.
#[derive(Clone)]
pub struct OpenAiSettings {
    /// What the endpoints stand below, as `https://api.openai.com/v1`; its path and query are kept.
    pub base_url: Url,
    /// The key; compatible servers often need none.
    pub api_key: Option<SecretString>,
    /// The header that carries the key.
    pub key_header: KeyHeader,
    /// Who chose the URL.
    pub trust: Trust,
    /// The model that answers.
    pub chat_model: String,
    /// The model that embeds.
    pub embedding_model: String,
    /// Asks for embeddings of that length, which only some models can give.
    pub dimensions: Option<Dimension>,
    /// The longest answer in tokens.
    pub max_answer_tokens: Option<u32>,
    /// The field that carries it.
    pub max_tokens_field: MaxTokensField,
    /// From 0 to 2; sent only when set, because reasoning models refuse any.
    pub temperature: Option<f32>,
    /// How long an answer may take.
    pub deadlines: CompletionDeadlines,
    /// The longest silence of the provider while it embeds; it may take twice as long to begin.
    pub patience: Duration,
}

/// How long an answer may take. A token is a piece of the text or of what a reasoning model thinks before it; comments that
/// keep a connection alive and chunks without words are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletionDeadlines {
    /// From the request to the first token, all attempts and pauses together.
    pub first_token: Duration,
    /// From one token to the next, and to the end.
    pub between_tokens: Duration,
    /// For all of it.
    pub total: Duration,
}

impl Default for CompletionDeadlines {
    /// 30 s to the first token, 30 s between tokens, 10 min in total.
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(30),
            between_tokens: Duration::from_secs(30),
            total: Duration::from_mins(10),
        }
    }
}

/// The header that carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`, as OpenAI and most servers want it.
    #[default]
    Bearer,
    /// `api-key: KEY`, as Azure's classic endpoints want it.
    ApiKey,
}

/// The field that limits an answer's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaxTokensField {
    /// `max_completion_tokens`, which reasoning models insist on.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the only one that older compatible servers know.
    MaxTokens,
}

impl OpenAiSettings {
    /// A provider without a key, whose answers have no limit of ours; trusted as the operator's own choice.
    pub fn new(base_url: Url, chat_model: impl Into<String>, embedding_model: impl Into<String>) -> Self {
        Self {
            base_url,
            api_key: None,
            key_header: KeyHeader::default(),
            trust: Trust::Operator,
            chat_model: chat_model.into(),
            embedding_model: embedding_model.into(),
            dimensions: None,
            max_answer_tokens: None,
            max_tokens_field: MaxTokensField::default(),
            temperature: None,
            deadlines: CompletionDeadlines::default(),
            patience: Duration::from_mins(1),
        }
    }
}

impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiSettings")
            .field("host", &self.base_url.host_str())
            .field("has_api_key", &self.api_key.is_some())
            .field("chat_model", &self.chat_model)
            .field("embedding_model", &self.embedding_model)
            .finish_non_exhaustive()
    }
}
