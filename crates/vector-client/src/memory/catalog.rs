use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use secrecy::{ExposeSecret, SecretString};

use crate::{IndexCatalog, IndexDescription, VectorError};

/// Answers from scripted accounts: the indexes that each API key sees. Every other key is refused.
///
/// # Examples
/// ```
/// use tenantry_vector_client::{IndexCatalog, IndexDescription, MemoryIndexCatalog, Metric};
///
/// let docs = IndexDescription {
///     name: "docs".into(),
///     host: Some("docs-abc1234.svc.aped-4627-b74a.pinecone.io".into()),
///     dimension: Some(tenantry_domain::Dimension::new(384)?),
///     metric: Some(Metric::Cosine),
///     ready: true,
///     environment: Some("us-east-1-aws".into()),
/// };
/// let catalog = MemoryIndexCatalog::default().with_account("key-1", vec![docs.clone()]);
/// assert_eq!(catalog.index(&"key-1".into(), "docs")?, Some(docs));
/// assert_eq!(catalog.index(&"key-1".into(), "other")?, None);
/// assert!(catalog.indexes(&"key-2".into()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct MemoryIndexCatalog {
    accounts: RwLock<Vec<Account>>,
}

struct Account {
    key: SecretString,
    indexes: Vec<IndexDescription>,
}

impl MemoryIndexCatalog {
    /// Adds an account, or replaces that of the same key.
    #[must_use]
    pub fn with_account(self, key: impl Into<SecretString>, indexes: Vec<IndexDescription>) -> Self {
        self.set_account(key, indexes);
        self
    }

    /// Adds an account, or replaces that of the same key, while the catalog is in use.
    pub fn set_account(&self, key: impl Into<SecretString>, indexes: Vec<IndexDescription>) {
        let key = key.into();
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|account| !account.has_key(&key));
        accounts.push(Account { key, indexes });
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Account>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn has_key(&self, key: &SecretString) -> bool {
        self.key.expose_secret() == key.expose_secret()
    }
}

impl IndexCatalog for MemoryIndexCatalog {
    fn index(&self, api_key: &SecretString, name: &str) -> Result<Option<IndexDescription>, VectorError> {
        Ok(self
            .indexes(api_key)?
            .into_iter()
            .find(|index| index.name == name))
    }

    fn indexes(&self, api_key: &SecretString) -> Result<Vec<IndexDescription>, VectorError> {
        match self.read().iter().find(|account| account.has_key(api_key)) {
            Some(account) => Ok(account.indexes.clone()),
            None => Err(VectorError::Unauthorized("no account has that key".into())),
        }
    }
}

impl fmt::Debug for MemoryIndexCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryIndexCatalog")
            .field("accounts", &self.read().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, CatalogFixture};

    #[test]
    fn it_keeps_the_promises_of_an_index_catalog() {
        let fixture = CatalogFixture::default();
        let catalog =
            MemoryIndexCatalog::default().with_account(fixture.api_key.clone(), fixture.indexes.clone());
        conformance::index_catalog(&catalog, &fixture);
    }

    #[test]
    fn debug_shows_no_key() {
        let catalog = MemoryIndexCatalog::default().with_account("pcsk_secret", Vec::new());
        assert_eq!(format!("{catalog:?}"), "MemoryIndexCatalog { accounts: 1 }");
    }
}
