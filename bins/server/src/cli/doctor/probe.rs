//! Short calls that show whether somebody is there, and takes the key.

use std::time::Duration;

use secrecy::SecretString;
use tenantry_http_client::{
    Cancel, Deadlines, HttpError, Method, Request, Response, StreamResponse, Transport, Trust, UreqTransport,
};
use url::Url;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is called.
pub(super) struct Upstream<'a> {
    pub(super) url: &'a Url,
    pub(super) trust: Trust,
    pub(super) key: Option<&'a SecretString>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It answers, and takes the key; with the models that it lists, where it does.
    Works(Option<Vec<String>>),
    /// It answers, and refuses the key, or misses one.
    Refuses(u16),
    /// It answers with another status.
    Fails(u16),
    /// It does not answer.
    Silent(String),
}

/// Makes every call a short one.
pub(super) struct Hurried(UreqTransport);

impl Hurried {
    pub(super) fn new() -> Self {
        Self(UreqTransport::new())
    }

    /// Has a provider of models list them, which costs nothing.
    pub(super) fn models(&self, upstream: &Upstream<'_>) -> Found {
        let request = Request::new(Method::Get, below(upstream.url, "models"), upstream.trust.clone());
        self.ask(upstream, request)
    }

    /// Asks for nothing in particular, without a key: whoever answers is there.
    pub(super) fn knock(&self, url: &Url) -> Found {
        match self.send(&Request::new(Method::Get, url.clone(), Trust::Operator)) {
            Ok(_) => Found::Works(None),
            Err(error) => Found::Silent(crate::logging::chain(&error)),
        }
    }

    /// Has a reranker rank one word.
    pub(super) fn rerank(&self, upstream: &Upstream<'_>, model: &str) -> Found {
        let body = serde_json::json!({ "model": model, "query": "a", "documents": ["a"], "top_n": 1 });
        match Request::new(Method::Post, upstream.url.clone(), upstream.trust.clone()).json(&body) {
            Ok(request) => self.ask(upstream, request),
            Err(error) => Found::Silent(error.to_string()),
        }
    }

    fn ask(&self, upstream: &Upstream<'_>, mut request: Request) -> Found {
        if let Some(key) = upstream.key {
            request = request.secret_header("authorization", "Bearer ", key.clone());
        }
        match self.send(&request) {
            Ok(answer) if answer.is_success() => Found::Works(listed(&answer.body)),
            Ok(answer) if matches!(answer.status, 401 | 403) => Found::Refuses(answer.status),
            Ok(answer) => Found::Fails(answer.status),
            Err(error) => Found::Silent(crate::logging::chain(&error)),
        }
    }
}

impl Transport for Hurried {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.0.send(&hurried(request))
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        self.0.stream(&hurried(request), cancel)
    }
}

fn hurried(request: &Request) -> Request {
    let deadlines = Deadlines {
        connect: PATIENCE,
        first_byte: PATIENCE,
        idle: PATIENCE,
        total: PATIENCE,
    };
    request.clone().deadlines(deadlines)
}

fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    // No `http` URL is without a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(name);
    }
    url
}

/// The ids of a list of models in OpenAI's form.
fn listed(body: &[u8]) -> Option<Vec<String>> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let names = body.get("data")?.as_array()?.iter();
    names
        .map(|model| model.get("id")?.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use tenantry_http_client::{Answer, StubServer};

    use super::*;

    #[test]
    fn an_upstream_is_called_below_its_base_with_its_key() {
        let stub = StubServer::start(|request| {
            if request.header("authorization") == Some("Bearer sk-0000") {
                Answer::json(
                    200,
                    &serde_json::json!({ "data": [{ "id": "gpt-5" }, { "id": "m" }] }),
                )
            } else {
                Answer::new(401)
            }
        });
        let (key, base) = (SecretString::from("sk-0000"), stub.url("/v1/"));
        let upstream = |key| Upstream {
            url: &base,
            trust: Trust::Operator,
            key,
        };
        let found = Hurried::new().models(&upstream(Some(&key)));
        assert_eq!(found, Found::Works(Some(vec!["gpt-5".into(), "m".into()])));
        assert_eq!(Hurried::new().models(&upstream(None)), Found::Refuses(401));
        assert_eq!(stub.requests()[0].target, "/v1/models");
    }

    #[test]
    fn nobody_there_is_told_without_the_key() {
        let base = Url::parse("http://127.0.0.1:9/v1").unwrap();
        let key = SecretString::from("sk-hunter2");
        let upstream = Upstream {
            url: &base,
            trust: Trust::Operator,
            key: Some(&key),
        };
        let Found::Silent(reason) = Hurried::new().models(&upstream) else {
            panic!("nobody listens there");
        };
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
