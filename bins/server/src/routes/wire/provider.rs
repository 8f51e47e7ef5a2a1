use serde::{Deserialize, Serialize};
use tenantry_domain::LlmProvider;
use tenantry_retrieval::ProviderUpdate;
use utoipa::ToSchema;

use super::Secret;
use crate::extract::present;

/// A tenant's own provider of models. Its key is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LlmProvider)]
pub(in crate::routes) struct ProviderView {
    /// What its endpoints stand below.
    #[schema(example = "https://llm.example.org/v1")]
    base_url: String,
    /// Whether there is a key for it.
    has_api_key: bool,
    /// The last four characters of that key, where it is long enough to spare them.
    api_key_last_four: Option<String>,
}

impl From<LlmProvider> for ProviderView {
    fn from(provider: LlmProvider) -> Self {
        Self {
            base_url: provider.base_url,
            has_api_key: provider.api_key.is_some(),
            api_key_last_four: provider
                .api_key
                .map(|key| key.last_four)
                .filter(|last_four| !last_four.is_empty()),
        }
    }
}

/// A tenant's own provider of models, or what to change of it: what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LlmProviderUpdate, example = json!({"base_url": "https://llm.example.org/v1", "api_key": "sk-..."}))]
pub(in crate::routes) struct ProviderBody {
    /// What its endpoints stand below: an `https://` URL that leads to a public host, or one that the operator allows. With another
    /// one the key is given again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    base_url: Option<String>,
    /// The API key; it is stored sealed and never shown. `null` for a server that needs none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = Password)]
    api_key: Option<Option<Secret>>,
}

impl From<ProviderBody> for ProviderUpdate {
    fn from(body: ProviderBody) -> Self {
        Self {
            base_url: body.base_url,
            api_key: body.api_key.map(|key| key.map(Secret::into_inner)),
        }
    }
}
