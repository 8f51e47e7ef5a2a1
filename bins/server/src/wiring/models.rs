use std::path::PathBuf;
use std::sync::Arc;

use tenantry_crypto::KeyRing;
use tenantry_http_client::Transport;
use tenantry_llm_client::{
    Budget, CompletionDeadlines, Embedder, HttpReranker, OpenAiEmbedder, OpenAiProviders, OpenAiSettings,
    ProviderAddress, Reranker, RerankerSettings,
};
use tenantry_retrieval::{ChatModels, Embedders, OfferedModels};
use url::Url;

use crate::config::{EmbeddingChoice, EmbeddingSettings, Embeddings, Provider, RerankProvider, Settings};

/// What the settings of tenants' providers are made from where the server has none; each brings its own address.
const OPENAI: &str = "https://api.openai.com/v1";

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The local model's files are not all there, or not the model's.
    #[cfg(feature = "local-model")]
    #[error("the local embedding model cannot be used")]
    Local(#[from] tenantry_llm_client::LocalModelError),
    /// The local model is asked for and not built in.
    #[error("the local embedding model is not built in: build with the feature `local-model`")]
    NotBuiltIn,
    /// A provider's model is asked for, and there is no provider.
    #[error("the embedding model {0} needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL")]
    NoProvider(String),
}

/// What embeds, what answers and what ranks.
pub(super) struct Models {
    pub(super) embedders: Arc<Embedders>,
    pub(super) chat: ChatModels,
    /// What opens the models of providers that tenants bring.
    pub(super) providers: Option<Arc<OpenAiProviders>>,
    pub(super) reranker: Option<Arc<dyn Reranker>>,
}

pub(super) fn models(
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    keys: &Arc<KeyRing>,
) -> Result<Models, ModelError> {
    let provider = settings.provider.as_ref();
    let embedders = embedders(&settings.embedding, provider, transport)?;
    let providers = providers(settings, transport);
    let reranker = settings
        .reranker
        .as_ref()
        .map(|provider| reranker(provider, transport));
    Ok(Models {
        embedders: Arc::new(embedders),
        chat: chat(provider, providers.as_ref(), keys).within(budget(settings.answers.deadlines)),
        providers,
        reranker,
    })
}

/// What opens models at the addresses of providers, the server's own and those that tenants bring.
fn providers(settings: &Settings, transport: &Arc<dyn Transport>) -> Option<Arc<OpenAiProviders>> {
    let mut defaults = match &settings.provider {
        Some(provider) => openai(provider, ""),
        None => OpenAiSettings::new(Url::parse(OPENAI).ok()?, "", ""),
    };
    defaults.deadlines = settings.answers.deadlines;
    let providers = OpenAiProviders::new(transport.clone(), defaults);
    let allowed = settings.answers.tenant_origins.iter().cloned();
    Some(Arc::new(providers.with_allowed_origins(allowed)))
}

/// Who answers: the server's provider, or quotes where there is none; and the providers that tenants bring.
fn chat(
    provider: Option<&Provider>,
    providers: Option<&Arc<OpenAiProviders>>,
    keys: &Arc<KeyRing>,
) -> ChatModels {
    let server = match (provider, providers) {
        (Some(provider), Some(providers)) => {
            let address = ProviderAddress::of_operator(provider.base_url.clone(), provider.api_key.clone());
            ChatModels::provider(providers.clone(), address, &provider.chat_model)
        }
        _ => ChatModels::extractive(),
    };
    match providers {
        Some(providers) => server.with_own(providers.clone(), keys.clone()),
        None => server,
    }
}

/// The time that several models have together: to the first piece of text so long that one may be silent to its end.
fn budget(deadlines: CompletionDeadlines) -> Budget {
    Budget {
        first_token: Some(deadlines.first_token.saturating_mul(2)),
        total: Some(deadlines.total),
    }
}

/// Which of the server's models tenants may choose.
pub(super) fn offered(settings: &Settings, embedders: &Embedders) -> OfferedModels {
    OfferedModels {
        chat: settings
            .provider
            .as_ref()
            .map_or_else(Vec::new, |provider| provider.chat_models.clone()),
        embedding: embedders.names(),
    }
}

/// What embeds by these settings, and calls nobody until it does.
pub(crate) fn embedders(
    settings: &EmbeddingSettings,
    provider: Option<&Provider>,
    transport: &Arc<dyn Transport>,
) -> Result<Embedders, ModelError> {
    let open = |choice: &EmbeddingChoice| -> Result<Arc<dyn Embedder>, ModelError> {
        match choice {
            EmbeddingChoice::Local => local(&settings.model_dirs),
            EmbeddingChoice::Provider(name) => {
                let provider = provider.ok_or_else(|| ModelError::NoProvider(name.clone()))?;
                Ok(Arc::new(OpenAiEmbedder::new(
                    transport.clone(),
                    openai(provider, name),
                )))
            }
        }
    };
    let current = match &settings.current {
        Embeddings::By(choice) => Some(open(choice)?),
        Embeddings::LocalIfThere if settings.local_is_there() => Some(open(&EmbeddingChoice::Local)?),
        Embeddings::LocalIfThere | Embeddings::None => None,
    };
    let others = settings.previous.iter().map(open).collect::<Result<_, _>>()?;
    Ok(Embedders::new(current, others))
}

#[cfg(feature = "local-model")]
fn local(folders: &[PathBuf]) -> Result<Arc<dyn Embedder>, ModelError> {
    use tenantry_llm_client::LocalEmbedder;

    let there = folders.iter().find(|folder| folder.is_dir());
    let folder = there.or_else(|| folders.first()).cloned().unwrap_or_default();
    Ok(Arc::new(LocalEmbedder::open(&folder)?))
}

#[cfg(not(feature = "local-model"))]
fn local(_: &[PathBuf]) -> Result<Arc<dyn Embedder>, ModelError> {
    Err(ModelError::NotBuiltIn)
}

fn openai(provider: &Provider, embedding_model: &str) -> OpenAiSettings {
    let mut settings = OpenAiSettings::new(provider.base_url.clone(), &provider.chat_model, embedding_model);
    settings.api_key.clone_from(&provider.api_key);
    settings
}

fn reranker(provider: &RerankProvider, transport: &Arc<dyn Transport>) -> Arc<dyn Reranker> {
    let mut settings = RerankerSettings::new(provider.url.clone(), &provider.model);
    settings.api_key.clone_from(&provider.api_key);
    Arc::new(HttpReranker::new(transport.clone(), settings))
}
