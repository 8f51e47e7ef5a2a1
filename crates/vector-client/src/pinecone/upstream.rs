use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tenantry_http_client::{Deadlines, HttpError, Method, Request, Response, Transport, Trust};
use url::Url;

use super::fault;
use crate::VectorError;

/// One host of Pinecone's, called with one key.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) base: Url,
    pub(super) trust: Trust,
    pub(super) api_version: String,
    pub(super) api_key: SecretString,
}

/// A search is waited for by a person, so it does not get the half minute of the other calls.
pub(super) const SEARCH_DEADLINES: Deadlines = deadlines(10);
pub(super) const CALL_DEADLINES: Deadlines = deadlines(30);

const fn deadlines(seconds: u64) -> Deadlines {
    let all = Duration::from_secs(seconds);
    Deadlines {
        connect: Duration::from_secs(3),
        first_byte: all,
        idle: all,
        total: all,
    }
}

impl Upstream {
    /// A call of the path made of `segments` and the query made of `query`. All of Pinecone's calls may be sent twice:
    /// they read, or they write and delete by id.
    pub(super) fn request(&self, method: Method, segments: &[&str], query: &[(&str, &str)]) -> Request {
        let mut url = self.base.clone();
        // The base has a host, and then it has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Request::new(method, url, self.trust.clone())
            .secret_header("api-key", "", self.api_key.clone())
            .header("x-pinecone-api-version", self.api_version.as_str())
            .header("accept", "application/json")
            .deadlines(CALL_DEADLINES)
            .idempotent()
    }

    /// Sends `request`; an answer with a bad status is an answer.
    pub(super) fn send(&self, request: &Request) -> Result<Response, VectorError> {
        self.transport.send(request).map_err(|error| match error {
            HttpError::Url(_) | HttpError::Header(_) | HttpError::TooLarge { .. } => {
                VectorError::Refused(error.into())
            }
            _ => VectorError::Unavailable(error.into()),
        })
    }

    /// What a bad answer means.
    pub(super) fn fault(&self, response: &Response) -> VectorError {
        fault::of(response, &self.api_key)
    }

    /// Reads a good answer's body.
    pub(super) fn decode<T: DeserializeOwned>(&self, response: &Response) -> Result<T, VectorError> {
        if !response.is_success() {
            return Err(self.fault(response));
        }
        serde_json::from_slice(&response.body).map_err(|error| {
            // serde's own text may quote the answer.
            let place = format!("line {}, column {}", error.line(), error.column());
            VectorError::Unavailable(format!("the answer is not the expected JSON: {place}").into())
        })
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}
