use std::collections::BTreeSet;
use std::fmt;

use tenantry_domain::{EmbeddingModel, TenantId};
use tenantry_retrieval::{Embedders, EmbeddingMismatch};
use tenantry_tenant_store::{IndexStore, StoreError};

/// How many tenants are named.
const NAMED: usize = 3;

/// Why the configured embedding models do not fit the tenants' indexes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingGuard {
    /// Indexes were made by models that are not configured.
    #[error("{}", told(.tenants, .mismatch))]
    Mismatch {
        /// Whose indexes.
        tenants: BTreeSet<TenantId>,
        /// The first of the mismatches.
        mismatch: EmbeddingMismatch,
    },
    /// The indexes cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EmbeddingGuard {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let Self::Mismatch { mismatch, .. } = self else {
            return None;
        };
        let EmbeddingModel { provider, name, .. } = &mismatch.index;
        let rebuild = "`tenantry reindex --all` builds new indexes by the model that is configured now, before the server starts";
        Some(if provider == "local" {
            format!(
                "scripts/fetch-model brings the local model's files; set OPENAI_EMBEDDING_MODEL_PREVIOUS=local where another model is to \
                 take its place; or {rebuild}"
            )
        } else {
            format!(
                "set OPENAI_EMBEDDING_MODEL_PREVIOUS={name} to go on while `tenantry reindex --all` builds new indexes; or {rebuild}"
            )
        })
    }
}

/// Checks that every index in use, of `tenant` alone when one is named, is of a configured model.
///
/// # Errors
/// When one is not, or the indexes cannot be read.
pub fn check_embeddings(
    indexes: &dyn IndexStore,
    embedders: &Embedders,
    tenant: Option<&TenantId>,
) -> Result<(), EmbeddingGuard> {
    let mut in_use = indexes.indexes_in_use()?;
    in_use.retain(|(owner, _)| tenant.is_none_or(|tenant| tenant == owner));
    let Err(mismatches) = embedders.check(&in_use) else {
        tell_of_lexical(embedders, &in_use);
        return Ok(());
    };
    let tenants = mismatches.iter().map(|(tenant, _)| tenant.clone()).collect();
    match mismatches.into_iter().next() {
        Some((_, mismatch)) => Err(EmbeddingGuard::Mismatch { tenants, mismatch }),
        None => Ok(()),
    }
}

/// Says what the tenants who are searched by words alone could have.
fn tell_of_lexical(embedders: &Embedders, in_use: &[(TenantId, tenantry_domain::Index)]) {
    let lexical = in_use.iter().filter(|(_, index)| index.model.is_none()).count();
    if let Some(model) = embedders.current_model().filter(|_| lexical > 0) {
        log::info!(
            "{lexical} indexes were built without embeddings and are searched by words alone; `tenantry reindex --all` builds \
             them by {model}"
        );
    }
}

fn told(tenants: &BTreeSet<TenantId>, mismatch: &EmbeddingMismatch) -> impl fmt::Display {
    let mut names: Vec<&str> = tenants.iter().take(NAMED).map(TenantId::as_str).collect();
    if tenants.len() > NAMED {
        names.push("...");
    }
    let (count, names) = (tenants.len(), names.join(", "));
    let noun = if count == 1 { "tenant" } else { "tenants" };
    format!("the embedding model does not fit {count} {noun} ({names}): {mismatch}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tenantry_domain::{Clock, Generation, SystemClock};
    use tenantry_retrieval::{NewTenant, Resolver, Superuser, Tenants};
    use tenantry_tenant_store::MemoryStore;

    use super::*;

    #[test]
    fn a_mismatch_names_tenants_models_and_what_to_do() {
        let store = Arc::new(MemoryStore::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let tenants = Tenants::local(store.clone(), resolver.clone(), clock.clone());
        let made_by = EmbeddingModel {
            provider: "openai".into(),
            name: "text-embedding-3-small".into(),
            dimension: None,
        };
        for id in ["a", "b", "c", "d"] {
            let id = TenantId::parse(id).unwrap();
            tenants
                .create(&Superuser::operator(), NewTenant::named(id.clone(), "A"))
                .unwrap();
            let scope = resolver.operator_scope(&Superuser::operator(), &id).unwrap();
            let indexes = store.indexes(&scope, Some(&made_by), clock.now()).unwrap();
            assert_eq!(indexes[0].generation, Generation::FIRST);
        }
        let error = check_embeddings(store.as_ref(), &Embedders::none(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the embedding model does not fit 4 tenants (a, b, c, ...): the index was built by \
             openai/text-embedding-3-small, configured is no embedding model"
        );
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("OPENAI_EMBEDDING_MODEL_PREVIOUS=text-embedding-3-small"),
            "{hint}"
        );
        let one = TenantId::parse("b").unwrap();
        let error = check_embeddings(store.as_ref(), &Embedders::none(), Some(&one)).unwrap_err();
        assert!(error.to_string().contains("1 tenant (b)"), "{error}");
    }
}
