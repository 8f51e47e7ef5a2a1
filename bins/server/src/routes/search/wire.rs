use serde::{Deserialize, Serialize};
use tenantry_domain::{Fusion, TopK};
use tenantry_retrieval::{Reranking, SearchRequest, SearchResult};
use utoipa::ToSchema;

use super::explanation::ExplanationView;
use crate::error::{ApiError, Code};
use crate::extract::{Json, filter};
use crate::routes::wire::{Passage, Weights};

/// What to search for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "query": "how long can goods be returned?", "limit": 5, "filter": {"lang": "en", "year": {"gte": 2020}}
}))]
pub(super) struct SearchQuery {
    /// The words: 1 to 16,000 characters.
    query: String,
    /// How many passages at most: 1 to 100, else 10.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 100)]
    limit: u16,
    /// What the documents' metadata must be like. A key with a value must equal it, with an object it must hold for each operator: `eq`, `ne`,
    /// `in`, `nin`, `gt`, `gte`, `lt`, `lte`. `and` and `or` take a list of filters, `not` takes one. A `$` before an operator is left aside.
    #[schema(value_type = Option<Object>)]
    filter: Option<Json>,
    /// The lowest score of a passage, 0 to 1; else the tenant's.
    #[schema(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// How the dense and the lexical ranking are fused; else as the tenant is set.
    weights: Option<Weights>,
    /// How much a passage must differ from those before it: 0, which is the default, orders by relevance alone, 1 by difference alone.
    #[schema(minimum = 0, maximum = 1)]
    diversity: Option<f32>,
    /// Whether chunks that follow each other in a document become one passage; they do unless this is `false`.
    merge_neighbours: Option<bool>,
    /// Whether a reranker orders the best candidates; else it does where the server has one.
    rerank: Option<bool>,
    /// Whether the answer says how it came about.
    #[serde(default)]
    explain: bool,
}

fn ten() -> u16 {
    10
}

impl SearchQuery {
    /// What to search for, with the tenant's own fusion where the query says nothing of it.
    pub(super) fn into_request(self, tenant: Fusion) -> Result<SearchRequest, ApiError> {
        let invalid = |sentence| ApiError::new(Code::InvalidRequest).saying(sentence);
        let limit = TopK::new(self.limit)
            .ok()
            .filter(|limit| limit.get() <= SearchRequest::MAX_LIMIT)
            .ok_or_else(|| invalid("`limit` is not between 1 and 100".to_owned()))?;
        let fusion = self.weights.map(|weights| weights.fusion(tenant)).transpose();
        Ok(SearchRequest {
            filter: self.filter.map(filter).transpose()?,
            min_score: self.min_score,
            fusion: fusion?,
            diversity: self.diversity,
            merge_neighbours: self.merge_neighbours.unwrap_or(true),
            rerank: self.rerank,
            explain: self.explain,
            ..SearchRequest::new(self.query, limit)
        })
    }
}

/// What was found, best first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchResult)]
pub(super) struct SearchResultView {
    /// The passages.
    items: Vec<Passage>,
    /// Whether a reranker ordered them.
    reranked: bool,
    /// How the result came about, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationView>,
}

impl From<SearchResult> for SearchResultView {
    fn from(found: SearchResult) -> Self {
        let reranking = match found.reranking {
            Reranking::Off => "off",
            Reranking::Done => "done",
            Reranking::Failed(_) => "failed",
        };
        let explanation = found.explanation;
        Self {
            items: found.hits.into_iter().map(Passage::from).collect(),
            reranked: reranking == "done",
            explanation: explanation.map(|explanation| ExplanationView::new(explanation, reranking)),
        }
    }
}
