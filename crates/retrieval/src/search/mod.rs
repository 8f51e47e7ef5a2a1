mod candidate;
mod diversity;
mod error;
mod explanation;
mod external;
mod hits;
mod merge;
mod own;
mod passage;
mod request;
mod rerank;
mod spending;

use std::fmt;
use std::sync::Arc;

use tenantry_domain::{Clock, TenantScope, UserId};
use tenantry_llm_client::Reranker;
use tenantry_tenant_store::{DocumentStore, UsageStore};

pub use self::error::SearchError;
pub use self::explanation::{
    CandidateCounts, Contribution, DenseSearch, Diversity, Explanation, HitExplanation, MergedChunk,
    Reranking, SearchResult,
};
pub use self::request::SearchRequest;
pub(crate) use self::request::check_query;
pub use self::spending::QuerySpending;
use crate::meter::Meter;
use crate::{Collection, Collections, Embedders};

/// Finds the chunks of one tenant that answer a query.
///
/// A hit is a chunk of a document that is ready, of the version that may be found, in the caller's tenant, and passes the
/// filter; the records decide that, whatever the vector store says. In an index that another tool fills every record is one.
pub struct Searcher {
    documents: Arc<dyn DocumentStore>,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    reranker: Option<Arc<dyn Reranker>>,
    meter: Option<Meter>,
}

impl Searcher {
    /// A searcher; without embedders only words are matched, without a reranker the fused order stands.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        collections: Arc<Collections>,
        embedders: Arc<Embedders>,
        reranker: Option<Arc<dyn Reranker>>,
    ) -> Self {
        Self {
            documents,
            collections,
            embedders,
            reranker,
            meter: None,
        }
    }

    /// The same, which counts in `usage` what it takes to search for somebody.
    #[must_use]
    pub fn counting(self, usage: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            meter: Some(Meter::new(usage, clock)),
            ..self
        }
    }

    /// The best hits among the tenant's ready documents, best first. Where a reranker fails, the result says so and the fused
    /// order stands.
    ///
    /// # Errors
    /// When the request is not one that can be made, the model of the tenant's index is not configured, or a store or the
    /// embedder fails.
    pub fn search(&self, scope: &TenantScope, request: &SearchRequest) -> Result<SearchResult, SearchError> {
        request.check()?;
        self.find(scope, request, &mut None)
    }

    /// Searches for a user, on whose account it is counted what embedding the query takes, where a searcher counts at all.
    ///
    /// # Errors
    /// As [`Searcher::search`], and when it cannot be counted.
    pub fn search_for(
        &self,
        scope: &TenantScope,
        user: UserId,
        request: &SearchRequest,
    ) -> Result<SearchResult, SearchError> {
        request.check()?;
        let mut spent = None;
        let found = self.find(scope, request, &mut spent);
        if let (Some(meter), Some(spent)) = (&self.meter, spent) {
            meter.searched(scope, user, spent)?;
        }
        found
    }

    /// Searches by a request that [`SearchRequest::check`] has let through; `spent` is what embedding it took, also when the
    /// search fails after that.
    pub(crate) fn find(
        &self,
        scope: &TenantScope,
        request: &SearchRequest,
        spent: &mut Option<QuerySpending>,
    ) -> Result<SearchResult, SearchError> {
        let settings = request.settings(scope.tenant().search);
        let reranker = self.wanted_reranker(request)?;
        let mut found = match self.collections.of(scope)? {
            Collection::Own(own) => self.find_own(scope, &own, request, settings, spent)?,
            Collection::External(external) => {
                self.find_external(scope, &external, request, settings, spent)?
            }
        };
        let reranking = reranker.map_or(Reranking::Off, |reranker| {
            rerank::rerank(reranker, &request.query, request.limit, &mut found)
        });
        if let Some(least) = settings.min_score {
            let before = found.candidates.len();
            found
                .candidates
                .retain(|candidate| candidate.score.score >= least);
            found.counts.below_min_score = before - found.candidates.len();
        }
        let candidates = std::mem::take(&mut found.candidates);
        let (hits, explained) = self.hits(scope, request, settings.fusion, candidates)?;
        let explanation = request.explain.then_some(Explanation {
            dense: found.dense,
            lexical: found.lexical,
            fusion: settings.fusion,
            min_score: settings.min_score,
            counts: found.counts,
            hits: explained,
        });
        Ok(SearchResult {
            hits,
            reranking,
            explanation,
            spent: spent.clone(),
        })
    }
}

impl fmt::Debug for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher")
            .field("embedders", &self.embedders)
            .field("reranks", &self.reranker.is_some())
            .finish_non_exhaustive()
    }
}
