use std::fmt;
use std::sync::Arc;

use tenantry_http_client::{RejectedUrl, Transport, Trust};
use url::Origin;

use super::{OpenAiCompleter, OpenAiEmbedder, OpenAiSettings};
use crate::{ChosenBy, Completer, Embedder, InvalidBaseUrl, LlmError, ProviderAddress, Providers};

/// Opens models of providers that speak OpenAI's protocol. All of them share one transport, and with it its connections.
pub struct OpenAiProviders {
    transport: Arc<dyn Transport>,
    defaults: OpenAiSettings,
    allowed: Vec<Origin>,
}

impl OpenAiProviders {
    /// Providers that are spoken to through `transport`, each by `defaults` but for its address, key and model.
    pub fn new(transport: Arc<dyn Transport>, defaults: OpenAiSettings) -> Self {
        Self {
            transport,
            defaults,
            allowed: Vec::new(),
        }
    }

    /// Lets tenants choose addresses at these origins although they are not `https` or not public, as of a model server
    /// in the house.
    #[must_use]
    pub fn with_allowed_origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.allowed.extend(origins);
        self
    }

    fn trust(&self, address: &ProviderAddress) -> Trust {
        match address.chosen_by() {
            ChosenBy::Operator => Trust::Operator,
            ChosenBy::Tenant if self.allowed.contains(&address.origin()) => Trust::Operator,
            ChosenBy::Tenant => Trust::Public { domain: None },
        }
    }

    fn settings(&self, address: &ProviderAddress) -> Result<OpenAiSettings, LlmError> {
        self.check(address)
            .map_err(|error| LlmError::Refused(error.into()))?;
        Ok(OpenAiSettings {
            base_url: address.base_url().clone(),
            api_key: address.api_key().cloned(),
            trust: self.trust(address),
            ..self.defaults.clone()
        })
    }
}

impl Providers for OpenAiProviders {
    fn check(&self, address: &ProviderAddress) -> Result<(), InvalidBaseUrl> {
        let permitted = self.trust(address).permits(address.base_url());
        permitted.map_err(|rejected| match rejected {
            RejectedUrl::NotHttps => InvalidBaseUrl::NotHttps,
            RejectedUrl::Credentials => InvalidBaseUrl::Credentials,
            RejectedUrl::NotPublic => InvalidBaseUrl::NotPublic,
            _ => InvalidBaseUrl::NotAUrl,
        })
    }

    fn completer(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Completer>, LlmError> {
        let settings = OpenAiSettings {
            chat_model: model.to_owned(),
            ..self.settings(address)?
        };
        Ok(Arc::new(OpenAiCompleter::new(self.transport.clone(), settings)))
    }

    fn embedder(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Embedder>, LlmError> {
        let settings = OpenAiSettings {
            embedding_model: model.to_owned(),
            ..self.settings(address)?
        };
        Ok(Arc::new(OpenAiEmbedder::new(self.transport.clone(), settings)))
    }
}

impl fmt::Debug for OpenAiProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiProviders")
            .field("defaults", &self.defaults)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}
