use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tenantry_domain::{Dimension, Embedding, EmbeddingModel};
use tenantry_http_client::{Deadlines, Transport};
use url::Url;

use super::batches::batches;
use super::wire::{EmbeddingAnswer, EmbeddingItem, EmbeddingRequest};
use super::{CONNECT, Client, OpenAiSettings};
use crate::{Embedded, Embedder, LlmError, embedder, failure};

/// Embeds texts by `POST /embeddings`, in requests of at most 256 texts and 600 kB; a request that the provider finds
/// too long is halved. Busy answers and failed connections are tried again twice.
pub struct OpenAiEmbedder {
    client: Client,
    /// The dimension of the first answer, where none was known before.
    learned: OnceLock<Dimension>,
}

const TOTAL: Duration = Duration::from_mins(2);

impl OpenAiEmbedder {
    /// An embedder that speaks to the provider through `transport`.
    pub fn new(transport: Arc<dyn Transport>, settings: OpenAiSettings) -> Self {
        Self {
            client: Client::new(transport, settings),
            learned: OnceLock::new(),
        }
    }

    fn embed_batch(&self, texts: &[&str], embedded: &mut Embedded) -> Result<(), LlmError> {
        let settings = &self.client.settings;
        let body = EmbeddingRequest {
            model: &settings.embedding_model,
            input: texts,
            encoding_format: "base64",
            dimensions: settings.dimensions.map(Dimension::get),
        };
        let deadlines = Deadlines {
            connect: CONNECT,
            // Nothing comes before the whole answer is ready.
            first_byte: settings.patience.saturating_mul(2),
            idle: settings.patience,
            total: TOTAL,
        };
        let answer = match self.client.post(&["embeddings"], &body, deadlines) {
            Err(LlmError::TooLong(_)) if texts.len() > 1 => {
                let (first, second) = texts.split_at(texts.len() / 2);
                self.embed_batch(first, embedded)?;
                return self.embed_batch(second, embedded);
            }
            answer => answer?,
        };
        let answer = serde_json::from_slice::<EmbeddingAnswer>(&answer.body)
            .map_err(|error| failure::of_json(&error))?;
        if let Some(error) = &answer.error {
            return Err(failure::of_error(error, settings.api_key.as_ref()));
        }
        for item in in_order(answer.data, texts.len())? {
            embedded.embeddings.push(self.accept(item.embedding.0)?);
        }
        let tokens = answer
            .usage
            .and_then(|usage| usage.total_tokens.or(usage.prompt_tokens));
        // Of several requests the sum is known only when every one of them was counted.
        embedded.tokens = embedded
            .tokens
            .zip(tokens)
            .map(|(sum, tokens)| sum.saturating_add(tokens));
        Ok(())
    }

    /// The dimension that is asked for, that the model is known to have, or that its first answer had.
    fn dimension(&self) -> Option<Dimension> {
        let settings = &self.client.settings;
        settings
            .dimensions
            .or_else(|| native(&settings.embedding_model))
            .or_else(|| self.learned.get().copied())
    }

    fn accept(&self, floats: Vec<f32>) -> Result<Embedding, LlmError> {
        let embedding = Embedding::new(floats).map_err(|error| LlmError::Protocol(error.into()))?;
        let dimension = embedding.dimension();
        let expected = self
            .dimension()
            .unwrap_or_else(|| *self.learned.get_or_init(|| dimension));
        if dimension == expected {
            Ok(embedding)
        } else {
            Err(LlmError::Protocol(
                format!("an embedding of {dimension} numbers instead of {expected}").into(),
            ))
        }
    }
}

/// Puts the items into the order of their texts, which their index names; without one they stand in it already.
fn in_order(mut items: Vec<EmbeddingItem>, texts: usize) -> Result<Vec<EmbeddingItem>, LlmError> {
    if items.len() != texts {
        return Err(LlmError::Protocol(
            format!("{} embeddings for {texts} texts", items.len()).into(),
        ));
    }
    if items.iter().all(|item| item.index.is_some()) {
        items.sort_by_key(|item| item.index);
        if !items.iter().enumerate().all(|(at, item)| item.index == Some(at)) {
            return Err(LlmError::Protocol(
                "the embeddings are not numbered from 0".into(),
            ));
        }
    }
    Ok(items)
}

impl Embedder for OpenAiEmbedder {
    fn identity(&self) -> EmbeddingModel {
        let settings = &self.client.settings;
        EmbeddingModel {
            provider: provider(&settings.base_url),
            name: settings.embedding_model.clone(),
            dimension: self.dimension(),
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        embedder::refuse_empty(texts)?;
        let mut embedded = Embedded {
            embeddings: Vec::with_capacity(texts.len()),
            tokens: Some(0),
        };
        for batch in batches(texts) {
            self.embed_batch(batch, &mut embedded)?;
        }
        Ok(embedded)
    }
}

/// Who answers at `base_url`: `openai`, or the host, with its port where that is not the scheme's own.
fn provider(base_url: &Url) -> String {
    match (base_url.host_str().unwrap_or_default(), base_url.port()) {
        ("api.openai.com", None) => "openai".to_owned(),
        (host, None) => host.to_owned(),
        (host, Some(port)) => format!("{host}:{port}"),
    }
}

/// The dimension of OpenAI's own models, unless another one is asked for.
fn native(model: &str) -> Option<Dimension> {
    let floats = match model {
        "text-embedding-3-small" | "text-embedding-ada-002" => 1536,
        "text-embedding-3-large" => 3072,
        _ => return None,
    };
    Dimension::new(floats).ok()
}

impl fmt::Debug for OpenAiEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiEmbedder")
            .field("settings", &self.client.settings)
            .finish_non_exhaustive()
    }
}
