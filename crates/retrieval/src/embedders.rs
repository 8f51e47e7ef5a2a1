use std::fmt;
use std::sync::Arc;

use tenantry_domain::{EmbeddingModel, Index, Tenant, TenantId};
use tenantry_llm_client::Embedder;

/// The configured embedding models. A new index is made by the one that its tenant wants; indexes of all of them are searched
/// and filled.
#[derive(Clone, Default)]
pub struct Embedders {
    current: Option<Arc<dyn Embedder>>,
    others: Vec<Arc<dyn Embedder>>,
}

/// An index was made by a model that is not configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingMismatch {
    /// The model that made the index.
    pub index: EmbeddingModel,
    /// The models that are configured, the current one first.
    pub configured: Vec<EmbeddingModel>,
}

/// A tenant's settings name an embedding model that is not configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tenant's embedding model {0} is not configured")]
pub struct UnknownEmbeddingModel(pub String);

impl Embedders {
    /// No model: indexes are searched by words alone.
    pub fn none() -> Self {
        Self::default()
    }

    /// `current` for the new indexes of tenants that name no model, and `others` for those that name them and for indexes that
    /// they made before.
    pub fn new(current: Option<Arc<dyn Embedder>>, others: Vec<Arc<dyn Embedder>>) -> Self {
        Self { current, others }
    }

    /// The embedder of new indexes where the tenant names none.
    pub fn current(&self) -> Option<&Arc<dyn Embedder>> {
        self.current.as_ref()
    }

    /// The model of new indexes where the tenant names none.
    pub fn current_model(&self) -> Option<EmbeddingModel> {
        self.current.as_ref().map(|embedder| embedder.identity())
    }

    /// The names of all of them, that of the current one first.
    pub fn names(&self) -> Vec<String> {
        self.all().map(|embedder| embedder.identity().name).collect()
    }

    /// The embedder of a tenant's new indexes: the one that its settings name, else the current one.
    ///
    /// # Errors
    /// When no model of that name is configured.
    pub fn wanted(&self, tenant: &Tenant) -> Result<Option<&Arc<dyn Embedder>>, UnknownEmbeddingModel> {
        let Some(name) = &tenant.chat.embedding_model else {
            return Ok(self.current());
        };
        let found = self.named(name);
        found.map(Some).ok_or_else(|| UnknownEmbeddingModel(name.clone()))
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<dyn Embedder>> {
        self.all().find(|embedder| embedder.identity().name == name)
    }

    /// The embedder whose vectors can be compared with the index's; `None` for an index without vectors, which stays searched
    /// by words alone until it is built again.
    ///
    /// # Errors
    /// When the index's model is not configured.
    pub fn of(&self, index: &Index) -> Result<Option<&Arc<dyn Embedder>>, EmbeddingMismatch> {
        let Some(model) = &index.model else {
            return Ok(None);
        };
        let found = self
            .all()
            .find(|embedder| embedder.identity().is_same_space(model));
        found.map(Some).ok_or_else(|| EmbeddingMismatch {
            index: model.clone(),
            configured: self.all().map(|embedder| embedder.identity()).collect(),
        })
    }

    /// Checks that every index in use is of a configured model.
    ///
    /// # Errors
    /// With each tenant whose index is not.
    pub fn check(&self, in_use: &[(TenantId, Index)]) -> Result<(), Vec<(TenantId, EmbeddingMismatch)>> {
        let mismatches: Vec<_> = in_use
            .iter()
            .filter_map(|(tenant, index)| Some((tenant.clone(), self.of(index).err()?)))
            .collect();
        if mismatches.is_empty() {
            Ok(())
        } else {
            Err(mismatches)
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn Embedder>> {
        self.current.iter().chain(&self.others)
    }
}

impl fmt::Debug for Embedders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.all().map(|embedder| embedder.identity().to_string()))
            .finish()
    }
}

impl std::error::Error for EmbeddingMismatch {}

impl fmt::Display for EmbeddingMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the index was built by {}, configured ", self.index)?;
        match self.configured.as_slice() {
            [] => f.write_str("is no embedding model"),
            [one] => write!(f, "is {one}"),
            [first, more @ ..] => {
                write!(f, "are {first}")?;
                more.iter().try_for_each(|model| write!(f, ", {model}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{Dimension, Generation, IndexState, Timestamp};
    use tenantry_llm_client::MemoryEmbedder;

    use super::*;

    fn index(model: Option<EmbeddingModel>) -> Index {
        Index {
            generation: Generation::FIRST,
            model,
            state: IndexState::Live,
            created_at: Timestamp::from_unix_micros(0).unwrap(),
        }
    }

    #[test]
    fn an_index_is_opened_by_the_model_that_made_it() {
        let memory: Arc<dyn Embedder> = Arc::new(MemoryEmbedder);
        let own = index(Some(memory.identity()));
        for embedders in [
            Embedders::new(Some(memory.clone()), Vec::new()),
            Embedders::new(None, vec![memory.clone()]),
        ] {
            assert!(embedders.of(&own).unwrap().is_some());
            assert!(embedders.of(&index(None)).unwrap().is_none());
        }
    }

    #[test]
    fn a_mismatch_names_both_sides() {
        let other = EmbeddingModel {
            provider: "openai".into(),
            name: "text-embedding-3-small".into(),
            dimension: Dimension::new(1_536).ok(),
        };
        let tenant = TenantId::parse("acme").unwrap();
        let embedders = Embedders::new(Some(Arc::new(MemoryEmbedder)), Vec::new());
        let mismatches = embedders
            .check(&[(tenant.clone(), index(Some(other.clone())))])
            .unwrap_err();
        assert_eq!(mismatches[0].0, tenant);
        let said = mismatches[0].1.to_string();
        let memory = MemoryEmbedder.identity();
        assert_eq!(
            said,
            format!("the index was built by openai/text-embedding-3-small (1536), configured is {memory}")
        );
        let none = Embedders::none().of(&index(Some(other))).err().unwrap();
        assert!(none.to_string().ends_with("configured is no embedding model"));
    }
}
