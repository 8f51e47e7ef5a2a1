use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use tenantry_crypto::{Field, OpenError, Sealer};
use tenantry_domain::{BoxError, Clock, Sealed, TenantId, TenantScope};
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore};
use tenantry_vector_client::{RemoteStores, VectorError, VectorStore};

use crate::{PineconeCheck, PineconeLookup, RejectedPinecone};

/// How many opened stores are kept.
const MAX_OPEN: usize = 1_024;

/// Why a tenant's vector store was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectionError {
    /// The tenant's sealed key does not open.
    #[error("the tenant's sealed key does not open")]
    SealedKey(#[from] OpenError),
    /// The tenant's Pinecone settings were saved unchecked and do not work.
    #[error(transparent)]
    Rejected(#[from] RejectedPinecone),
    /// The tenant's Pinecone settings are still to be checked, and Pinecone cannot be asked.
    #[error("the tenant's Pinecone settings could not be checked yet")]
    Pending,
    /// The store that the key belongs to could not be opened.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds the vector store of a tenant: its own Pinecone index when it has a key, else the server's.
pub struct Collections {
    local: Arc<dyn VectorStore>,
    pinecone: Option<Pinecone>,
}

/// What opening a tenant's own index needs.
struct Pinecone {
    stores: Arc<dyn RemoteStores>,
    lookup: PineconeLookup,
    sealer: Arc<dyn Sealer>,
    tenants: Arc<dyn TenantStore>,
    clock: Arc<dyn Clock>,
    open: Mutex<OpenStores>,
}

impl Collections {
    /// `local` for every tenant; one with a key of its own is refused.
    pub fn local(local: Arc<dyn VectorStore>) -> Self {
        Self {
            local,
            pinecone: None,
        }
    }

    /// `local` for tenants without a key, one of `stores` for those with one.
    pub fn new(
        local: Arc<dyn VectorStore>,
        stores: Arc<dyn RemoteStores>,
        lookup: PineconeLookup,
        sealer: Arc<dyn Sealer>,
        tenants: Arc<dyn TenantStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pinecone = Pinecone {
            stores,
            lookup,
            sealer,
            tenants,
            clock,
            open: Mutex::default(),
        };
        Self {
            local,
            pinecone: Some(pinecone),
        }
    }

    /// The vector store of the scope's tenant. A check that is still pending is made first.
    ///
    /// # Errors
    /// When the tenant's key does not open, its settings do not work or cannot be checked yet, or the host cannot be used.
    pub fn of(&self, scope: &TenantScope) -> Result<Arc<dyn VectorStore>, CollectionError> {
        match (&scope.tenant().pinecone.api_key, &self.pinecone) {
            (None, _) => Ok(self.local.clone()),
            (Some(key), Some(pinecone)) => pinecone.open(scope, &key.sealed),
            (Some(_), None) => {
                Err(VectorError::Refused(BoxError::from("tenants' own indexes are switched off")).into())
            }
        }
    }
}

impl Pinecone {
    fn open(&self, scope: &TenantScope, sealed: &Sealed) -> Result<Arc<dyn VectorStore>, CollectionError> {
        let settings = &scope.tenant().pinecone;
        let name = |host| StoreName {
            tenant: scope.id().clone(),
            sealed: sealed.clone(),
            host,
        };
        let known = settings.host.clone().map(name);
        if let Some(store) = known.as_ref().and_then(|name| self.lock().find(name)) {
            return Ok(store);
        }
        let key = self.sealer.open(Field::pinecone_api_key(scope.id()), sealed)?;
        let host = match &settings.host {
            Some(host) => host.clone(),
            None => self.finish_check(scope, &key)?,
        };
        let store = self.stores.open(&host, &key)?;
        self.lock().keep(name(host), store.clone());
        Ok(store)
    }

    /// Makes the check that was pending when the tenant was saved, and keeps its result.
    fn finish_check(&self, scope: &TenantScope, key: &SecretString) -> Result<String, CollectionError> {
        let settings = &scope.tenant().pinecone;
        match self
            .lookup
            .check(key, settings.index.as_deref(), settings.environment.as_deref())?
        {
            PineconeCheck::Verified { index, host, .. } => {
                let change = TenantChange {
                    pinecone_index: Some(Some(index)),
                    pinecone_host: Some(Some(host.clone())),
                    ..TenantChange::default()
                };
                self.tenants
                    .update_tenant(scope.id(), &change, self.clock.now())?;
                Ok(host)
            }
            PineconeCheck::Pending { .. } => Err(CollectionError::Pending),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, OpenStores> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Collections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collections").finish_non_exhaustive()
    }
}

/// What an open store is remembered by. With the ciphertext in it a changed key is never served from memory, on any
/// server; with the tenant in it, one that was copied into another tenant's row is opened there, which fails.
#[derive(Clone, PartialEq, Eq, Hash)]
struct StoreName {
    tenant: TenantId,
    sealed: Sealed,
    host: String,
}

#[derive(Default)]
struct OpenStores {
    stores: HashMap<StoreName, Arc<dyn VectorStore>>,
    oldest_first: VecDeque<StoreName>,
}

impl OpenStores {
    fn find(&self, name: &StoreName) -> Option<Arc<dyn VectorStore>> {
        self.stores.get(name).cloned()
    }

    fn keep(&mut self, name: StoreName, store: Arc<dyn VectorStore>) {
        if self.stores.insert(name.clone(), store).is_none() {
            self.oldest_first.push_back(name);
        }
        if self.stores.len() > MAX_OPEN
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.stores.remove(&oldest);
        }
    }
}
