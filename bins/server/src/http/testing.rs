//! The whole HTTP side on memory parts, for the tests of this crate.

mod body;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tenantry_auth::{Lifetime, MemoryIdentities, MemoryTokens};
use tenantry_crypto::{MemoryPasswordHasher, MemorySealer, PasswordPolicy};
use tenantry_domain::{AccessClaims, Cancellation, Dimension, ManualClock, Role, TenantId, Timestamp};
use tenantry_extraction::MemoryExtractor;
use tenantry_llm_client::{Completer, Embedder, ExtractiveCompleter, MemoryProviders, Providers, Reranker};
use tenantry_mail::MemoryMailer;
use tenantry_retrieval::{
    AccountParts, Accounts, ApiKeys, AuditLogs, Chat, ChatModels, ChatParts, Collections, Conversations,
    Embedders, Identities, IdentityGate, IngestLimits, IngestOptions, IngestParts, Ingestor, Knowledge,
    LogIns, NewTenant, NewUser, OfferedModels, Passwords, PineconeLookup, Prompts, Resets, Resolver,
    Searcher, Sessions, Superuser, TenantUsers, Tenants, Throttle, UsageReports, UserUpdate, Worked,
};
use tenantry_tenant_store::testing::{FailingStore, unavailable};
use tenantry_tenant_store::{MemoryStore, StoreError, TenantStore};
use tenantry_vector_client::testing::FailingVectorStore;
use tenantry_vector_client::{
    IndexDescription, MemoryIndexCatalog, MemoryRecordIndex, MemoryVectorStore, Metric, RecordIndex,
    RemoteStores, VectorError, VectorStore,
};

use crate::app::{App, Readiness};
use crate::http::{self, HttpSettings};
use crate::offload::{Class, Offload, Permits, Share, StreamCaps};
use crate::workers::Wake;

pub(crate) use body::{next, until};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// A Pinecone key that the catalog knows, with one index named `docs`.
pub(crate) const PINECONE_KEY: &str = "pcsk_0123456789abcdef";

/// What a test may choose.
pub(crate) struct Parts {
    pub(crate) completer: Arc<dyn Completer>,
    /// What tenants' own providers are.
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    pub(crate) reranker: Option<Arc<dyn Reranker>>,
    /// Whom the tokens of other issuers name.
    pub(crate) identities: Option<Arc<dyn IdentityGate>>,
    pub(crate) registration_open: bool,
    /// Of users and tenants whose settings do not say.
    pub(crate) stream_caps: StreamCaps,
    pub(crate) settings: HttpSettings,
}

/// Settings by which one answer may be under way, and none waits.
pub(crate) fn one_stream() -> HttpSettings {
    HttpSettings {
        permits: Permits {
            streams: 1,
            queue: 0,
            ..Permits::default()
        },
        ..HttpSettings::default()
    }
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            completer: Arc::new(ExtractiveCompleter),
            providers: Arc::new(MemoryProviders::default()),
            embedder: None,
            reranker: None,
            identities: None,
            registration_open: true,
            stream_caps: StreamCaps::default(),
            settings: HttpSettings::default(),
        }
    }
}

/// The use cases and what stands behind them.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) app: Arc<App>,
    pub(crate) settings: HttpSettings,
    pub(crate) store: Arc<FailingStore<MemoryStore>>,
    /// The vector store of tenants without a key.
    pub(crate) vectors: Arc<FailingVectorStore>,
    /// The vector store behind the one Pinecone index.
    pub(crate) pinecone: Arc<FailingVectorStore>,
    /// What another tool wrote into that index.
    pub(crate) records: Arc<MemoryRecordIndex>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mailer: Arc<MemoryMailer>,
    /// Other issuers of tokens.
    pub(crate) issuers: Arc<MemoryIdentities>,
    ingestor: Arc<Ingestor>,
}

struct Ready(Arc<FailingStore<MemoryStore>>);

impl Readiness for Ready {
    fn check(&self) -> Result<(), StoreError> {
        self.0.tenants(tenantry_domain::Page::default()).map(|_| ())
    }
}

struct OneRemote(Arc<FailingVectorStore>, Arc<MemoryRecordIndex>);

impl RemoteStores for OneRemote {
    fn open(&self, _: &str, _: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError> {
        Ok(self.0.clone())
    }

    fn open_external(&self, _: &str, _: &SecretString) -> Result<Arc<dyn RecordIndex>, VectorError> {
        Ok(self.1.clone())
    }
}

impl Backend {
    /// Tenants `acme` (member ada) and `globex` (member grace), the superuser root without a tenant, and nomad without one.
    pub(crate) fn new(parts: Parts) -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(FailingStore::new(MemoryStore::new()));
        let vectors = Arc::new(FailingVectorStore::new(Arc::new(MemoryVectorStore::default())));
        let pinecone = Arc::new(FailingVectorStore::new(Arc::new(MemoryVectorStore::default())));
        let records = Arc::new(MemoryRecordIndex::default());
        let resolver = Resolver::new(store.clone(), store.clone(), clock.clone());
        let resolver = Arc::new(resolver.with_api_keys(store.clone()));
        let sealer = Arc::new(MemorySealer::default());
        let lookup = PineconeLookup::new(Arc::new(catalog()), Some(Dimension::new(384).unwrap()));
        let embedders = Arc::new(Embedders::new(parts.embedder, Vec::new()));
        let remote = Arc::new(OneRemote(pinecone.clone(), records.clone()));
        let collections = Collections::new(vectors.clone(), store.clone(), embedders.clone(), clock.clone())
            .with_remote(remote, lookup.clone(), sealer.clone(), store.clone());
        let collections = Arc::new(collections);
        let tokens = Arc::new(MemoryTokens::new(
            clock.clone(),
            Lifetime::from_minutes(30).unwrap(),
        ));
        let (kept, now) = (|| store.clone(), || clock.clone());
        let searcher = Searcher::new(kept(), collections.clone(), embedders.clone(), parts.reranker);
        let searcher = Arc::new(searcher.counting(store.clone(), clock.clone()));
        let ingest = IngestParts {
            queue: store.clone(),
            documents: store.clone(),
            sources: store.clone(),
            collections,
            embedders,
            usage: store.clone(),
            extractor: Arc::new(MemoryExtractor),
            resolver: resolver.clone(),
            clock: clock.clone(),
        };
        let chat = ChatParts {
            searcher: searcher.clone(),
            models: Arc::new(
                ChatModels::fixed(parts.completer.clone()).with_own(parts.providers.clone(), sealer.clone()),
            ),
            messages: store.clone(),
            usage: store.clone(),
            clock: clock.clone(),
        };
        let accounts = accounts(&store, &resolver, &clock);
        let sessions = Arc::new(Sessions::new(accounts.clone(), Duration::from_hours(24 * 30)));
        let mailer = Arc::new(MemoryMailer::new());
        let issuers = Arc::new(MemoryIdentities::new(clock.clone()));
        let identity_providers = Arc::new(Identities::new(store.clone(), issuers.clone(), clock.clone()));
        let app = App {
            issuer: tokens.clone(),
            verifier: tokens,
            identities: parts.identities.unwrap_or_else(|| identity_providers.clone()),
            identity_providers,
            tenant_users: TenantUsers::new(accounts.clone()),
            log_ins: LogIns::new(accounts.clone(), sessions.clone()),
            passwords: Passwords::new(accounts.clone(), sessions.clone()),
            resets: Resets::new(
                accounts.clone(),
                Some(mailer.clone()),
                Some("https://rag.example.org".to_owned()),
            ),
            sessions,
            accounts: Accounts::new(accounts),
            api_keys: ApiKeys::new(store.clone(), resolver.clone(), clock.clone()),
            tenants: Tenants::new(kept(), sealer.clone(), lookup, resolver.clone(), now())
                .with_providers(sealer, parts.providers)
                .with_models(offered()),
            prompts: Prompts::new(store.clone(), store.clone(), resolver.clone(), clock.clone()),
            usage: UsageReports::new(store.clone(), clock.clone()),
            audit: AuditLogs::new(store.clone()),
            knowledge: Knowledge::new(kept(), kept(), kept(), IngestLimits::default(), now()),
            wake: Wake::default(),
            chat: Chat::new(chat),
            conversations: Conversations::new(store.clone(), store.clone(), clock.clone()),
            searcher,
            resolver,
            readiness: Arc::new(Ready(store.clone())),
            stream_caps: parts.stream_caps,
            registration_open: parts.registration_open,
        };
        let backend = Self {
            app: Arc::new(app),
            settings: parts.settings,
            store,
            vectors,
            pinecone,
            records,
            clock,
            mailer,
            issuers,
            ingestor: Arc::new(Ingestor::new(ingest, IngestOptions::default())),
        };
        backend.fill();
        backend
    }

    fn fill(&self) {
        let root = Superuser::operator();
        for id in ["acme", "globex"] {
            let new = NewTenant {
                system_prompt: Some(format!("the prompt of {id}")),
                ..NewTenant::named(id.parse().unwrap(), id)
            };
            self.app.tenants.create(&root, new).unwrap();
        }
        for (name, tenant) in [
            ("ada", Some("acme")),
            ("grace", Some("globex")),
            ("nomad", None),
            ("root", None),
        ] {
            let new = NewUser {
                email: format!("{name}@example.org"),
                password: PASSWORD.into(),
                is_superuser: name == "root",
                tenant: tenant.map(|tenant| tenant.parse().unwrap()),
                role: Role::Member,
            };
            self.app.accounts.create(&root, new).unwrap();
        }
    }

    /// A token of the user of that name.
    pub(crate) fn token(&self, name: &str) -> String {
        let email = format!("{name}@example.org");
        let user = self
            .app
            .accounts
            .user_by_email(&Superuser::operator(), &email)
            .unwrap()
            .unwrap();
        let claims = AccessClaims {
            user: user.id,
            tenant: user.tenant,
            token_version: user.token_version,
            session: None,
        };
        self.app
            .issuer
            .issue(&claims)
            .unwrap()
            .token
            .expose_secret()
            .to_owned()
    }

    /// Makes the user of that name an admin of their tenant, or a member again.
    pub(crate) fn appoint(&self, name: &str, role: Role) {
        let (root, email) = (Superuser::operator(), format!("{name}@example.org"));
        let user = self.app.accounts.user_by_email(&root, &email).unwrap().unwrap();
        let update = UserUpdate {
            role: Some(role),
            ..UserUpdate::default()
        };
        self.app.accounts.update(&root, user.id, update).unwrap().unwrap();
    }

    /// Makes another user, of a tenant.
    pub(crate) fn hire(&self, name: &str, tenant: &str, is_superuser: bool) {
        let new = NewUser {
            email: format!("{name}@example.org"),
            password: PASSWORD.into(),
            is_superuser,
            tenant: Some(tenant.parse().unwrap()),
            role: Role::Member,
        };
        self.app.accounts.create(&Superuser::operator(), new).unwrap();
    }

    /// Has the user of that name belong to another tenant.
    pub(crate) fn transfer(&self, name: &str, tenant: &str) {
        let (root, email) = (Superuser::operator(), format!("{name}@example.org"));
        let user = self.app.accounts.user_by_email(&root, &email).unwrap().unwrap();
        let update = UserUpdate {
            tenant: Some(Some(tenant.parse().unwrap())),
            ..UserUpdate::default()
        };
        self.app.accounts.update(&root, user.id, update).unwrap().unwrap();
    }

    /// A bridge to the use cases.
    pub(crate) fn offload(&self) -> Offload {
        Offload::new(self.app.clone(), self.settings.permits).unwrap()
    }

    /// From now on no call reaches the store.
    pub(crate) fn fail_store(&self) {
        self.store.fail_when(|_| Some(unavailable()));
        self.app.resolver.forget();
    }

    pub(crate) fn heal_store(&self) {
        self.store.heal();
    }

    /// Does all jobs that there are to be done now.
    pub(crate) fn work(&self) {
        while !matches!(
            self.ingestor.run_one(None, &Cancellation::new()).unwrap(),
            Worked::Idle
        ) {}
    }
}

/// What accounts are made of.
fn accounts(
    store: &Arc<FailingStore<MemoryStore>>,
    resolver: &Arc<Resolver>,
    clock: &Arc<ManualClock>,
) -> AccountParts {
    AccountParts {
        users: store.clone(),
        sessions: store.clone(),
        audit: store.clone(),
        throttle: Arc::new(Throttle::new(store.clone(), clock.clone())),
        hasher: Arc::new(MemoryPasswordHasher::new()),
        policy: PasswordPolicy::default(),
        resolver: resolver.clone(),
        clock: clock.clone(),
    }
}

/// What tenants may choose of the server's models.
fn offered() -> OfferedModels {
    OfferedModels {
        chat: ["usual", "better"].map(str::to_owned).into(),
        embedding: ["hashed-words"].map(str::to_owned).into(),
    }
}

fn catalog() -> MemoryIndexCatalog {
    let docs = IndexDescription {
        name: "docs".into(),
        host: Some("docs-abc1234.svc.aped-4627-b74a.pinecone.io".into()),
        dimension: Some(Dimension::new(384).unwrap()),
        metric: Some(Metric::Cosine),
        ready: true,
        environment: Some("us-east-1-aws".into()),
    };
    let odd = IndexDescription {
        name: "odd".into(),
        metric: Some(Metric::Other("manhattan-upstream-text".into())),
        ..docs.clone()
    };
    let small = IndexDescription {
        name: "small".into(),
        dimension: Some(Dimension::new(8).unwrap()),
        ..docs.clone()
    };
    MemoryIndexCatalog::default()
        .with_account(PINECONE_KEY, vec![docs])
        .with_account("pcsk_with_odd_indexes", vec![odd, small])
}

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse>;

/// The stack and the routes over a [`Backend`], called without a socket.
pub(crate) struct Server {
    pub(crate) backend: Backend,
    pub(crate) offload: Offload,
    call: Box<Call>,
}

impl std::ops::Deref for Server {
    type Target = Backend;

    fn deref(&self) -> &Backend {
        &self.backend
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::with(Parts::default()).await
    }

    pub(crate) async fn with(parts: Parts) -> Self {
        Self::serving(parts, |_| {}).await
    }

    /// With routes that a test adds to ours.
    pub(crate) async fn serving(
        parts: Parts,
        add: impl Fn(&mut actix_web::web::ServiceConfig) + 'static,
    ) -> Self {
        let backend = Backend::new(parts);
        let offload = backend.offload();
        let service = http::service(&offload, &backend.settings);
        let both = move |config: &mut actix_web::web::ServiceConfig| {
            service(config);
            add(config);
        };
        let service = Rc::new(init_service(http::app(both, &backend.settings)).await);
        let call = move |request: TestRequest| -> LocalBoxFuture<'static, HttpResponse> {
            let service = service.clone();
            Box::pin(async move {
                let answer: Result<ServiceResponse<BoxBody>, _> = service.call(request.to_request()).await;
                answer.map_or_else(|error| error.error_response(), Into::into)
            })
        };
        Self {
            backend,
            offload,
            call: Box::new(call),
        }
    }

    /// Waits until no answer is under way.
    pub(crate) async fn drain_streams(&self) {
        self.offload.underway().ended().await;
        self.offload
            .drain(Class::Stream, self.settings.permits.streams)
            .await;
        assert_eq!(self.offload.seats().counted(), (0, 0));
    }

    /// Takes all the memory that documents of a tenant may have.
    pub(crate) async fn crowd_documents(&self, tenant: &str) -> Share {
        let tenant = TenantId::parse(tenant).unwrap();
        let all = self.settings.permits.document_bytes;
        self.offload.room(&tenant, all).await.unwrap()
    }

    /// How many watch jobs now.
    pub(crate) fn watchers(&self) -> usize {
        self.offload.watching(self.settings.permits.watchers)
    }

    /// Hands a text in as the user of that name, and gives the document once it can be found.
    pub(crate) async fn add(&self, name: &str, title: &str, text: &str) -> Value {
        let new = serde_json::json!({"title": title, "text": text});
        let job = self.submit(name, post("/documents", &new)).await;
        self.document(name, &job).await
    }

    /// Hands something in, has it taken in, and gives the job that did it.
    pub(crate) async fn submit(&self, name: &str, request: TestRequest) -> Value {
        let submitted = self.call_as(name, request).await;
        assert_eq!(submitted.status, 202, "{}", submitted.text());
        self.work();
        let job = format!("/jobs/{}", submitted.json()["id"].as_str().unwrap());
        let job = self.call_as(name, get(&job)).await.json();
        assert_eq!(job["state"], "done", "{job}");
        job
    }

    /// The document that a job works on.
    pub(crate) async fn document(&self, name: &str, job: &Value) -> Value {
        let path = format!("/documents/{}", job["document_id"].as_str().unwrap());
        let answer = self.call_as(name, get(&path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn call(&self, request: TestRequest) -> Answer {
        Answer::of((self.call)(request).await).await
    }

    /// The answer with its body still to be read.
    pub(crate) async fn begin(&self, request: TestRequest) -> HttpResponse {
        (self.call)(request).await
    }

    /// Calls as the user of that name.
    pub(crate) async fn call_as(&self, name: &str, request: TestRequest) -> Answer {
        self.call(bearer(request, &self.token(name))).await
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    async fn of(response: HttpResponse) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: to_bytes(response.into_body()).await.unwrap(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The error's code; the answer has to have the shape of one.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let error = json["error"]
            .as_object()
            .unwrap_or_else(|| panic!("no error: {json}"));
        let keys: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(keys, ["code", "message", "request_id"]);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(error["request_id"].as_str(), self.header("x-request-id"));
        error["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body without the request id, which differs from answer to answer.
    pub(crate) fn anonymous(&self) -> String {
        self.text().replace(self.header("x-request-id").unwrap(), "ID")
    }

    /// Asserts the code of an error at that path: `native`, or below `/v1` that of `OpenAI`.
    #[track_caller]
    pub(crate) fn is_of(&self, path: &str, native: &str, openai: &str) {
        if path.starts_with("/v1/") {
            assert_eq!(self.json()["error"]["code"], openai, "{path}: {}", self.text());
        } else {
            assert_eq!(self.code(), native, "{path}: {}", self.text());
        }
    }

    /// Asserts status and code of an error.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.text()
        );
    }
}

pub(crate) fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path)
}

pub(crate) fn delete(path: &str) -> TestRequest {
    get(path).method(Method::DELETE)
}

pub(crate) fn post(path: &str, body: &Value) -> TestRequest {
    get(path).method(Method::POST).set_json(body)
}

pub(crate) fn put(path: &str, body: &Value) -> TestRequest {
    get(path).method(Method::PUT).set_json(body)
}

pub(crate) fn form(path: &str, body: &str) -> TestRequest {
    raw(
        Method::POST,
        path,
        "application/x-www-form-urlencoded",
        body.as_bytes(),
    )
}

pub(crate) fn raw(method: Method, path: &str, content_type: &str, body: &[u8]) -> TestRequest {
    get(path)
        .method(method)
        .insert_header(("content-type", content_type))
        .set_payload(Bytes::copy_from_slice(body))
}

pub(crate) fn bearer(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {token}")))
}

thread_local! {
    static LINES: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Keeps our own lines of each thread.
struct Lines;

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("tenantry")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            LINES.with_borrow_mut(|lines| lines.push(line));
        }
    }

    fn flush(&self) {}
}

/// What is logged on this thread while `work` runs.
pub(crate) async fn logged(work: impl Future<Output = ()>) -> Vec<String> {
    // The first test to come sets it for all.
    let _ = log::set_logger(&Lines);
    log::set_max_level(log::LevelFilter::Info);
    LINES.take();
    work.await;
    LINES.take()
}
