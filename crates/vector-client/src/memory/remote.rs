use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::MemoryVectorStore;
use crate::remote::check_key;
use crate::{RemoteStores, VectorError, VectorStore};

/// One store in memory for each host; any key opens any of them.
///
/// # Examples
/// ```
/// use tenantry_vector_client::{MemoryRemoteStores, RemoteStores};
///
/// let service = MemoryRemoteStores::default();
/// assert!(service.open("docs-abc1234.example", &"pcsk_1".into()).is_ok());
/// assert!(service.open("docs-abc1234.example", &"no key".into()).is_err());
/// ```
#[derive(Debug, Default)]
pub struct MemoryRemoteStores {
    stores: Mutex<HashMap<String, Arc<MemoryVectorStore>>>,
}

impl RemoteStores for MemoryRemoteStores {
    fn open(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError> {
        check_key(api_key)?;
        if host.is_empty() {
            return Err(VectorError::Refused("the host is empty".into()));
        }
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let store = stores.entry(host.to_owned()).or_default();
        Ok(store.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn it_keeps_the_promises_of_remote_stores() {
        conformance::remote_stores(
            &MemoryRemoteStores::default(),
            "docs-abc1234.example",
            &"pcsk_1".into(),
        );
    }
}
