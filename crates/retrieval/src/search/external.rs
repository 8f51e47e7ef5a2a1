//! Candidates from an index that another tool fills, which is read as it is.

use tenantry_domain::{Chunk, Fusion, Origin, ScoreParts, SearchSettings, Span, TenantScope};
use tenantry_vector_client::{Record, RecordQuery};

use super::candidate::{Candidate, Found};
use super::explanation::{CandidateCounts, DenseSearch};
use super::spending::{QuerySpending, embed};
use super::{SearchError, SearchRequest, Searcher};
use crate::ExternalCollection;

impl Searcher {
    pub(super) fn find_external(
        &self,
        scope: &TenantScope,
        collection: &ExternalCollection,
        request: &SearchRequest,
        settings: SearchSettings,
        spent: &mut Option<QuerySpending>,
    ) -> Result<Found, SearchError> {
        let embedder = self
            .embedders
            .wanted(scope.tenant())
            .ok()
            .flatten()
            .ok_or(SearchError::NoModel)?;
        let model = embedder.identity();
        let dense = if embedder.understands(&request.query) {
            DenseSearch::Searched(model)
        } else {
            DenseSearch::SearchedUnread(model)
        };
        let place = embed(embedder.as_ref(), &request.query, spent)?;
        let asked = request.candidates();
        let query = RecordQuery {
            embedding: &place.ok_or(SearchError::NoModel)?,
            limit: asked,
            filter: request.filter.as_ref(),
            with_embeddings: request.diversity().is_some(),
        };
        let records = collection.index().search(collection.settings(), query)?;
        let counts = CandidateCounts {
            asked: usize::from(asked.get()),
            found: records.len(),
            ..CandidateCounts::default()
        };
        let candidates = (1_u16..).zip(records);
        Ok(Found {
            candidates: candidates
                .map(|(rank, record)| candidate(record, rank, settings.fusion))
                .collect(),
            counts,
            dense,
            lexical: false,
        })
    }
}

/// A record as a chunk that is all of its own text.
fn candidate(record: Record, rank: u16, fusion: Fusion) -> Candidate {
    // One ranking alone has all the weight, as in every store.
    let fused = (fusion.k() + 1.0) / (fusion.k() + f32::from(rank));
    let end = u32::try_from(record.text.chars().count()).unwrap_or(u32::MAX);
    Candidate {
        title: record.title.unwrap_or_else(|| record.id.clone()),
        origin: Origin::Record(record.id),
        version: 0,
        chunk: Chunk {
            ordinal: 0,
            span: Span { start: 0, end },
            text: record.text,
            headings: Vec::new(),
            page: record.page,
        },
        score: ScoreParts {
            score: fused,
            fused,
            dense: Some(record.score),
            dense_rank: Some(rank),
            ..ScoreParts::default()
        },
        embedding: record.embedding,
        fused_place: usize::from(rank),
    }
}
