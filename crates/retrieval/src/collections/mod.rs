mod collection;
mod remote;

use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{OpenError, Sealer};
use tenantry_domain::{BoxError, Clock, Dimension, Generation, Index, TenantScope};
use tenantry_tenant_store::{IndexStore, StoreError, TenantStore};
use tenantry_vector_client::{HybridStore, RemoteStores, VectorError, VectorStore};

pub use collection::{Collection, ExternalCollection, OwnCollection};
use remote::Remote;

use crate::{Embedders, EmbeddingMismatch, PineconeLookup, RejectedPinecone};

/// Why a tenant's collection was not opened.
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
    /// Another tool fills the tenant's index, so that nothing is written to it.
    #[error("another tool fills the tenant's index, which is only read")]
    ReadOnly,
    /// The store that the key belongs to could not be opened.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds what holds a tenant's chunks: its own Pinecone index when it has a key, else the server's store.
pub struct Collections {
    local: Arc<dyn VectorStore>,
    indexes: Arc<dyn IndexStore>,
    embedders: Arc<Embedders>,
    clock: Arc<dyn Clock>,
    remote: Option<Remote>,
}

impl Collections {
    /// `local` for every tenant; one with a key of its own is refused. A tenant's first index is made by the one of
    /// `embedders` that its settings name, else by the current one.
    pub fn new(
        local: Arc<dyn VectorStore>,
        indexes: Arc<dyn IndexStore>,
        embedders: Arc<Embedders>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            local,
            indexes,
            embedders,
            clock,
            remote: None,
        }
    }

    /// The same, with one of `stores` for each tenant that has a key. The words of its documents are searched in the local
    /// store.
    #[must_use]
    pub fn with_remote(
        self,
        stores: Arc<dyn RemoteStores>,
        lookup: PineconeLookup,
        sealer: Arc<dyn Sealer>,
        tenants: Arc<dyn TenantStore>,
    ) -> Self {
        let remote = Remote::new(stores, lookup, sealer, tenants, self.clock.clone());
        Self {
            remote: Some(remote),
            ..self
        }
    }

    /// The collection of the scope's tenant. A check of its settings that is still pending is made first.
    ///
    /// # Errors
    /// When the tenant's key does not open, its settings do not work or cannot be checked yet, the host cannot be used, or the
    /// record store fails.
    pub fn of(&self, scope: &TenantScope) -> Result<Collection, CollectionError> {
        let pinecone = &scope.tenant().pinecone;
        let Some(key) = &pinecone.api_key else {
            return Ok(Collection::Own(self.open(scope, self.local.clone())?));
        };
        let remote = self
            .remote
            .as_ref()
            .ok_or_else(|| VectorError::Refused(BoxError::from("tenants' own indexes are switched off")))?;
        if let Some(settings) = &pinecone.external {
            let index = remote.records(scope, &key.sealed, &settings.namespace)?;
            return Ok(Collection::External(ExternalCollection::new(
                index,
                settings.clone(),
            )));
        }
        let dense = remote.store(scope, &key.sealed)?;
        let store = Arc::new(HybridStore::new(dense, self.local.clone()));
        Ok(Collection::Own(self.open(scope, store)?))
    }

    /// The collection of a tenant whose documents are kept here.
    ///
    /// # Errors
    /// [`CollectionError::ReadOnly`] when another tool fills it; else as [`Collections::of`].
    pub fn own(&self, scope: &TenantScope) -> Result<OwnCollection, CollectionError> {
        match self.of(scope)? {
            Collection::Own(own) => Ok(own),
            Collection::External(_) => Err(CollectionError::ReadOnly),
        }
    }

    /// What the server's own store has of the tenant, whatever the tenant's chunks are searched in now.
    pub(crate) fn here(&self, scope: &TenantScope) -> Result<OwnCollection, CollectionError> {
        self.open(scope, self.local.clone())
    }

    /// Removes what the tenant has in the server's own store and, if that is wanted, in its own Pinecone index, of those generations. An
    /// index that another tool fills is left alone.
    pub(crate) fn erase(
        &self,
        scope: &TenantScope,
        generations: &[Generation],
        with_remote: bool,
    ) -> Result<(), CollectionError> {
        let mut stores = vec![self.local.clone()];
        let pinecone = &scope.tenant().pinecone;
        // Without a host nothing was ever written there.
        if let (true, Some(key), Some(_), None) =
            (with_remote, &pinecone.api_key, &pinecone.host, &pinecone.external)
            && let Some(remote) = &self.remote
        {
            stores.push(remote.store(scope, &key.sealed)?);
        }
        for generation in generations {
            for store in &stores {
                store.clear(scope.index(*generation))?;
            }
        }
        Ok(())
    }

    /// Keeps the dimension of the vectors that an index has from now on.
    ///
    /// # Errors
    /// [`RecordError::Mismatch`] when the index has others.
    pub(crate) fn record_dimension(
        &self,
        scope: &TenantScope,
        index: &Index,
        dimension: Dimension,
    ) -> Result<(), RecordError> {
        let Some(model) = index
            .model
            .as_ref()
            .filter(|model| model.dimension != Some(dimension))
        else {
            return Ok(());
        };
        if model.dimension.is_none() && self.indexes.set_dimension(scope, index.generation, dimension)? {
            return Ok(());
        }
        let mut made = model.clone();
        made.dimension = Some(dimension);
        Err(RecordError::Mismatch(EmbeddingMismatch {
            index: model.clone(),
            configured: vec![made],
        }))
    }

    /// Where the tenants' indexes are kept in mind.
    pub(crate) fn records(&self) -> &dyn IndexStore {
        self.indexes.as_ref()
    }

    fn open(
        &self,
        scope: &TenantScope,
        store: Arc<dyn VectorStore>,
    ) -> Result<OwnCollection, CollectionError> {
        // An index that is there stays what it is. Where a first one is made for a tenant whose model is not configured, it has
        // words alone: no other model, which may be another provider's, sees its documents.
        let wanted = self.embedders.wanted(scope.tenant()).unwrap_or_default();
        let model = wanted.map(|embedder| embedder.identity());
        let indexes = self.indexes.indexes(scope, model.as_ref(), self.clock.now())?;
        let collection = OwnCollection::new(store, indexes);
        Ok(collection.ok_or_else(|| StoreError::Failed("the tenant has no live index".into()))?)
    }
}

/// Why an index's dimension was not kept.
#[derive(Debug)]
pub(crate) enum RecordError {
    Mismatch(EmbeddingMismatch),
    Store(StoreError),
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Debug for Collections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collections").finish_non_exhaustive()
    }
}
