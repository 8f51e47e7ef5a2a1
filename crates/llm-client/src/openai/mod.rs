//! OpenAI and the servers that speak its protocol.

mod batches;
mod chunks;
mod completer;
mod deadlines;
mod embedder;
mod messages;
mod providers;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tenantry_http_client::{
    Cancel, Deadlines, HttpError, Method, Request, Response, RetryPolicy, Retrying, StreamResponse, Transport,
};
use url::Url;

pub use self::completer::OpenAiCompleter;
pub use self::embedder::OpenAiEmbedder;
pub use self::providers::OpenAiProviders;
pub use self::settings::{CompletionDeadlines, KeyHeader, MaxTokensField, OpenAiSettings};
use crate::{LlmError, failure};

/// Sends JSON to the provider's endpoints and says why it did not work.
struct Client {
    transport: Retrying<Arc<dyn Transport>>,
    settings: OpenAiSettings,
}

/// As the official clients wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// 256 embeddings of 3,072 numbers as JSON text have about 10 MB.
const MAX_ANSWER: u64 = 32 << 20;

impl Client {
    fn new(transport: Arc<dyn Transport>, settings: OpenAiSettings) -> Self {
        let policy = RetryPolicy {
            leaves_hope: failure::leaves_hope,
            ..RetryPolicy::default()
        };
        Self {
            transport: Retrying::new(transport, policy),
            settings,
        }
    }

    /// Posts `body` and gives the answer to it, which has a good status.
    fn post(&self, path: &[&str], body: &impl Serialize, deadlines: Deadlines) -> Result<Response, LlmError> {
        let request = self.request(path, body, deadlines)?;
        let answer = self.transport.send(&request).map_err(failure::of_transport)?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(self.refusal(&answer))
        }
    }

    /// Posts `body` and gives the head of the answer to it, which has a good status.
    fn stream(
        &self,
        path: &[&str],
        body: &impl Serialize,
        deadlines: Deadlines,
        cancel: &Cancel,
    ) -> Result<StreamResponse, LlmError> {
        let mut request = self.request(path, body, deadlines)?;
        let usual = self.settings.deadlines;
        request.hurried = deadlines.first_byte < usual.first_token.min(usual.total);
        let answer = self
            .transport
            .stream(&request, cancel)
            .map_err(failure::of_transport)?;
        if answer.is_success() {
            return Ok(answer);
        }
        // Why it was refused is not waited for as long as an answer; that it was is known already.
        answer.patience.limit(deadlines.first_byte);
        let (status, headers) = (answer.status, answer.headers.clone());
        Err(match answer.whole() {
            Ok(answer) => self.refusal(&answer),
            Err(HttpError::Cancelled) => LlmError::Cancelled,
            Err(_) => self.refusal(&Response {
                status,
                headers,
                body: Vec::new(),
            }),
        })
    }

    fn request(
        &self,
        path: &[&str],
        body: &impl Serialize,
        deadlines: Deadlines,
    ) -> Result<Request, LlmError> {
        let OpenAiSettings {
            api_key,
            key_header,
            trust,
            ..
        } = &self.settings;
        let request = Request::new(Method::Post, self.endpoint(path)?, trust.clone())
            .deadlines(deadlines)
            .max_answer(MAX_ANSWER)
            // A completion is not the same twice, but until its first byte is passed on nobody has seen the first one.
            .idempotent()
            .json(body)
            .map_err(|error| LlmError::Refused(error.into()))?;
        Ok(match (api_key, key_header) {
            (None, _) => request,
            (Some(key), KeyHeader::Bearer) => request.secret_header("authorization", "Bearer ", key.clone()),
            (Some(key), KeyHeader::ApiKey) => request.secret_header("api-key", "", key.clone()),
        })
    }

    fn endpoint(&self, path: &[&str]) -> Result<Url, LlmError> {
        let mut url = self.settings.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| LlmError::Refused("the base url has no path".into()))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    fn refusal(&self, answer: &Response) -> LlmError {
        failure::of_answer(answer, self.settings.api_key.as_ref())
    }
}
