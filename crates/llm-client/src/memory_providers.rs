use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;

use crate::{ChosenBy, Completer, Embedder, InvalidBaseUrl, LlmError, ProviderAddress, Providers};

/// A model that was opened through [`MemoryProviders`]. It shows the key, for tests that tell keys apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedModel {
    /// The base URL.
    pub base_url: String,
    /// The key.
    pub api_key: Option<String>,
    /// Who chose the address.
    pub chosen_by: ChosenBy,
    /// The model's name.
    pub model: String,
}

/// Models by the host of their provider, for tests; what was opened is kept for assertions. Addresses of tenants must be `https`.
#[derive(Default)]
pub struct MemoryProviders {
    completers: HashMap<String, Arc<dyn Completer>>,
    embedders: HashMap<String, Arc<dyn Embedder>>,
    opened: Mutex<Vec<OpenedModel>>,
}

impl MemoryProviders {
    /// No provider at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `completer` be every chat model at `host`.
    #[must_use]
    pub fn with_completer(mut self, host: &str, completer: Arc<dyn Completer>) -> Self {
        self.completers.insert(host.to_owned(), completer);
        self
    }

    /// Lets `embedder` be every embedding model at `host`.
    #[must_use]
    pub fn with_embedder(mut self, host: &str, embedder: Arc<dyn Embedder>) -> Self {
        self.embedders.insert(host.to_owned(), embedder);
        self
    }

    /// What was opened so far, in the order it was.
    pub fn opened(&self) -> Vec<OpenedModel> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open<M: ?Sized>(
        &self,
        models: &HashMap<String, Arc<M>>,
        address: &ProviderAddress,
        model: &str,
    ) -> Result<Arc<M>, LlmError> {
        self.check(address)
            .map_err(|error| LlmError::Refused(error.into()))?;
        let opened = OpenedModel {
            base_url: address.base_url().to_string(),
            api_key: address.api_key().map(|key| key.expose_secret().to_owned()),
            chosen_by: address.chosen_by(),
            model: model.to_owned(),
        };
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(opened);
        let host = address.base_url().host_str().unwrap_or_default();
        let there = models.get(host).cloned();
        there.ok_or_else(|| LlmError::Unavailable("no such provider is in the script".into()))
    }
}

impl Providers for MemoryProviders {
    fn check(&self, address: &ProviderAddress) -> Result<(), InvalidBaseUrl> {
        match address.chosen_by() {
            ChosenBy::Tenant if address.base_url().scheme() != "https" => Err(InvalidBaseUrl::NotHttps),
            ChosenBy::Tenant | ChosenBy::Operator => Ok(()),
        }
    }

    fn completer(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Completer>, LlmError> {
        self.open(&self.completers, address, model)
    }

    fn embedder(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Embedder>, LlmError> {
        self.open(&self.embedders, address, model)
    }
}

impl fmt::Debug for MemoryProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryProviders")
            .field("opened", &self.opened().len())
            .finish_non_exhaustive()
    }
}
