//! Chooses hits among the candidates.

use tenantry_domain::{Chunk, Fusion, Hit, Span, TenantScope};
use tenantry_tenant_store::StoreError;

use super::candidate::Candidate;
use super::diversity::{ByDiversity, Ranked, by_relevance};
use super::explanation::{HitExplanation, MergedChunk};
use super::merge::{Group, groups};
use super::{SearchRequest, Searcher, passage};

impl Searcher {
    /// The best hits, and with each, where the request asks for it, how it came to its place.
    pub(super) fn hits(
        &self,
        scope: &TenantScope,
        request: &SearchRequest,
        fusion: Fusion,
        candidates: Vec<Candidate>,
    ) -> Result<(Vec<Hit>, Vec<HitExplanation>), StoreError> {
        let limit = usize::from(request.limit.get());
        let (mut hits, mut explained) = (Vec::new(), Vec::new());
        for group in chosen(candidates, limit, request) {
            for (hit, group) in self.merged(scope, group)? {
                if request.explain {
                    explained.push(HitExplanation::of(&hit, &group, &request.query, fusion));
                }
                hits.push(hit);
            }
        }
        hits.truncate(limit);
        explained.truncate(limit);
        Ok((hits, explained))
    }

    /// The hit that a group becomes; each chunk by itself when the text between them is gone meanwhile.
    fn merged(&self, scope: &TenantScope, group: Group) -> Result<Vec<(Hit, Group)>, StoreError> {
        let joined = match group.chunks.as_slice() {
            [] | [_] => None,
            _ => self.joined(scope, &group)?,
        };
        let whole = group
            .best()
            .zip(joined)
            .map(|(best, chunk)| hit(&best.candidate, chunk));
        if let Some(hit) = whole {
            return Ok(vec![(hit, group)]);
        }
        let alone = |chunk: Ranked| {
            let hit = hit(&chunk.candidate, chunk.candidate.chunk.clone());
            (hit, Group::new(chunk))
        };
        Ok(group.chunks.into_iter().map(alone).collect())
    }

    /// The group's chunks as one, with the document's text from the first to the last.
    fn joined(&self, scope: &TenantScope, group: &Group) -> Result<Option<Chunk>, StoreError> {
        let ends = (group.version(), group.chunks.first(), group.chunks.last());
        let (Some(of), Some(first), Some(last)) = ends else {
            return Ok(None);
        };
        let (first, last) = (&first.candidate.chunk, &last.candidate.chunk);
        let span = Span {
            start: first.span.start,
            end: last.span.end,
        };
        let text = passage::text_at(self.documents.as_ref(), scope, of, span)?;
        // A store whose chunks are not the records' text shows its own words, never a mixture.
        let text = text.filter(|text| text.starts_with(&first.text) && text.ends_with(&last.text));
        Ok(text.map(|text| Chunk {
            span,
            text,
            ..first.clone()
        }))
    }
}

fn chosen(mut candidates: Vec<Candidate>, limit: usize, request: &SearchRequest) -> Vec<Group> {
    let merging = request.merge_neighbours;
    match request.diversity() {
        Some(diversity) => {
            // More than were asked for at first come of a second try, and each choice looks at all that are left.
            candidates.truncate(usize::from(request.candidates().get()));
            groups(ByDiversity::new(candidates, diversity), limit, merging)
        }
        None => groups(by_relevance(candidates), limit, merging),
    }
}

fn hit(best: &Candidate, chunk: Chunk) -> Hit {
    Hit {
        origin: best.origin.clone(),
        title: best.title.clone(),
        chunk,
        score: best.score,
    }
}

impl From<&Ranked> for MergedChunk {
    fn from(ranked: &Ranked) -> Self {
        let Candidate { chunk, score, .. } = &ranked.candidate;
        Self {
            ordinal: chunk.ordinal,
            span: chunk.span,
            score: score.score,
        }
    }
}
