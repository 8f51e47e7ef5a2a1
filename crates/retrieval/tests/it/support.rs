//! One small world of memory parts, in which every use case can be tried.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::{KeyId, MemoryPasswordHasher, MemorySealer, PasswordPolicy};
use tenantry_domain::{
    AccessClaims, Cancellation, Clock, Dimension, Document, DocumentId, Job, ManualClock, RequestOrigin,
    Role, TenantId, TenantScope, Timestamp, User,
};
use tenantry_extraction::MemoryExtractor;
use tenantry_llm_client::Embedder;
use tenantry_retrieval::{
    AccountHolder, AccountParts, Accounts, Caller, Client, Collections, Credential, Embedders, IngestLimits,
    IngestOptions, IngestParts, Ingestor, Knowledge, LogIns, LoggedIn, LoginError, NewFile, NewTenant,
    NewUser, PineconeLookup, Reconciler, ResolveError, Resolver, Sessions, Settled, Superuser, Tenants,
    Throttle, Worked,
};
use tenantry_tenant_store::testing::FailingStore;
use tenantry_tenant_store::{MemoryStore, Settlement, Submitted, UserStore};
use tenantry_vector_client::testing::FailingVectorStore;
use tenantry_vector_client::{
    IndexCatalog, IndexDescription, MemoryIndexCatalog, MemoryRecordIndex, MemoryVectorStore, Metric,
    RecordIndex, RemoteStores, VectorError, VectorStore,
};

use crate::fate::{Fate, Fated};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long a session goes on at most.
pub(crate) const SESSION: Duration = Duration::from_hours(24 * 30);

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) fate: Arc<Fate>,
    pub(crate) store: Arc<FailingStore<MemoryStore>>,
    pub(crate) hasher: Arc<MemoryPasswordHasher>,
    pub(crate) sealer: Arc<MemorySealer>,
    pub(crate) catalog: Arc<Catalog>,
    /// The server's own vector store, behind scripted failures and behind fate.
    pub(crate) vectors: Arc<MemoryVectorStore>,
    pub(crate) local: Arc<FailingVectorStore>,
    pub(crate) remote: Arc<Remotes>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) account_parts: AccountParts,
    pub(crate) accounts: Accounts,
    pub(crate) log_ins: LogIns,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) tenants: Tenants,
    pub(crate) embedders: Arc<Embedders>,
    pub(crate) collections: Arc<Collections>,
    pub(crate) knowledge: Knowledge,
    pub(crate) root: Superuser,
}

impl World {
    /// A world whose documents are found by words alone.
    pub(crate) fn new() -> Self {
        Self::with_dimension(Some(3))
    }

    pub(crate) fn with_dimension(dimension: Option<usize>) -> Self {
        Self::build(dimension, Arc::default(), Embedders::none())
    }

    pub(crate) fn with_embedders(current: Arc<dyn Embedder>, others: Vec<Arc<dyn Embedder>>) -> Self {
        let fate = Arc::new(Fate::default());
        let current = Arc::new(Fated::new(current, fate.clone()));
        Self::build(None, fate, Embedders::new(Some(current), others))
    }

    fn build(dimension: Option<usize>, fate: Arc<Fate>, embedders: Embedders) -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(FailingStore::new(MemoryStore::new()));
        let hasher = Arc::new(MemoryPasswordHasher::new());
        let sealer = Arc::new(MemorySealer::new(KeyId::from_bytes([7; 8])));
        let catalog = Arc::new(Catalog::default());
        let vectors = Arc::new(MemoryVectorStore::default());
        let fated = Arc::new(Fated::new(vectors.clone(), fate.clone()));
        let local = Arc::new(FailingVectorStore::new(fated));
        let remote = Arc::new(Remotes::default());
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let lookup = PineconeLookup::new(catalog.clone(), dimension.map(|n| Dimension::new(n).unwrap()));
        let account_parts = AccountParts {
            users: store.clone(),
            sessions: store.clone(),
            audit: store.clone(),
            throttle: Arc::new(Throttle::new(store.clone(), clock.clone())),
            hasher: hasher.clone(),
            policy: PasswordPolicy::default(),
            resolver: resolver.clone(),
            clock: clock.clone(),
        };
        let sessions = Arc::new(Sessions::new(account_parts.clone(), SESSION));
        let accounts = Accounts::new(account_parts.clone());
        let tenants = Tenants::new(
            store.clone(),
            sealer.clone(),
            lookup.clone(),
            resolver.clone(),
            clock.clone(),
        );
        let embedders = Arc::new(embedders);
        let collections = Collections::new(local.clone(), store.clone(), embedders.clone(), clock.clone())
            .with_remote(remote.clone(), lookup, sealer.clone(), store.clone());
        let knowledge = Knowledge::new(
            store.clone(),
            store.clone(),
            store.clone(),
            IngestLimits::default(),
            clock.clone(),
        );
        Self {
            clock,
            fate,
            store,
            hasher,
            sealer,
            catalog,
            vectors,
            local,
            remote,
            resolver,
            log_ins: LogIns::new(account_parts.clone(), sessions.clone()),
            account_parts,
            sessions,
            accounts,
            tenants,
            embedders,
            collections: Arc::new(collections),
            knowledge,
            root: Superuser::operator(),
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
            role: Role::Member,
        };
        self.accounts.create(&self.root, new).unwrap()
    }

    /// The user as the store knows them now.
    pub(crate) fn as_now(&self, user: &User) -> User {
        self.store.inner().user(user.id).unwrap().unwrap()
    }

    /// Who comes in with a token of these claims.
    pub(crate) fn enter(&self, claims: &AccessClaims) -> Result<Caller, ResolveError> {
        let token = Credential::Token(claims.clone());
        self.resolver.caller(&token, &RequestOrigin::default())
    }

    /// Logs in from nowhere in particular.
    pub(crate) fn log_in(&self, email: &str, password: &str) -> Result<LoggedIn, LoginError> {
        self.log_ins.log_in(email, &password.into(), &Client::default())
    }

    /// The holder of an account who is logged in, as a request of theirs has it.
    pub(crate) fn holder(&self, logged_in: &LoggedIn) -> Result<AccountHolder, ResolveError> {
        let credential = Credential::Token(logged_in.claims());
        let caller = self.resolver.caller(&credential, &RequestOrigin::default())?;
        self.resolver.account_holder(&caller)
    }

    /// The parts of a worker, on the same stores but with the embedders given, as another server would have them.
    pub(crate) fn parts(&self) -> IngestParts {
        IngestParts {
            queue: self.store.clone(),
            documents: self.store.clone(),
            sources: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            usage: self.store.clone(),
            extractor: Arc::new(Fated::new(Arc::new(MemoryExtractor), self.fate.clone())),
            resolver: self.resolver.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn ingestor(&self) -> Ingestor {
        Ingestor::new(self.parts(), IngestOptions::default())
    }

    /// A worker whose turns end after `segments`.
    pub(crate) fn ingestor_with_slices(&self, segments: u32) -> Ingestor {
        let options = IngestOptions {
            slice_segments: segments,
            ..IngestOptions::default()
        };
        Ingestor::new(self.parts(), options)
    }

    pub(crate) fn reconciler(&self) -> Reconciler {
        Reconciler::new(
            self.store.clone(),
            self.store.clone(),
            self.store.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            self.store.clone(),
            self.clock.clone(),
        )
    }

    /// Hands a file in.
    pub(crate) fn submit(&self, tenant: &str, new: &NewFile, text: &str) -> Submitted {
        self.knowledge
            .submit(&self.scope(tenant), new, &mut text.as_bytes())
            .unwrap()
    }

    /// Hands a text in and does what there is to be done.
    pub(crate) fn ingest(&self, tenant: &str, title: &str, text: &str) -> Document {
        let submitted = self.submit(tenant, &titled(title), text);
        self.work();
        self.document(tenant, submitted.document.id)
    }

    /// Works until nothing is to be done now, and gives how each turn ended.
    pub(crate) fn work(&self) -> Vec<Settled> {
        work(&self.ingestor())
    }

    /// Works until nothing is to be done any more, however long that takes.
    pub(crate) fn finish(&self, ingestor: &Ingestor) {
        for _ in 0..400 {
            work(ingestor);
            self.clock.advance(Duration::from_secs(61));
        }
    }

    /// As [`World::finish`], for worlds where nothing waits for long.
    pub(crate) fn finish_quickly(&self) {
        let ingestor = self.ingestor();
        for _ in 0..12 {
            self.clock.advance(Duration::from_secs(301));
            work(&ingestor);
        }
    }

    pub(crate) fn document(&self, tenant: &str, id: DocumentId) -> Document {
        self.knowledge.document(&self.scope(tenant), id).unwrap().unwrap()
    }

    pub(crate) fn job(&self, tenant: &str, job: &Job) -> Job {
        self.knowledge.job(&self.scope(tenant), job.id).unwrap().unwrap()
    }

    pub(crate) fn later(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Takes turns until nothing is to be done now.
pub(crate) fn work(ingestor: &Ingestor) -> Vec<Settled> {
    let mut turns = Vec::new();
    while let Worked::Did { settled, .. } = ingestor.run_one(None, &Cancellation::new()).unwrap() {
        turns.push(settled);
    }
    turns
}

/// Takes one turn, which there must be.
pub(crate) fn turn(ingestor: &Ingestor) -> Settled {
    match ingestor.run_one(None, &Cancellation::new()).unwrap() {
        Worked::Did { settled, .. } => settled,
        Worked::Idle | Worked::Panicked { .. } => panic!("there was nothing to be done"),
    }
}

pub(crate) fn done() -> Settled {
    Settled::Given(Settlement::Done)
}

pub(crate) fn yielded() -> Settled {
    Settled::Given(Settlement::Yielded)
}

pub(crate) fn titled(title: &str) -> NewFile {
    NewFile {
        title: Some(title.into()),
        ..NewFile::default()
    }
}

/// A text of so many paragraphs of about 500 bytes, each with a word of its own.
pub(crate) fn long_text(paragraphs: u32, word: &str) -> String {
    use std::fmt::Write as _;
    (0..paragraphs).fold(String::new(), |mut text, n| {
        let filler = "Whoever brings a thing back late pays for it. ".repeat(10);
        write!(text, "Paragraph {word}{n}. {filler}\n\n").unwrap();
        text
    })
}

pub(crate) fn claims(user: &User) -> AccessClaims {
    AccessClaims {
        user: user.id,
        tenant: user.tenant.clone(),
        token_version: user.token_version,
        session: None,
    }
}

pub(crate) fn plain(id: &str) -> NewTenant {
    NewTenant {
        system_prompt: Some(format!("You speak for {id}.")),
        ..NewTenant::named(TenantId::parse(id).unwrap(), &format!("Tenant {id}"))
    }
}

pub(crate) fn with_key(id: &str, key: &str, index: Option<&str>) -> NewTenant {
    NewTenant {
        pinecone_api_key: Some(key.into()),
        pinecone_index: index.map(Into::into),
        ..plain(id)
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

    fn open_external(&self, _: &str, _: &SecretString) -> Result<Arc<dyn RecordIndex>, VectorError> {
        Ok(Arc::new(MemoryRecordIndex::default()))
    }
}

pub(crate) fn named(external_id: &str, title: &str) -> NewFile {
    NewFile {
        external_id: Some(external_id.into()),
        ..titled(title)
    }
}
