use std::fmt;

use secrecy::SecretString;
use url::Url;

use super::answers;
use super::reader::{Reader, token};
use super::variables::{
    OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_CHAT_MODEL, OPENAI_CHAT_MODELS, RERANK_API_KEY, RERANK_MODEL,
    RERANK_URL,
};

/// Where OpenAI itself answers.
const OPENAI: &str = "https://api.openai.com/v1";

/// A provider of models.
pub struct Provider {
    /// The root of its API.
    pub base_url: Url,
    /// Its key; a local server may need none.
    pub api_key: Option<SecretString>,
    /// The model that writes answers.
    pub chat_model: String,
    /// The models that tenants may choose, that one first.
    pub chat_models: Vec<String>,
}

/// A provider that reranks.
pub struct RerankProvider {
    /// The endpoint itself.
    pub url: Url,
    /// Its key; a local server may need none.
    pub api_key: Option<SecretString>,
    /// The model that ranks.
    pub model: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("base_url", &self.base_url.as_str())
            .field("has_api_key", &self.api_key.is_some())
            .field("chat_model", &self.chat_model)
            .field("chat_models", &self.chat_models)
            .finish()
    }
}

impl fmt::Debug for RerankProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RerankProvider")
            .field("url", &self.url.as_str())
            .field("has_api_key", &self.api_key.is_some())
            .field("model", &self.model)
            .finish()
    }
}

/// The provider, if a key or an address names one.
pub(super) fn provider(reader: &mut Reader<'_>) -> Option<Option<Provider>> {
    let api_key = reader.optional(&OPENAI_API_KEY, token);
    let base_url = reader.optional(&OPENAI_BASE_URL, operator_url);
    let chat_model = reader.value(&OPENAI_CHAT_MODEL, token);
    let usual = chat_model.clone().unwrap_or_default();
    let chat_models = reader.optional(&OPENAI_CHAT_MODELS, |more| answers::offered(&usual, more));
    let (api_key, base_url, chat_model) = (api_key?, base_url?, chat_model?);
    let chat_models = chat_models?.unwrap_or_else(|| vec![chat_model.clone()]);
    let base_url = match base_url {
        Some(url) => url,
        None if api_key.is_some() => Url::parse(OPENAI).ok()?,
        None => return Some(None),
    };
    Some(Some(Provider {
        base_url,
        api_key: api_key.map(SecretString::from),
        chat_model,
        chat_models,
    }))
}

/// The reranker, if an address names one.
pub(super) fn reranker(reader: &mut Reader<'_>) -> Option<Option<RerankProvider>> {
    let url = reader.optional(&RERANK_URL, operator_url);
    let model = reader.optional(&RERANK_MODEL, token);
    let api_key = reader.optional(&RERANK_API_KEY, token);
    match (url?, model?, api_key?) {
        (None, _, _) => Some(None),
        (Some(url), Some(model), api_key) => Some(Some(RerankProvider {
            url,
            api_key: api_key.map(SecretString::from),
            model,
        })),
        (Some(_), None, _) => {
            reader.problems.add(&RERANK_MODEL, "is not set");
            None
        }
    }
}

/// A URL that the operator may point anywhere.
pub(super) fn operator_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        Err("is neither http nor https")
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("carries credentials")
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("has a query or a fragment")
    } else {
        Ok(url)
    }
}
