//! Which implementation stands behind each seam.

use std::sync::Arc;

use tenantry_auth::{JwtIssuer, JwtSettings, JwtVerifier};
use tenantry_crypto::{Argon2Hasher, KeyRing, Sealer};
use tenantry_domain::Clock;
use tenantry_http_client::{RetryPolicy, Retrying, Transport, UreqTransport};
use tenantry_llm_client::{
    Completer, Embedder, ExtractiveCompleter, OpenAiCompleter, OpenAiEmbedder, OpenAiSettings,
};
use tenantry_retrieval::{
    Accounts, Answers, Collections, Knowledge, PineconeLookup, Resolver, Searcher, Tenants,
};
use tenantry_tenant_store::{KeyStateStore, MigrateError, SqlStore, StoreError};
use tenantry_vector_client::{
    EmbeddedOptions, EmbeddedVectorStore, PineconeCatalog, PineconeStores, VectorError, VectorStore,
};

use crate::app::{App, Readiness};
use crate::config::{LocalVectors, Provider, Settings, Tokens};

/// Who issues tokens and whom they are for: this server both times.
const ISSUER: &str = "tenantry";

/// Why the use cases could not be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WiringError {
    /// The folder of the embedded vector store cannot be used.
    #[error("the vector store in DATA_DIR cannot be opened")]
    Vectors(#[from] VectorError),
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
) -> Result<App, WiringError> {
    let transport: Arc<dyn Transport> = Arc::new(UreqTransport::new());
    // The model clients send again themselves: they alone can tell a busy provider from a quota that is used up.
    let models = models(settings.provider.as_ref(), &transport);
    let retrying: Arc<dyn Transport> = Arc::new(Retrying::new(transport, RetryPolicy::default()));
    let catalog = Arc::new(PineconeCatalog::new(retrying.clone(), settings.pinecone.clone()));
    let dimension = models.embedder.as_ref().and_then(|embedder| embedder.identity().dimension);
    let pinecone = PineconeLookup::new(catalog, dimension);
    let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
    let collections = Arc::new(Collections::new(
        local_vectors(&settings.vector_store)?,
        Arc::new(PineconeStores::new(retrying, settings.pinecone.clone())),
        pinecone.clone(),
        keys.clone(),
        store.clone(),
        clock.clone(),
    ));
    let searcher = Arc::new(Searcher::new(
        store.clone(),
        collections.clone(),
        models.embedder.clone(),
    ));
    let (issuer, verifier) = tokens(&settings.tokens, &clock);
    Ok(App {
        issuer,
        verifier,
        accounts: Accounts::new(
            store.clone(),
            Arc::new(Argon2Hasher::default()),
            settings.password_policy,
            resolver.clone(),
            clock.clone(),
        ),
        tenants: Tenants::new(
            store.clone(),
            keys.clone(),
            pinecone,
            resolver.clone(),
            clock.clone(),
        ),
        knowledge: Knowledge::new(store.clone(), collections, models.embedder, clock),
        answers: Answers::new(searcher.clone(), models.completer),
        searcher,
        resolver,
        readiness: Arc::new(Ready {
            store: store.clone(),
            keys: keys.clone(),
        }),
        registration_open: settings.registration_open,
    })
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

/// What embeds and what answers.
struct Models {
    embedder: Option<Arc<dyn Embedder>>,
    completer: Arc<dyn Completer>,
}

fn models(provider: Option<&Provider>, transport: &Arc<dyn Transport>) -> Models {
    let Some(provider) = provider else {
        return Models {
            embedder: None,
            completer: Arc::new(ExtractiveCompleter),
        };
    };
    let Provider {
        base_url,
        api_key,
        chat_model,
        embedding_model,
    } = provider;
    let model = embedding_model.as_deref().unwrap_or_default();
    let mut settings = OpenAiSettings::new(base_url.clone(), chat_model, model);
    settings.api_key.clone_from(api_key);
    let embedder: Option<Arc<dyn Embedder>> = match embedding_model {
        Some(_) => Some(Arc::new(OpenAiEmbedder::new(transport.clone(), settings.clone()))),
        None => None,
    };
    Models {
        embedder,
        completer: Arc::new(OpenAiCompleter::new(transport.clone(), settings)),
    }
}

fn local_vectors(vectors: &LocalVectors) -> Result<Arc<dyn VectorStore>, VectorError> {
    match vectors {
        LocalVectors::Embedded { data_dir } => {
            let store = EmbeddedVectorStore::open(&data_dir.join("vectors"), EmbeddedOptions::default())?;
            Ok(Arc::new(store))
        }
    }
}

/// The database answers, has the tables of this version, and knows the key that this server seals with.
struct Ready {
    store: Arc<SqlStore>,
    keys: Arc<KeyRing>,
}

impl Readiness for Ready {
    fn check(&self) -> Result<(), StoreError> {
        match self.store.pending() {
            Ok(pending) if pending.is_empty() => {}
            Ok(_) => return Err(StoreError::Failed("migrations are pending".into())),
            Err(MigrateError::Store(error)) => return Err(error),
            Err(error) => return Err(StoreError::Failed(error.into())),
        }
        let active = self.keys.active_key();
        let known =
            self.store.key_states()?.into_iter().any(|state| {
                state.key_id == active.to_string() && self.keys.opens_canary(active, &state.canary)
            });
        if known {
            Ok(())
        } else {
            Err(StoreError::Failed("the database does not know SECRET_KEY".into()))
        }
    }
}
