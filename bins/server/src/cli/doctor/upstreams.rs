//! The services that are called: whether they answer, and take the keys that they are sent.

use std::sync::Arc;

use tenantry_crypto::Sealer;
use tenantry_domain::{Page, SealedSecret, Tenant};
use tenantry_http_client::Trust;
use tenantry_llm_client::ProviderAddress;
use tenantry_retrieval::secret_field;
use tenantry_tenant_store::{SecretKind, TenantStore};
use tenantry_vector_client::{IndexCatalog, PineconeCatalog, PineconeOptions};
use url::Url;

use super::probe::{Found, Hurried, Upstream};
use super::report::Report;
use crate::cli::Failure;
use crate::config::{EmbeddingChoice, Embeddings, Environment, Provider, Settings};
use crate::logging::chain;

/// Calls what the operator configured.
pub(super) fn check(settings: &Settings, report: &mut Report) {
    match &settings.provider {
        Some(provider) => provider_of_server(provider, settings, report),
        None => report.warning(
            "models",
            "no provider is configured: answers are quotes of the best passages",
            "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, unless that is meant",
        ),
    }
    if let Some(reranker) = &settings.reranker {
        let upstream = Upstream {
            url: &reranker.url,
            trust: Trust::Operator,
            key: reranker.api_key.as_ref(),
        };
        let found = Hurried::new().rerank(&upstream, &reranker.model);
        judge(
            "reranker",
            reranker.url.as_str(),
            &found,
            "RERANK_API_KEY",
            report,
        );
    }
}

fn provider_of_server(provider: &Provider, settings: &Settings, report: &mut Report) {
    const CHECK: &str = "models";
    let upstream = Upstream {
        url: &provider.base_url,
        trust: Trust::Operator,
        key: provider.api_key.as_ref(),
    };
    let found = Hurried::new().models(&upstream);
    judge(
        CHECK,
        provider.base_url.as_str(),
        &found,
        "OPENAI_API_KEY",
        report,
    );
    let Found::Works(Some(listed)) = found else { return };
    for name in provider.chat_models.iter().chain(embedding_models(settings)) {
        if !listed.contains(name) {
            report.warning(
                CHECK,
                format_args!(
                    "{name} is none of the {} models that the provider lists",
                    listed.len()
                ),
                "is the name right? Some providers know more models than they list",
            );
        }
    }
}

/// The provider's embedding models that are configured.
fn embedding_models(settings: &Settings) -> impl Iterator<Item = &String> {
    let current = match &settings.embedding.current {
        Embeddings::By(choice) => Some(choice),
        Embeddings::LocalIfThere | Embeddings::None => None,
    };
    let choices = current.into_iter().chain(&settings.embedding.previous);
    choices.filter_map(|choice| match choice {
        EmbeddingChoice::Provider(name) => Some(name),
        EmbeddingChoice::Local => None,
    })
}

fn judge(check: &'static str, place: &str, found: &Found, variable: &str, report: &mut Report) {
    match found {
        Found::Works(_) => report.ok(check, format_args!("{place} answers and takes the key")),
        Found::Refuses(status) => report.problem(
            check,
            format_args!("{place} refuses the key, with status {status}"),
            format_args!("is {variable} right, and not revoked?"),
        ),
        // Not every server can list its models.
        Found::Fails(404 | 405) => report.ok(
            check,
            format_args!("{place} answers; whether it takes the key shows at the first question"),
        ),
        Found::Fails(status) => report.warning(
            check,
            format_args!("{place} answers with status {status}"),
            "is the address right? The service's own log or status page tells more",
        ),
        Found::Silent(reason) => report.problem(
            check,
            format_args!("{place} cannot be reached: {reason}"),
            "is the address right, and may this machine reach it?",
        ),
    }
}

/// Whether Pinecone is there for the tenants that use it. The server has no key of its own to show.
pub(super) fn check_pinecone(
    env: &Environment,
    store: &dyn TenantStore,
    report: &mut Report,
) -> Result<(), Failure> {
    const CHECK: &str = "Pinecone";
    let set = env.get("PINECONE_CONTROL_URL").filter(|url| !url.is_empty());
    let mut is_used = set.is_some();
    each_tenant(store, |tenant| is_used |= tenant.pinecone.api_key.is_some())?;
    if !is_used {
        return Ok(());
    }
    let text = set.unwrap_or_else(|| PineconeOptions::CONTROL_URL.to_owned());
    let found = Url::parse(&text).map(|url| Hurried::new().knock(&url));
    match found {
        Ok(Found::Silent(reason)) => report.problem(
            CHECK,
            format_args!("{text} cannot be reached: {reason}"),
            "may this machine reach it? Tenants whose documents are there are not answered",
        ),
        Ok(_) => report.ok(
            CHECK,
            format_args!("{text} answers; --tenants tries the tenants' keys"),
        ),
        Err(error) => report.problem(CHECK, error, "PINECONE_CONTROL_URL must be a URL"),
    }
    Ok(())
}

/// Calls what tenants brought, with their keys.
pub(super) fn check_tenants(
    settings: &Settings,
    store: &dyn TenantStore,
    keys: &dyn Sealer,
    report: &mut Report,
) -> Result<(), Failure> {
    each_tenant(store, |tenant| {
        tenants_provider(settings, tenant, keys, report);
        tenants_pinecone(settings, tenant, keys, report);
    })
}

/// Visits every active tenant.
fn each_tenant(store: &dyn TenantStore, mut visit: impl FnMut(&Tenant)) -> Result<(), Failure> {
    let mut page = Page::new(Page::MAX_LIMIT, 0).ok();
    while let Some(current) = page {
        let tenants = store.tenants(current)?;
        tenants
            .items
            .iter()
            .filter(|tenant| tenant.is_active)
            .for_each(&mut visit);
        let seen = u64::from(current.offset()) + u64::from(current.limit());
        page = current.next().filter(|_| seen < tenants.total);
    }
    Ok(())
}

fn tenants_provider(settings: &Settings, tenant: &Tenant, keys: &dyn Sealer, report: &mut Report) {
    const CHECK: &str = "tenant models";
    let Some(provider) = &tenant.llm else { return };
    let place = format!("{}: {}", tenant.id, provider.base_url);
    let Some(key) = opened(provider.api_key.as_ref(), SecretKind::LlmApiKey, tenant, keys) else {
        // The check of the keys has told.
        return;
    };
    let address = match ProviderAddress::of_tenant(&provider.base_url, key) {
        Ok(address) => address,
        Err(error) => {
            return report.problem(
                CHECK,
                format_args!("{place}: {error}"),
                "have its admins set another",
            );
        }
    };
    let is_allowed = settings.answers.tenant_origins.contains(&address.origin());
    let upstream = Upstream {
        url: address.base_url(),
        trust: if is_allowed {
            Trust::Operator
        } else {
            Trust::Public { domain: None }
        },
        key: address.api_key(),
    };
    let found = Hurried::new().models(&upstream);
    judge(CHECK, &place, &found, "the tenant's llm_provider.api_key", report);
}

fn tenants_pinecone(settings: &Settings, tenant: &Tenant, keys: &dyn Sealer, report: &mut Report) {
    const CHECK: &str = "tenant vectors";
    let secret = tenant.pinecone.api_key.as_ref();
    let Some(Some(key)) = opened(secret, SecretKind::PineconeApiKey, tenant, keys) else {
        return;
    };
    let catalog = PineconeCatalog::new(Arc::new(Hurried::new()), settings.pinecone.clone());
    match catalog.indexes(&key) {
        Ok(indexes) => report.ok(
            CHECK,
            format_args!(
                "{}: Pinecone takes the key, which sees {} indexes",
                tenant.id,
                indexes.len()
            ),
        ),
        Err(error) => report.problem(
            CHECK,
            format_args!("{}: Pinecone: {}", tenant.id, chain(&error)),
            "is the tenant's pinecone_api_key right, and may this machine reach Pinecone?",
        ),
    }
}

/// The tenant's secret, `Some(None)` where there is none, `None` where it does not open.
fn opened(
    secret: Option<&SealedSecret>,
    kind: SecretKind,
    tenant: &Tenant,
    keys: &dyn Sealer,
) -> Option<Option<secrecy::SecretString>> {
    let open = |secret: &SealedSecret| keys.open(secret_field(kind, &tenant.id), &secret.sealed).ok();
    match secret {
        Some(secret) => open(secret).map(Some),
        None => Some(None),
    }
}
