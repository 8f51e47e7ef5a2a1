use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use tenantry_http_client::Trust;
use url::Url;

/// How to reach a rerank endpoint, and what to ask it for.
#[derive(Clone)]
pub struct RerankerSettings {
    /// The endpoint itself, as `https://api.cohere.com/v2/rerank` or `http://127.0.0.1:8000/v1/rerank`.
    pub url: Url,
    /// The key, sent as `authorization: Bearer KEY`; a server of one's own often needs none.
    pub api_key: Option<SecretString>,
    /// The model that ranks.
    pub model: String,
    /// Who chose the URL.
    pub trust: Trust,
    /// The longest that one try may take; a search waits for it.
    pub patience: Duration,
}

impl RerankerSettings {
    /// A provider without a key that has ten seconds; trusted as the operator's own choice.
    pub fn new(url: Url, model: impl Into<String>) -> Self {
        Self {
            url,
            api_key: None,
            model: model.into(),
            trust: Trust::Operator,
            patience: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for RerankerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RerankerSettings")
            .field("host", &self.url.host_str())
            .field("has_api_key", &self.api_key.is_some())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
