//! A tenant's own provider of models: where it is, and the key for it.

use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{LlmProvider, SealedSecret, TenantId};
use tenantry_llm_client::{InvalidBaseUrl, ProviderAddress, Providers};

use super::{SaveTenantError, fields};
use crate::InvalidField;

const MAX_BASE_URL: usize = 1_000;

/// What to change of a tenant's own provider of models: `None` keeps a value.
#[derive(Debug, Clone, Default)]
pub struct ProviderUpdate {
    /// What its endpoints stand below: `https` to a public host, or at an origin that the operator allows. With another one the
    /// key has to be given again, because a stored key goes to no other address than the one that it was given for.
    pub base_url: Option<String>,
    /// The API key: 1 to 512 visible ASCII characters; `Some(None)` for a server that needs none.
    pub api_key: Option<Option<SecretString>>,
}

/// What tenants that bring their own provider need.
pub(super) struct OwnProviders {
    sealer: Arc<dyn Sealer>,
    providers: Arc<dyn Providers>,
}

impl OwnProviders {
    pub(super) fn new(sealer: Arc<dyn Sealer>, providers: Arc<dyn Providers>) -> Self {
        Self { sealer, providers }
    }

    /// The provider that `update` makes of the one before.
    pub(super) fn changed(
        &self,
        id: &TenantId,
        before: Option<&LlmProvider>,
        update: &ProviderUpdate,
    ) -> Result<LlmProvider, SaveTenantError> {
        let base_url = match (&update.base_url, before) {
            (Some(text), _) => self.base_url(text)?,
            (None, Some(before)) => before.base_url.clone(),
            (None, None) => return Err(InvalidField::new("llm_provider.base_url", "is missing").into()),
        };
        let kept = before.and_then(|before| before.api_key.as_ref());
        let moved = before.is_some_and(|before| before.base_url != base_url);
        let api_key = match (&update.api_key, kept) {
            (Some(key), _) => key.as_ref().map(|key| self.seal(id, key)).transpose()?,
            (None, Some(_)) if moved => {
                let reason = "has to be given again, or as `null`, with another base URL: \
                              a stored key is sent to no other address";
                return Err(InvalidField::new("llm_provider.api_key", reason).into());
            }
            (None, kept) => kept.cloned(),
        };
        Ok(LlmProvider { base_url, api_key })
    }

    fn base_url(&self, text: &str) -> Result<String, InvalidField> {
        let refused = |reason| InvalidField::new("llm_provider.base_url", reason);
        if text.len() > MAX_BASE_URL {
            return Err(refused("has more than 1000 bytes"));
        }
        let address = ProviderAddress::of_tenant(text, None);
        let address = address.and_then(|address| self.providers.check(&address).map(|()| address));
        let address = address.map_err(|wrong| refused(reason(wrong)))?;
        Ok(address.base_url().to_string())
    }

    fn seal(&self, id: &TenantId, key: &SecretString) -> Result<SealedSecret, SaveTenantError> {
        let key = fields::api_key("llm_provider.api_key", key)?;
        Ok(SealedSecret {
            sealed: self.sealer.seal(Field::llm_api_key(id), key)?,
            last_four: fields::last_four(key),
        })
    }
}

/// What is wrong with a base URL, to be read after the field's name.
fn reason(wrong: InvalidBaseUrl) -> &'static str {
    match wrong {
        InvalidBaseUrl::NotAUrl => "is no URL as `https://llm.example.org/v1`",
        InvalidBaseUrl::NotHttps => "does not begin with `https://`",
        InvalidBaseUrl::Credentials => "carries credentials: the key has a field of its own",
        InvalidBaseUrl::Query => "has a query or a fragment",
        InvalidBaseUrl::NotPublic => "does not lead to a public address",
        _ => "cannot be used",
    }
}
