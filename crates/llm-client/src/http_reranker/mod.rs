//! The rerank endpoint that Cohere's second version, Jina, vLLM, llama.cpp and others have in common.

mod settings;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenantry_http_client::{Deadlines, Method, Request, RetryPolicy, Retrying, Transport};

pub use self::settings::RerankerSettings;
use self::wire::{RerankAnswer, RerankItem, RerankRequest};
use crate::{LlmError, Reranker, failure, reranker};

/// Ranks passages by one `POST` of at most 1,000 of them. Busy answers and failed connections are tried again twice.
pub struct HttpReranker {
    transport: Retrying<Arc<dyn Transport>>,
    settings: RerankerSettings,
}

/// Passages in one request; Voyage takes no more. Relevance of two requests is not always comparable, so that there is
/// never a second one.
const MAX_PASSAGES: usize = 1_000;
/// Bytes of passages in one request: far more than any model reads.
const MAX_BYTES: usize = 4 << 20;
/// Some servers send the passages back.
const MAX_ANSWER: u64 = 16 << 20;
const CONNECT: Duration = Duration::from_secs(5);

impl HttpReranker {
    /// A reranker that speaks to the provider through `transport`.
    pub fn new(transport: Arc<dyn Transport>, settings: RerankerSettings) -> Self {
        let policy = RetryPolicy {
            leaves_hope: failure::leaves_hope,
            ..RetryPolicy::default()
        };
        Self {
            transport: Retrying::new(transport, policy),
            settings,
        }
    }

    fn request(&self, query: &str, passages: &[&str]) -> Result<Request, LlmError> {
        let settings = &self.settings;
        let deadlines = Deadlines {
            connect: CONNECT,
            first_byte: settings.patience,
            idle: settings.patience,
            total: settings.patience,
        };
        let body = RerankRequest {
            model: &settings.model,
            query,
            documents: passages,
            top_n: passages.len(),
        };
        let request = Request::new(Method::Post, settings.url.clone(), settings.trust.clone())
            .deadlines(deadlines)
            .max_answer(MAX_ANSWER)
            .idempotent()
            .json(&body)
            .map_err(|error| LlmError::Refused(error.into()))?;
        Ok(match &settings.api_key {
            None => request,
            Some(key) => request.secret_header("authorization", "Bearer ", key.clone()),
        })
    }
}

impl Reranker for HttpReranker {
    fn model(&self) -> &str {
        &self.settings.model
    }

    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, LlmError> {
        reranker::refuse_empty(query)?;
        if passages.is_empty() {
            return Ok(Vec::new());
        }
        refuse_too_many(passages)?;
        let key = self.settings.api_key.as_ref();
        let request = self.request(query, passages)?;
        let answer = self.transport.send(&request).map_err(failure::of_transport)?;
        if !answer.is_success() {
            return Err(failure::of_answer(&answer, key));
        }
        let answer =
            serde_json::from_slice::<RerankAnswer>(&answer.body).map_err(|error| failure::of_json(&error))?;
        match &answer.error {
            Some(error) => Err(failure::of_error(error, key)),
            None => in_order(&answer.results, passages.len()),
        }
    }
}

fn refuse_too_many(passages: &[&str]) -> Result<(), LlmError> {
    let bytes = passages.iter().map(|passage| passage.len()).sum::<usize>();
    if passages.len() > MAX_PASSAGES || bytes > MAX_BYTES {
        return Err(LlmError::TooLong(
            format!(
                "{} passages of {bytes} bytes are ranked by no model",
                passages.len()
            )
            .into(),
        ));
    }
    Ok(())
}

/// Puts the relevances into the order of their passages, which their index names: one for each.
fn in_order(items: &[RerankItem], passages: usize) -> Result<Vec<f32>, LlmError> {
    let broken = |what: String| LlmError::Protocol(what.into());
    let mut relevances = vec![None; passages];
    for item in items {
        let Some(place) = relevances.get_mut(item.index) else {
            return Err(broken(format!("passage {} of {passages}", item.index)));
        };
        if !item.relevance_score.is_finite() {
            return Err(broken(format!("passage {} has no finite relevance", item.index)));
        }
        if place.replace(item.relevance_score).is_some() {
            return Err(broken(format!("passage {} is ranked twice", item.index)));
        }
    }
    let ranked: Option<Vec<f32>> = relevances.into_iter().collect();
    ranked.ok_or_else(|| broken(format!("{} relevances for {passages} passages", items.len())))
}

impl fmt::Debug for HttpReranker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpReranker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
