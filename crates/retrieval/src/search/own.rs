//! Candidates from an index of our own: only chunks of what the tenant's records say may be found.

use std::collections::{HashMap, HashSet};

use tenantry_domain::{DocumentId, Embedding, Filter, Index, Origin, SearchSettings, TenantScope, TopK};
use tenantry_tenant_store::{ReadyDocument, StoreError};
use tenantry_vector_client::{Match, VectorQuery};

use super::candidate::{Candidate, Found};
use super::explanation::{CandidateCounts, DenseSearch};
use super::spending::{QuerySpending, embed};
use super::{SearchError, SearchRequest, Searcher};
use crate::OwnCollection;

/// How many times more candidates are asked for when too few of them may be shown.
const MORE: usize = 4;

impl Searcher {
    pub(super) fn find_own(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        request: &SearchRequest,
        settings: SearchSettings,
        spent: &mut Option<QuerySpending>,
    ) -> Result<Found, SearchError> {
        let live = collection.live();
        let (dense, embedding) = self.place(live, request, settings, spent)?;
        let wanted = usize::from(request.limit.get());
        let mut asked = request.candidates();
        loop {
            let query = VectorQuery {
                text: &request.query,
                embedding: embedding.as_ref(),
                limit: asked,
                fusion: settings.fusion,
                filter: request.filter.as_ref(),
                with_embeddings: request.diversity().is_some(),
            };
            let matches = collection.store().search(scope.index(live.generation), query)?;
            let may_be_more = matches.len() >= usize::from(asked.get()) && asked.get() < TopK::MAX;
            let (candidates, counts) = self.admit(scope, request.filter.as_ref(), matches, asked)?;
            if candidates.len() >= wanted || !may_be_more {
                return Ok(Found {
                    candidates,
                    counts,
                    dense,
                    lexical: true,
                });
            }
            asked = TopK::clamp(usize::from(asked.get()) * MORE);
        }
    }

    /// The query's embedding, where the index has any that it can be compared with.
    fn place(
        &self,
        live: &Index,
        request: &SearchRequest,
        settings: SearchSettings,
        spent: &mut Option<QuerySpending>,
    ) -> Result<(DenseSearch, Option<Embedding>), SearchError> {
        let (Some(embedder), Some(model)) = (self.embedders.of(live)?, live.model.clone()) else {
            return Ok((DenseSearch::NoModel, None));
        };
        if settings.fusion.dense_weight() <= 0.0 {
            return Ok((DenseSearch::NoWeight(model), None));
        }
        if !embedder.understands(&request.query) {
            return Ok((DenseSearch::UnreadLanguage(model), None));
        }
        let embedding = embed(embedder.as_ref(), &request.query, spent)?;
        Ok((DenseSearch::Searched(model), embedding))
    }

    /// Leaves out what may not be shown. The store was given the filter too; that it is applied here again, to the records'
    /// own metadata, keeps a store's mistake from widening what is seen.
    fn admit(
        &self,
        scope: &TenantScope,
        filter: Option<&Filter>,
        matches: Vec<Match>,
        asked: TopK,
    ) -> Result<(Vec<Candidate>, CandidateCounts), StoreError> {
        let mut counts = CandidateCounts {
            asked: usize::from(asked.get()),
            found: matches.len(),
            ..CandidateCounts::default()
        };
        let ready = self.ready(scope, &matches)?;
        let mut candidates = Vec::new();
        for found in matches {
            let document = ready.get(&found.of.document);
            let Some(document) = document.filter(|document| document.version == found.of.version) else {
                counts.not_ready += 1;
                continue;
            };
            if !filter.is_none_or(|filter| filter.matches(&document.metadata)) {
                counts.filtered += 1;
                continue;
            }
            candidates.push(Candidate {
                origin: Origin::Document(document.id),
                version: document.version,
                title: document.title.clone(),
                chunk: found.chunk,
                score: found.score,
                embedding: found.embedding,
                fused_place: candidates.len() + 1,
            });
        }
        Ok((candidates, counts))
    }

    fn ready(
        &self,
        scope: &TenantScope,
        matches: &[Match],
    ) -> Result<HashMap<DocumentId, ReadyDocument>, StoreError> {
        let ids: HashSet<DocumentId> = matches.iter().map(|found| found.of.document).collect();
        let ids: Vec<DocumentId> = ids.into_iter().collect();
        let ready = self.documents.ready_documents(scope, &ids)?;
        Ok(ready
            .into_iter()
            .map(|document| (document.id, document))
            .collect())
    }
}
