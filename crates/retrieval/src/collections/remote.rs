use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{Clock, Sealed, TenantId, TenantScope};
use tenantry_tenant_store::{TenantChange, TenantStore};
use tenantry_vector_client::{RecordIndex, RemoteStores, VectorError, VectorStore};

use super::CollectionError;
use crate::tenants::is_anothers;
use crate::{PineconeCheck, PineconeLookup};

/// How many opened stores are kept, of either kind.
const MAX_OPEN: usize = 1_024;

/// What opening a tenant's own index needs.
pub(super) struct Remote {
    services: Arc<dyn RemoteStores>,
    lookup: PineconeLookup,
    sealer: Arc<dyn Sealer>,
    tenants: Arc<dyn TenantStore>,
    clock: Arc<dyn Clock>,
    stores: Mutex<Opened<dyn VectorStore>>,
    records: Mutex<Opened<dyn RecordIndex>>,
}

impl Remote {
    pub(super) fn new(
        services: Arc<dyn RemoteStores>,
        lookup: PineconeLookup,
        sealer: Arc<dyn Sealer>,
        tenants: Arc<dyn TenantStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            services,
            lookup,
            sealer,
            tenants,
            clock,
            stores: Mutex::default(),
            records: Mutex::default(),
        }
    }

    /// The store that the tenant's key opens.
    pub(super) fn store(
        &self,
        scope: &TenantScope,
        sealed: &Sealed,
    ) -> Result<Arc<dyn VectorStore>, CollectionError> {
        self.open(scope, sealed, &self.stores, |host, key| {
            self.services.open(host, key)
        })
    }

    /// The index that the tenant's key opens, as another tool filled it; refused when `namespace` is what another tenant's own
    /// chunks are in.
    pub(super) fn records(
        &self,
        scope: &TenantScope,
        sealed: &Sealed,
        namespace: &str,
    ) -> Result<Arc<dyn RecordIndex>, CollectionError> {
        let host = scope.tenant().pinecone.host.as_deref();
        if is_anothers(self.tenants.as_ref(), scope.id(), host, namespace)? {
            let problem = "the namespace to be read is another tenant's own";
            return Err(VectorError::Refused(problem.into()).into());
        }
        self.open(scope, sealed, &self.records, |host, key| {
            self.services.open_external(host, key)
        })
    }

    fn open<T: ?Sized>(
        &self,
        scope: &TenantScope,
        sealed: &Sealed,
        opened: &Mutex<Opened<T>>,
        open: impl FnOnce(&str, &SecretString) -> Result<Arc<T>, VectorError>,
    ) -> Result<Arc<T>, CollectionError> {
        let settings = &scope.tenant().pinecone;
        let name = |host| Name {
            tenant: scope.id().clone(),
            sealed: sealed.clone(),
            host,
        };
        let known = settings.host.clone().map(name);
        if let Some(found) = known.as_ref().and_then(|name| lock(opened).find(name)) {
            return Ok(found);
        }
        let key = self.sealer.open(Field::pinecone_api_key(scope.id()), sealed)?;
        let host = match &settings.host {
            Some(host) => host.clone(),
            None => self.finish_check(scope, &key)?,
        };
        let found = open(&host, &key)?;
        lock(opened).keep(name(host), found.clone());
        Ok(found)
    }

    /// Makes the check that was pending when the tenant was saved, and keeps its result.
    fn finish_check(&self, scope: &TenantScope, key: &SecretString) -> Result<String, CollectionError> {
        let settings = &scope.tenant().pinecone;
        let model = scope.tenant().chat.embedding_model.as_deref();
        let lookup = self.lookup.of_model(model);
        match lookup.check(key, settings.index.as_deref(), settings.environment.as_deref())? {
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
}

fn lock<T: ?Sized>(opened: &Mutex<Opened<T>>) -> MutexGuard<'_, Opened<T>> {
    opened.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an open store is remembered by. With the ciphertext in it a changed key is never served from memory, on any
/// server; with the tenant in it, one that was copied into another tenant's row is opened there, which fails.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    tenant: TenantId,
    sealed: Sealed,
    host: String,
}

struct Opened<T: ?Sized> {
    by_name: HashMap<Name, Arc<T>>,
    oldest_first: VecDeque<Name>,
}

impl<T: ?Sized> Default for Opened<T> {
    fn default() -> Self {
        Self {
            by_name: HashMap::new(),
            oldest_first: VecDeque::new(),
        }
    }
}

impl<T: ?Sized> Opened<T> {
    fn find(&self, name: &Name) -> Option<Arc<T>> {
        self.by_name.get(name).cloned()
    }

    fn keep(&mut self, name: Name, opened: Arc<T>) {
        if self.by_name.insert(name.clone(), opened).is_none() {
            self.oldest_first.push_back(name);
        }
        if self.by_name.len() > MAX_OPEN
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_name.remove(&oldest);
        }
    }
}
