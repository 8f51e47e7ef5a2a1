use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use tenantry_domain::{DocumentId, Embedding, Hit, TenantScope, TopK};
use tenantry_llm_client::{Embedder, LlmError};
use tenantry_tenant_store::{DocumentStore, StoreError};
use tenantry_vector_client::{VectorError, VectorQuery};

use crate::text::prose;
use crate::{CollectionError, Collections, InvalidField};

/// The longest query in characters.
const MAX_QUERY: usize = 16_000;

/// Why nothing was searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query is blank or too long.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The tenant's vector store could not be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The query could not be embedded.
    #[error("the query could not be embedded")]
    Embed(#[from] LlmError),
    /// The vector store failed.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds the chunks of one tenant that answer a query.
pub struct Searcher {
    documents: Arc<dyn DocumentStore>,
    collections: Arc<Collections>,
    embedder: Option<Arc<dyn Embedder>>,
}

impl Searcher {
    /// A searcher; without an embedder only words are matched.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        collections: Arc<Collections>,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Self {
        Self {
            documents,
            collections,
            embedder,
        }
    }

    /// The best hits for `query` among the tenant's ready documents, best first.
    ///
    /// # Errors
    /// When the query is blank or longer than 16,000 characters, or a store or the embedder fails.
    pub fn search(&self, scope: &TenantScope, query: &str, limit: TopK) -> Result<Vec<Hit>, SearchError> {
        check_query("query", query)?;
        self.find(scope, query, limit)
    }

    /// Searches for text that [`check_query`] has let through.
    pub(crate) fn find(
        &self,
        scope: &TenantScope,
        query: &str,
        limit: TopK,
    ) -> Result<Vec<Hit>, SearchError> {
        let collection = self.collections.of(scope)?;
        let embedding = self.embed(query)?;
        let wanted = usize::from(limit.get());
        // Twice as many, because chunks of documents that are on their way in or out are left aside.
        let candidates = TopK::new(limit.get().saturating_mul(2).min(TopK::MAX)).unwrap_or(limit);
        let query = VectorQuery {
            text: query,
            embedding: embedding.as_ref(),
            limit: candidates,
        };
        let matches = collection.search(scope, query)?;
        let ids: HashSet<DocumentId> = matches.iter().map(|found| found.document).collect();
        let ids: Vec<DocumentId> = ids.into_iter().collect();
        let titles: HashMap<DocumentId, String> = self
            .documents
            .ready_documents(scope, &ids)?
            .into_iter()
            .map(|document| (document.id, document.title))
            .collect();
        let hits = matches.into_iter().filter_map(|found| {
            let title = titles.get(&found.document)?.clone();
            Some(Hit {
                document: found.document,
                title,
                chunk: found.chunk,
                score: found.score,
            })
        });
        Ok(hits.take(wanted).collect())
    }

    fn embed(&self, query: &str) -> Result<Option<Embedding>, LlmError> {
        let Some(embedder) = &self.embedder else {
            return Ok(None);
        };
        Ok(embedder.embed(&[query])?.embeddings.pop())
    }
}

/// Whether text may be searched for; `field` is what the error calls it.
pub(crate) fn check_query(field: &'static str, query: &str) -> Result<(), InvalidField> {
    prose(field, query, MAX_QUERY, "has more than 16000 characters")
}

impl fmt::Debug for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher")
            .field("dense", &self.embedder.is_some())
            .finish_non_exhaustive()
    }
}
