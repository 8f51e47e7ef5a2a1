//! Which implementation stands behind each seam.

mod models;
mod ready;
mod vectors;

use std::sync::Arc;
use std::time::Duration;

use tenantry_auth::{JwtIssuer, JwtSettings, JwtVerifier, OidcVerifier};
use tenantry_crypto::{Argon2Hasher, KeyRing};
use tenantry_domain::Clock;
use tenantry_extraction::{Extractor, ProcessExtractor};
use tenantry_http_client::{BreakerPolicy, Breaking, RetryPolicy, Retrying, Transport, UreqTransport};
use tenantry_llm_client::{OpenAiProviders, Reranker};
use tenantry_mail::Mailer;
use tenantry_retrieval::{
    AccountParts, Accounts, ApiKeys, AuditLogs, Chat, ChatModels, ChatParts, Collections, Conversations,
    Embedders, Identities, IngestLimits, IngestOptions, IngestParts, Ingestor, Knowledge, LogIns, Passwords,
    PineconeLookup, Prompts, Reconciler, Reindexer, Resets, Resolver, Searcher, Sessions, TenantUsers,
    Tenants, Throttle, UsageReports,
};
use tenantry_tenant_store::SqlStore;
use tenantry_vector_client::{PineconeCatalog, PineconeStores, VectorError};

pub use models::ModelError;
use models::Models;
pub(crate) use models::embedders;
use ready::Ready;

use crate::app::App;
use crate::config::{Settings, Tokens};
use crate::offload::StreamCaps;
use crate::workers::Wake;

/// Who issues tokens and whom they are for: this server both times.
const ISSUER: &str = "tenantry";

/// How long the jobs of a killed server rest before another goes on with them. The clocks of servers that share jobs may differ
/// by less than that.
const LEASE: Duration = Duration::from_secs(30);

/// Why the use cases could not be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WiringError {
    /// The folder of the embedded vector store cannot be used.
    #[error("the vector store in DATA_DIR cannot be opened")]
    Embedded(#[source] VectorError),
    /// The database cannot keep vectors.
    #[error("VECTOR_STORE is pgvector, and the database of DATABASE_URL cannot be used for it")]
    PgVector(#[source] VectorError),
    /// A model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Every use case: those of requests, and those of the workers and the command line.
#[derive(Debug)]
pub struct Wired {
    /// What a request may use.
    pub app: App,
    /// The models that embed.
    pub embedders: Arc<Embedders>,
    /// Does the jobs on documents.
    pub ingestor: Arc<Ingestor>,
    /// Makes indexes equal to the records.
    pub reconciler: Arc<Reconciler>,
    /// Builds indexes anew.
    pub reindexer: Reindexer,
    /// Finds what holds a tenant's chunks.
    pub collections: Arc<Collections>,
}

/// Puts the use cases together from what is configured.
///
/// # Errors
/// When a part refuses its settings.
pub fn wire(
    settings: &Settings,
    store: &Arc<SqlStore>,
    keys: &Arc<KeyRing>,
    clock: Arc<dyn Clock>,
) -> Result<Wired, WiringError> {
    // Below what sends again, so that each attempt counts.
    let transport: Arc<dyn Transport> =
        Arc::new(Breaking::new(UreqTransport::new(), BreakerPolicy::default()));
    // The model clients send again themselves: they alone can tell a busy provider from a quota that is used up.
    let Models {
        embedders,
        chat,
        providers,
        reranker,
    } = models::models(settings, &transport, keys)?;
    let retrying: Arc<dyn Transport> = Arc::new(Retrying::new(transport, RetryPolicy::default()));
    let (stores, pinecone) = remote(settings, retrying, &embedders);
    let local = vectors::local(&settings.vector_store)?;
    let collections = Collections::new(local, store.clone(), embedders.clone(), clock.clone());
    let collections = collections.with_remote(stores, pinecone.clone(), keys.clone(), store.clone());
    let parts = Parts {
        settings,
        store,
        keys,
        collections: Arc::new(collections),
        embedders,
        resolver: Arc::new(
            Resolver::new(store.clone(), store.clone(), clock.clone()).with_api_keys(store.clone()),
        ),
        clock,
    };
    let (ingestor, reconciler, reindexer) = parts.background();
    let tenants = parts.tenants(pinecone, providers);
    Ok(Wired {
        app: parts.app(tenants, chat, reranker),
        collections: parts.collections,
        embedders: parts.embedders,
        ingestor,
        reconciler,
        reindexer,
    })
}

/// What opens tenants' own Pinecone indexes, and what looks at them before they are used.
fn remote(
    settings: &Settings,
    transport: Arc<dyn Transport>,
    embedders: &Arc<Embedders>,
) -> (Arc<PineconeStores>, PineconeLookup) {
    let catalog = Arc::new(PineconeCatalog::new(transport.clone(), settings.pinecone.clone()));
    let dimension = embedders.current_model().and_then(|model| model.dimension);
    let lookup = PineconeLookup::new(catalog, dimension).with_embedders(embedders.clone());
    let stores = PineconeStores::new(transport, settings.pinecone.clone());
    (Arc::new(stores), lookup)
}

/// What several use cases are made of.
struct Parts<'a> {
    settings: &'a Settings,
    store: &'a Arc<SqlStore>,
    keys: &'a Arc<KeyRing>,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl Parts<'_> {
    /// What works on documents beside the requests.
    fn background(&self) -> (Arc<Ingestor>, Arc<Reconciler>, Reindexer) {
        let store = self.store;
        let parts = IngestParts {
            queue: store.clone(),
            documents: store.clone(),
            sources: store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            usage: store.clone(),
            extractor: extractor(),
            resolver: self.resolver.clone(),
            clock: self.clock.clone(),
        };
        let reconciler = Arc::new(Reconciler::new(
            store.clone(),
            store.clone(),
            store.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            store.clone(),
            self.clock.clone(),
        ));
        let reindexer = Reindexer::new(
            reconciler.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            self.clock.clone(),
        );
        let options = IngestOptions {
            lease: LEASE,
            ..IngestOptions::default()
        };
        let ingestor = Arc::new(Ingestor::new(parts, options));
        (ingestor, reconciler, reindexer)
    }

    fn tenants(&self, pinecone: PineconeLookup, providers: Option<Arc<OpenAiProviders>>) -> Tenants {
        let tenants = Tenants::new(
            self.store.clone(),
            self.keys.clone(),
            pinecone,
            self.resolver.clone(),
            self.clock.clone(),
        );
        let tenants = tenants.with_models(models::offered(self.settings, &self.embedders));
        match providers {
            Some(providers) => tenants.with_providers(self.keys.clone(), providers),
            None => tenants,
        }
    }

    /// What answers questions.
    fn chat(&self, searcher: &Arc<Searcher>, models: ChatModels) -> Chat {
        Chat::new(ChatParts {
            searcher: searcher.clone(),
            models: Arc::new(models),
            messages: self.store.clone(),
            usage: self.store.clone(),
            clock: self.clock.clone(),
        })
    }

    /// What the use cases of accounts share.
    fn accounts(&self) -> AccountParts {
        AccountParts {
            users: self.store.clone(),
            sessions: self.store.clone(),
            audit: self.store.clone(),
            throttle: Arc::new(Throttle::new(self.store.clone(), self.clock.clone())),
            hasher: Arc::new(Argon2Hasher::default()),
            policy: self.settings.password_policy,
            resolver: self.resolver.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Whom the tokens of identity providers name.
    fn identities(&self) -> Arc<Identities> {
        // Neither what sends again nor what leaves a failing host alone: the verifier knows when to ask.
        let verifier = OidcVerifier::new(Arc::new(UreqTransport::new()), self.clock.clone());
        let allowed = self.settings.accounts.identity_origins.iter().cloned();
        let verifier = Arc::new(verifier.with_allowed_origins(allowed));
        Arc::new(Identities::new(self.store.clone(), verifier, self.clock.clone()))
    }

    /// What requests may use.
    fn app(&self, tenants: Tenants, models: ChatModels, reranker: Option<Arc<dyn Reranker>>) -> App {
        let (store, clock) = (|| self.store.clone(), || self.clock.clone());
        let searcher = Searcher::new(
            store(),
            self.collections.clone(),
            self.embedders.clone(),
            reranker,
        );
        let searcher = Arc::new(searcher.counting(store(), clock()));
        let (issuer, verifier) = tokens(&self.settings.tokens, &self.clock);
        let resolver = self.resolver.clone();
        let accounts = self.accounts();
        let settings = &self.settings.accounts;
        let sessions = Arc::new(Sessions::new(accounts.clone(), settings.session_lifetime));
        let identities = self.identities();
        let mailer = settings
            .mailer
            .clone()
            .map(|mailer| -> Arc<dyn Mailer> { mailer });
        App {
            issuer,
            verifier,
            identities: identities.clone(),
            identity_providers: identities,
            tenant_users: TenantUsers::new(accounts.clone()),
            log_ins: LogIns::new(accounts.clone(), sessions.clone()),
            passwords: Passwords::new(accounts.clone(), sessions.clone()),
            resets: Resets::new(accounts.clone(), mailer, settings.public_url.clone()),
            sessions,
            accounts: Accounts::new(accounts),
            api_keys: ApiKeys::new(store(), resolver.clone(), clock()),
            tenants,
            prompts: Prompts::new(store(), store(), resolver.clone(), clock()),
            usage: UsageReports::new(store(), clock()),
            audit: AuditLogs::new(store()),
            knowledge: Knowledge::new(store(), store(), store(), IngestLimits::default(), clock()),
            wake: Wake::default(),
            chat: self.chat(&searcher, models),
            conversations: Conversations::new(store(), store(), clock()),
            searcher,
            resolver,
            stream_caps: StreamCaps {
                per_user: self.settings.answers.streams_per_user,
                per_tenant: self.settings.answers.streams_per_tenant,
            },
            readiness: Arc::new(Ready::new(self.store, self.keys)),
            registration_open: self.settings.registration_open,
        }
    }
}

/// Reads files by `tenantry extract`, in a process of its own for each.
fn extractor() -> Arc<dyn Extractor> {
    // On Linux the link leads to this very program, also when its file was replaced by another version meanwhile.
    let program = if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    };
    // Without a name nothing can be started, which is what each job then says.
    Arc::new(ProcessExtractor::new(program.unwrap_or_default(), ["extract"]))
}

fn tokens(tokens: &Tokens, clock: &Arc<dyn Clock>) -> (Arc<JwtIssuer>, Arc<JwtVerifier>) {
    let settings = JwtSettings {
        issuer: ISSUER.to_owned(),
        audience: ISSUER.to_owned(),
        lifetime: tokens.lifetime,
    };
    let issuer = JwtIssuer::new(&tokens.keys, settings.clone(), clock.clone());
    let verifier = JwtVerifier::new(&tokens.keys, &settings, clock.clone());
    (Arc::new(issuer), Arc::new(verifier))
}
