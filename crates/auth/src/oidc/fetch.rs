use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tenantry_http_client::{Deadlines, HttpError, Method, RejectedUrl, Request, Transport, Trust};
use url::{Origin, Url};

use super::RejectedIssuer;
use super::jwk::{self, Jwk};

/// The largest discovery document and key set in bytes.
const MAX_ANSWER: u64 = 256 << 10;
/// The longest issuer.
const MAX_ISSUER_BYTES: usize = 500;
/// A request waits while keys are fetched, which takes two calls.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_secs(3),
    idle: Duration::from_secs(2),
    total: Duration::from_secs(3),
};

/// Why an issuer's keys were not fetched.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Issuer(#[from] RejectedIssuer),
    #[error("no answer came")]
    Transport(#[source] Arc<HttpError>),
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the discovery document is malformed")]
    Discovery,
    #[error("the discovery document names another issuer")]
    AnotherIssuer,
    #[error("the key set is malformed")]
    KeySet,
}

/// Fetches issuers' keys, under the rules for addresses that tenants choose.
pub(super) struct Fetcher {
    transport: Arc<dyn Transport>,
    allowed: Vec<Origin>,
}

impl Fetcher {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            allowed: Vec::new(),
        }
    }

    pub(super) fn allow(&mut self, origins: impl IntoIterator<Item = Origin>) {
        self.allowed.extend(origins);
    }

    pub(super) fn allowed(&self) -> &[Origin] {
        &self.allowed
    }

    /// Says whether this is an issuer that may be asked.
    pub(super) fn check(&self, issuer: &str) -> Result<(), RejectedIssuer> {
        if issuer.len() > MAX_ISSUER_BYTES {
            return Err(RejectedIssuer::TooLong);
        }
        // The parser drops blanks and turns a backslash round: what is called would be another text than what was checked.
        if !issuer
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return Err(RejectedIssuer::NotAUrl);
        }
        let url = Url::parse(issuer).map_err(|_| RejectedIssuer::NotAUrl)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RejectedIssuer::QueryOrFragment);
        }
        let permitted = self.trust(&url).permits(&url);
        permitted.map_err(|rejected| match rejected {
            RejectedUrl::NotHttps => RejectedIssuer::NotHttps,
            RejectedUrl::Credentials => RejectedIssuer::Credentials,
            RejectedUrl::NotPublic => RejectedIssuer::NotPublic,
            _ => RejectedIssuer::NotAUrl,
        })
    }

    /// The keys that the issuer publishes now.
    pub(super) fn keys(&self, issuer: &str) -> Result<Vec<Jwk>, FetchError> {
        self.check(issuer)?;
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let discovery = self.get(&format!("{base}/.well-known/openid-configuration"))?;
        let discovery: Map<String, Value> =
            serde_json::from_slice(&discovery).map_err(|_| FetchError::Discovery)?;
        // The metadata of OpenID Connect Discovery 1.0, section 3.
        let text = |name: &str| {
            discovery
                .get(name)
                .and_then(Value::as_str)
                .ok_or(FetchError::Discovery)
        };
        // Else whoever controls one path of a host could speak for the issuer of another.
        if text("issuer")? != issuer {
            return Err(FetchError::AnotherIssuer);
        }
        let set = self.get(text("jwks_uri")?)?;
        jwk::read_set(&set).ok_or(FetchError::KeySet)
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::Discovery)?;
        let trust = self.trust(&url);
        let request = Request::new(Method::Get, url, trust)
            .header("accept", "application/json")
            .deadlines(DEADLINES)
            .max_answer(MAX_ANSWER);
        let answer = self.transport.send(&request);
        let answer = answer.map_err(|error| FetchError::Transport(Arc::new(error)))?;
        if answer.is_success() {
            Ok(answer.body)
        } else {
            Err(FetchError::Status(answer.status))
        }
    }

    fn trust(&self, url: &Url) -> Trust {
        if self.allowed.contains(&url.origin()) {
            Trust::Operator
        } else {
            Trust::Public { domain: None }
        }
    }
}
