mod answer;
mod chat_settings;
mod citation;
mod metadata;
mod provider;
mod retrieval;
mod search;

pub(super) use answer::{SourceView, UsageView, finish_reason, sources_view};
pub(super) use chat_settings::{ChatBody, ChatView};
pub(super) use citation::CitationView;
pub(super) use metadata::{MetadataView, metadata_view};
pub(super) use provider::{ProviderBody, ProviderView};
pub(super) use retrieval::{RetrievalBody, Weights};
pub(super) use search::{SearchView, TuningBody};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use tenantry_domain::{Hit, Origin, Paged, ScoreParts};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing<T> {
    /// The page's entries.
    items: Vec<T>,
    /// How many entries the whole list has.
    total: u64,
}

impl<T> Listing<T> {
    /// The page with every entry as it goes over the wire.
    pub(super) fn of<U>(page: Paged<U>, view: impl FnMut(U) -> T) -> Self {
        let Paged { items, total } = page.map(view);
        Self { items, total }
    }
}

/// A passage of one of the tenant's documents, or a record of the index that another tool fills.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Passage {
    /// The document that the passage stands in; `null` for a record.
    document_id: Option<String>,
    /// The record's id, where another tool fills the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<String>,
    /// The document's title; of a record without one, its id.
    title: String,
    /// The passage's place in its document, from 0.
    chunk: u32,
    /// Where the passage begins in the document's text, in Unicode code points.
    start: u32,
    /// Where it ends.
    end: u32,
    /// The page, slide or sheet that it begins on, from 1, where the file has such.
    page: Option<u32>,
    /// The headings that it stands below, outermost first.
    headings: Vec<String>,
    /// How well it fits, 0 to 1; only comparable within one answer.
    score: f32,
    /// How the score came about.
    score_parts: ScorePartsView,
    /// The passage's text.
    excerpt: String,
}

/// How a score came about; what did not take part is `null`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoreParts)]
struct ScorePartsView {
    /// The score of the fused rankings, 0 to 1.
    fused: f32,
    /// Cosine similarity of the embeddings.
    dense: Option<f32>,
    /// The place in the dense ranking, from 1.
    dense_rank: Option<u16>,
    /// BM25 relevance.
    lexical: Option<f32>,
    /// The place in the lexical ranking, from 1.
    lexical_rank: Option<u16>,
    /// The relevance that a reranker gave it.
    rerank: Option<f32>,
}

impl From<ScoreParts> for ScorePartsView {
    fn from(parts: ScoreParts) -> Self {
        Self {
            fused: parts.fused,
            dense: parts.dense,
            dense_rank: parts.dense_rank,
            lexical: parts.lexical,
            lexical_rank: parts.lexical_rank,
            rerank: parts.rerank,
        }
    }
}

impl From<Hit> for Passage {
    fn from(hit: Hit) -> Self {
        let (document_id, record_id) = ids(hit.origin);
        Self {
            document_id,
            record_id,
            title: hit.title,
            chunk: hit.chunk.ordinal,
            start: hit.chunk.span.start,
            end: hit.chunk.span.end,
            page: hit.chunk.page,
            headings: hit.chunk.headings,
            score: hit.score.score,
            score_parts: hit.score.into(),
            excerpt: hit.chunk.text,
        }
    }
}

/// The ids of the document or the record that a passage is of.
fn ids(origin: Origin) -> (Option<String>, Option<String>) {
    match origin {
        Origin::Document(document) => (Some(document.to_string()), None),
        Origin::Record(record) => (None, Some(record)),
    }
}

/// A secret on its way in; `Debug` does not show it.
#[derive(Debug)]
pub(super) struct Secret(SecretString);

impl Secret {
    pub(super) fn into_inner(self) -> SecretString {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        String::deserialize(value).map(|text| Self(text.into()))
    }
}
