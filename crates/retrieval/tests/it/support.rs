//! One small world of memory parts, in which every use case can be tried.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::{KeyId, MemoryPasswordHasher, MemorySealer, PasswordPolicy};
use tenantry_domain::{
    AccessClaims, Clock, Dimension, Document, ManualClock, MediaType, TenantId, TenantScope, Timestamp, User,
};
use tenantry_llm_client::{Completer, Embedder};
use tenantry_retrieval::{
    Accounts, Answers, Collections, Knowledge, NewTenant, NewText, NewUser, PineconeLookup, Resolver,
    Searcher, Superuser, Tenants,
};
use tenantry_tenant_store::MemoryStore;
use tenantry_tenant_store::testing::FailingStore;
use tenantry_vector_client::testing::FailingVectorStore;
use tenantry_vector_client::{
    IndexCatalog, IndexDescription, MemoryIndexCatalog, MemoryVectorStore, Metric, RemoteStores, VectorError,
    VectorStore,
};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<FailingStore<MemoryStore>>,
    pub(crate) hasher: Arc<MemoryPasswordHasher>,
    pub(crate) sealer: Arc<MemorySealer>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) local: Arc<FailingVectorStore>,
    pub(crate) remote: Arc<Remotes>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) accounts: Accounts,
    pub(crate) tenants: Tenants,
    pub(crate) collections: Arc<Collections>,
    pub(crate) root: Superuser,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_dimension(Some(3))
    }

    pub(crate) fn with_dimension(dimension: Option<usize>) -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(FailingStore::new(MemoryStore::new()));
        let hasher = Arc::new(MemoryPasswordHasher::new());
        let sealer = Arc::new(MemorySealer::new(KeyId::from_bytes([7; 8])));
        let catalog = Arc::new(Catalog::default());
        let local = Arc::new(FailingVectorStore::new(Arc::new(MemoryVectorStore::default())));
        let remote = Arc::new(Remotes::default());
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let lookup = PineconeLookup::new(catalog.clone(), dimension.map(|n| Dimension::new(n).unwrap()));
        let accounts = Accounts::new(
            store.clone(),
            hasher.clone(),
            PasswordPolicy::default(),
            resolver.clone(),
            clock.clone(),
        );
        let tenants = Tenants::new(
            store.clone(),
            sealer.clone(),
            lookup.clone(),
            resolver.clone(),
            clock.clone(),
        );
        let collections = Arc::new(Collections::new(
            local.clone(),
            remote.clone(),
            lookup,
            sealer.clone(),
            store.clone(),
            clock.clone(),
        ));
        let root = Superuser::operator();
        Self {
            clock,
            store,
            hasher,
            sealer,
            catalog,
            local,
            remote,
            resolver,
            accounts,
            tenants,
            collections,
            root,
        }
    }

    pub(crate) fn tenant(&self, id: &str) -> TenantId {
        let id = TenantId::parse(id).unwrap();
        self.tenants.create(&self.root, plain(id.as_str())).unwrap();
        id
    }

    pub(crate) fn scope(&self, id: &str) -> TenantScope {
        self.resolver
            .operator_scope(&self.root, &TenantId::parse(id).unwrap())
            .unwrap()
    }

    pub(crate) fn user(&self, email: &str, tenant: Option<&TenantId>) -> User {
        let new = NewUser {
            email: email.into(),
            password: PASSWORD.into(),
            is_superuser: false,
            tenant: tenant.cloned(),
        };
        self.accounts.create(&self.root, new).unwrap()
    }

    pub(crate) fn knowledge(&self, embedder: Option<Arc<dyn Embedder>>) -> Knowledge {
        Knowledge::new(
            self.store.clone(),
            self.collections.clone(),
            embedder,
            self.clock.clone(),
        )
    }

    pub(crate) fn searcher(&self, embedder: Option<Arc<dyn Embedder>>) -> Arc<Searcher> {
        Arc::new(Searcher::new(
            self.store.clone(),
            self.collections.clone(),
            embedder,
        ))
    }

    pub(crate) fn answers(&self, completer: Arc<dyn Completer>) -> Answers {
        Answers::new(self.searcher(None), completer)
    }

    pub(crate) fn ingest(&self, tenant: &str, title: &str, text: &str) -> Document {
        self.knowledge(None)
            .ingest(&self.scope(tenant), &note(title, text), &mut |_| {})
            .unwrap()
    }

    pub(crate) fn later(&self, millis: u64) {
        self.clock.advance(std::time::Duration::from_millis(millis));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn claims(user: &User) -> AccessClaims {
    AccessClaims {
        user: user.id,
        tenant: user.tenant.clone(),
        token_version: user.token_version,
    }
}

pub(crate) fn plain(id: &str) -> NewTenant {
    NewTenant {
        id: TenantId::parse(id).unwrap(),
        name: format!("Tenant {id}"),
        pinecone_environment: None,
        pinecone_index: None,
        pinecone_api_key: None,
        system_prompt: Some(format!("You speak for {id}.")),
    }
}

pub(crate) fn with_key(id: &str, key: &str, index: Option<&str>) -> NewTenant {
    NewTenant {
        pinecone_api_key: Some(key.into()),
        pinecone_index: index.map(Into::into),
        ..plain(id)
    }
}

pub(crate) fn note(title: &str, text: &str) -> NewText {
    NewText {
        title: title.into(),
        media_type: MediaType::PlainText,
        text: text.into(),
    }
}

pub(crate) fn index(name: &str, dimension: usize) -> IndexDescription {
    IndexDescription {
        name: name.into(),
        host: Some(format!("{name}-abc.svc.pinecone.io")),
        dimension: Some(Dimension::new(dimension).unwrap()),
        metric: Some(Metric::Cosine),
        ready: true,
        environment: Some("us-east-1-aws".into()),
    }
}

/// A catalog that can be out of reach.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) accounts: MemoryIndexCatalog,
    pub(crate) down: Mutex<bool>,
}

impl Catalog {
    pub(crate) fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    fn reach(&self) -> Result<(), VectorError> {
        if *self.down.lock().unwrap() {
            Err(VectorError::Unavailable("scripted".into()))
        } else {
            Ok(())
        }
    }
}

impl IndexCatalog for Catalog {
    fn index(&self, key: &SecretString, name: &str) -> Result<Option<IndexDescription>, VectorError> {
        self.reach()?;
        self.accounts.index(key, name)
    }

    fn indexes(&self, key: &SecretString) -> Result<Vec<IndexDescription>, VectorError> {
        self.reach()?;
        self.accounts.indexes(key)
    }
}

/// Remote stores in memory, one for each host and key that was opened.
#[derive(Default)]
pub(crate) struct Remotes {
    pub(crate) opened: Mutex<Vec<(String, String)>>,
    stores: Mutex<HashMap<String, Arc<MemoryVectorStore>>>,
}

impl RemoteStores for Remotes {
    fn open(&self, host: &str, key: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError> {
        self.opened
            .lock()
            .unwrap()
            .push((host.to_owned(), key.expose_secret().to_owned()));
        Ok(self
            .stores
            .lock()
            .unwrap()
            .entry(host.to_owned())
            .or_default()
            .clone())
    }
}
