use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;

use super::{MemoryRecordIndex, MemoryVectorStore};
use crate::remote::check_key;
use crate::{RecordIndex, RemoteStores, VectorError, VectorStore};

/// One store and one index of records in memory for each host; any key opens any of them.
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
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug, Default)]
struct Host {
    store: Arc<MemoryVectorStore>,
    records: Arc<MemoryRecordIndex>,
}

impl MemoryRemoteStores {
    /// The records at `host`, to be filled as another tool would.
    pub fn records(&self, host: &str) -> Arc<MemoryRecordIndex> {
        self.hosts().entry(host.to_owned()).or_default().records.clone()
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(host: &str, api_key: &SecretString) -> Result<(), VectorError> {
    check_key(api_key)?;
    if host.is_empty() {
        return Err(VectorError::Refused("the host is empty".into()));
    }
    Ok(())
}

impl RemoteStores for MemoryRemoteStores {
    fn open(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError> {
        check(host, api_key)?;
        Ok(self.hosts().entry(host.to_owned()).or_default().store.clone())
    }

    fn open_external(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn RecordIndex>, VectorError> {
        check(host, api_key)?;
        Ok(self.records(host))
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
