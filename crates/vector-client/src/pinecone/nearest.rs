//! Asking for the nearest records, as often as it takes to find enough that pass.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};
use tenantry_domain::{Embedding, TopK};

use super::filter::{Condition, Pushdown};
use super::index::{Index, MAX_VECTORS_ANSWER, embedding, encoded};
use super::upstream::SEARCH_DEADLINES;
use super::wire::{FoundRecord, Matches, Query};
use crate::VectorError;

/// How many records one question asks for at most: above it the service gives neither values nor metadata.
const MAX_DEPTH: u16 = TopK::MAX;

/// So many records with the most metadata fit into an answer: a refusal of them has another reason.
const ALWAYS_GIVEN: u16 = 50;

/// The most bytes of values, 4 for each number, that a question asks for: an answer has at most 4 MB, texts included.
/// Where there are more, they are fetched for those that are shown.
const MAX_VALUE_BYTES: usize = 2_000_000;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) namespace: &'w str,
    pub(super) embedding: &'w Embedding,
    pub(super) pushdown: &'w Pushdown,
    pub(super) limit: TopK,
    pub(super) with_embeddings: bool,
}

/// A record that was found, read as `T`.
#[derive(Debug)]
pub(super) struct Near<T> {
    pub(super) id: String,
    pub(super) score: f32,
    pub(super) embedding: Option<Embedding>,
    pub(super) record: T,
}

/// How many records are asked for at first: more than are wanted where some of them will not pass.
fn first_depth(limit: u16, exact: bool) -> u16 {
    if exact {
        limit
    } else {
        limit.saturating_mul(4).clamp(100, MAX_DEPTH)
    }
}

impl Index {
    /// The nearest records that `read` makes something of, best first, ties by `place`.
    ///
    /// It asks for as many as are wanted, or for more where the condition lets through more than the filter. When too few
    /// of them pass and there are others, it asks once more for the nearest 1,000, or as many of them as the service gives
    /// at once: a record that is further off than that, among records that do not pass, is not found.
    pub(super) fn nearest<T, P: Ord>(
        &self,
        wanted: Wanted<'_>,
        read: impl Fn(&str, Map<String, Value>) -> Option<T>,
        place: impl Fn(&Near<T>) -> P,
    ) -> Result<Vec<Near<T>>, VectorError> {
        let filter = match &wanted.pushdown.condition {
            Condition::Never => return Ok(Vec::new()),
            Condition::Any => None,
            Condition::Filter(filter) => Some(filter),
        };
        let limit = wanted.limit.get();
        let depth = first_depth(limit, wanted.pushdown.exact);
        let search = Search {
            index: self,
            wanted,
            filter,
        };
        let enough = usize::from(limit);
        let first = search.ask_at_most(depth, ALWAYS_GIVEN)?;
        let may_be_more = first.len() >= usize::from(depth) && depth < MAX_DEPTH;
        let mut near = passing(first, &read, &place);
        if near.len() < enough && may_be_more {
            match search.ask_at_most(MAX_DEPTH, depth + 1) {
                Ok(found) => near = passing(found, &read, &place),
                // No more than the first answer fits into one.
                Err(VectorError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        near.sort_by_cached_key(&place);
        near.sort_by(|a, b| b.score.total_cmp(&a.score));
        near.truncate(enough);
        if wanted.with_embeddings {
            self.complete(wanted.namespace, &mut near)?;
        }
        Ok(near)
    }

    /// Fetches the embeddings that the question did not bring.
    fn complete<T>(&self, namespace: &str, near: &mut [Near<T>]) -> Result<(), VectorError> {
        let lacking = near.iter().filter(|near| near.embedding.is_none());
        let ids: Vec<_> = lacking.map(|near| near.id.as_str()).collect();
        let mut embeddings = HashMap::new();
        self.fetch(namespace, &ids, SEARCH_DEADLINES, |records| {
            embeddings.extend(
                records
                    .into_iter()
                    .map(|(id, record)| (id, embedding(record.values))),
            );
            false
        })?;
        for near in near {
            near.embedding = near
                .embedding
                .take()
                .or_else(|| embeddings.remove(&near.id).flatten());
        }
        Ok(())
    }
}

/// One search, which may take several questions.
struct Search<'s> {
    index: &'s Index,
    wanted: Wanted<'s>,
    filter: Option<&'s Value>,
}

impl Search<'_> {
    fn ask(&self, depth: u16) -> Result<Vec<FoundRecord>, VectorError> {
        let Wanted {
            namespace,
            embedding,
            with_embeddings,
            ..
        } = self.wanted;
        let value_bytes = usize::from(depth) * embedding.dimension().get() * size_of::<f32>();
        let body = encoded(&Query {
            namespace,
            top_k: depth,
            vector: embedding.as_slice(),
            filter: self.filter,
            include_values: with_embeddings && value_bytes <= MAX_VALUE_BYTES,
            include_metadata: true,
        })?;
        let request = self
            .index
            .post(&["query"], body)
            .deadlines(SEARCH_DEADLINES)
            .max_answer(MAX_VECTORS_ANSWER);
        let Some(response) = self.index.ask(&request)? else {
            return Ok(Vec::new());
        };
        if !response.is_success() {
            return Err(self.index.explained(&response, Some(embedding.dimension())));
        }
        self.index.decode::<Matches>(&response).map(|found| found.matches)
    }

    /// At most `depth`, or half of that again and again while the service refuses to give so much at once, but not below
    /// `least`.
    fn ask_at_most(&self, mut depth: u16, least: u16) -> Result<Vec<FoundRecord>, VectorError> {
        loop {
            match self.ask(depth) {
                Err(VectorError::Refused(_)) if depth / 2 >= least => depth /= 2,
                answer => return answer,
            }
        }
    }
}

/// The records that `read` makes something of, of each place the first.
fn passing<T, P: Ord>(
    found: Vec<FoundRecord>,
    read: impl Fn(&str, Map<String, Value>) -> Option<T>,
    place: impl Fn(&Near<T>) -> P,
) -> Vec<Near<T>> {
    let near = found.into_iter().filter_map(|found| {
        let record = read(&found.id, found.metadata?)?;
        Some(Near {
            id: found.id,
            score: found.score.unwrap_or_default(),
            embedding: embedding(found.values),
            record,
        })
    });
    let mut seen = BTreeSet::new();
    near.filter(|near| seen.insert(place(near))).collect()
}
