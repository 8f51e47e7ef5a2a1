use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_http_client::Transport;

use super::{PineconeOptions, PineconeRecordIndex, PineconeStore};
use crate::{RecordIndex, RemoteStores, VectorError, VectorStore};

/// Opens tenants' own Pinecone indexes over one transport.
pub struct PineconeStores {
    transport: Arc<dyn Transport>,
    options: PineconeOptions,
}

impl PineconeStores {
    /// Stores that are reached through `transport`, which should retry: every request may be sent twice.
    pub fn new(transport: Arc<dyn Transport>, options: PineconeOptions) -> Self {
        Self { transport, options }
    }
}

impl RemoteStores for PineconeStores {
    fn open(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError> {
        let store = PineconeStore::connect(self.transport.clone(), &self.options, host, api_key.clone())?;
        Ok(Arc::new(store))
    }

    fn open_external(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn RecordIndex>, VectorError> {
        let records =
            PineconeRecordIndex::connect(self.transport.clone(), &self.options, host, api_key.clone())?;
        Ok(Arc::new(records))
    }
}

impl fmt::Debug for PineconeStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PineconeStores")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
