//! The JSON of the endpoint, as <https://docs.cohere.com/reference/rerank> describes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct RerankRequest<'a> {
    pub(super) model: &'a str,
    pub(super) query: &'a str,
    pub(super) documents: &'a [&'a str],
    /// All of them: some servers give fewer unless they are told.
    pub(super) top_n: usize,
}

#[derive(Deserialize)]
pub(super) struct RerankAnswer {
    pub(super) error: Option<Value>,
    /// Called `data` by the servers that follow Voyage.
    #[serde(default, alias = "data")]
    pub(super) results: Vec<RerankItem>,
}

#[derive(Deserialize)]
pub(super) struct RerankItem {
    pub(super) index: usize,
    pub(super) relevance_score: f32,
}
