//! How a result came about, in numbers and words that a person can follow.

use tenantry_domain::{EmbeddingModel, Fusion, Hit, ScoreParts, Span};
use tenantry_llm_client::LlmError;
use tenantry_vector_client::matched_terms;

use super::QuerySpending;
use super::merge::Group;

/// What a search found.
#[derive(Debug)]
pub struct SearchResult {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Whether a reranker ordered them.
    pub reranking: Reranking,
    /// How the result came about, when it was asked for.
    pub explanation: Option<Explanation>,
    /// What embedding the query took; `None` where nothing was embedded.
    pub spent: Option<QuerySpending>,
}

/// What a reranker did.
#[derive(Debug)]
pub enum Reranking {
    /// None is configured, none was wanted, or there was nothing to order.
    Off,
    /// It ordered the best candidates.
    Done,
    /// It failed, and the hits are in the order of the fused rankings.
    Failed(LlmError),
}

/// How a result came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Whether embeddings were searched.
    pub dense: DenseSearch,
    /// Whether words were searched; an index that another tool fills has embeddings alone.
    pub lexical: bool,
    /// How the rankings were fused.
    pub fusion: Fusion,
    /// The lowest score of a hit.
    pub min_score: Option<f32>,
    /// What became of the candidates.
    pub counts: CandidateCounts,
    /// One explanation a hit, in the order of the hits.
    pub hits: Vec<HitExplanation>,
}

/// Whether embeddings were searched, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenseSearch {
    /// They were, by this model.
    Searched(EmbeddingModel),
    /// They were, by this model, though it does not read the query's language: the index has nothing else.
    SearchedUnread(EmbeddingModel),
    /// The index has none.
    NoModel,
    /// Left out: the model does not read the query's language, and would bring the wrong passages up.
    UnreadLanguage(EmbeddingModel),
    /// Left out: the dense ranking has no weight.
    NoWeight(EmbeddingModel),
}

/// What became of the candidates that the vector store found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CandidateCounts {
    /// How many were asked for at last; more than at first when too many had to be left out.
    pub asked: usize,
    /// How many were found.
    pub found: usize,
    /// Left out: of documents that are not ready, or of versions that are not the ready one.
    pub not_ready: usize,
    /// Left out: the filter does not let them through.
    pub filtered: usize,
    /// Left out: too far behind for the reranker.
    pub not_reranked: usize,
    /// Left out: below the minimum score.
    pub below_min_score: usize,
}

/// How a hit came to its place.
#[derive(Debug, Clone, PartialEq)]
pub struct HitExplanation {
    /// What the dense ranking gave; with `lexical` it adds up to the fused score.
    pub dense: Option<Contribution>,
    /// What the lexical ranking gave.
    pub lexical: Option<Contribution>,
    /// The query's terms that stand in the hit; endings are compared roughly.
    pub terms: Vec<String>,
    /// Its place by the fused score, from 1.
    pub fused_place: usize,
    /// Its place after reranking, from 1; without it the same.
    pub relevance_place: usize,
    /// What diversity made of its score, where that was asked for.
    pub diversity: Option<Diversity>,
    /// The chunks that became this hit, in the order of the text; one, when none were merged.
    pub chunks: Vec<MergedChunk>,
}

/// What one ranking gave to a fused score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// The place in the ranking, from 1.
    pub rank: u16,
    /// The ranking's own score.
    pub score: f32,
    /// The ranking's weight.
    pub weight: f32,
    /// The part of the fused score that it is.
    pub part: f32,
}

/// What diversity made of a score: `(1 - diversity) * score - diversity * similarity`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diversity {
    /// The similarity to the nearest hit before it, 0 to 1.
    pub similarity: f32,
    /// What hits were chosen by.
    pub value: f32,
}

/// A chunk that became part of a hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MergedChunk {
    /// Its place in the document.
    pub ordinal: u32,
    /// Where it stands in the document's text.
    pub span: Span,
    /// Its score before it was merged.
    pub score: f32,
}

impl HitExplanation {
    /// How `hit`, which `chunks` became, came to its place.
    pub(super) fn of(hit: &Hit, group: &Group, query: &str, fusion: Fusion) -> Self {
        let (dense, lexical) = contributions(hit.score, fusion);
        let mut searched = vec![hit.title.as_str()];
        searched.extend(hit.chunk.headings.iter().map(String::as_str));
        searched.push(&hit.chunk.text);
        let best = group.best();
        Self {
            dense,
            lexical,
            terms: matched_terms(query, &searched.join("\n")),
            fused_place: best.map_or(0, |best| best.candidate.fused_place),
            relevance_place: best.map_or(0, |best| best.relevance_place),
            diversity: best.and_then(|best| best.diversity),
            chunks: group.chunks.iter().map(MergedChunk::from).collect(),
        }
    }
}

/// Shares a fused score out among the rankings as reciprocal rank fusion made it: by `weight / (k + rank)`.
fn contributions(score: ScoreParts, fusion: Fusion) -> (Option<Contribution>, Option<Contribution>) {
    let raw =
        |rank: Option<u16>, weight: f32| rank.map_or(0.0, |rank| weight / (fusion.k() + f32::from(rank)));
    let dense = raw(score.dense_rank, fusion.dense_weight());
    let lexical = raw(score.lexical_rank, fusion.lexical_weight());
    let contribution = |rank: Option<u16>, own: Option<f32>, weight, raw: f32| {
        let whole = dense + lexical;
        // A ranking that was searched alone has all the weight, also when its own is 0.
        let share = if whole > 0.0 { raw / whole } else { 1.0 };
        Some(Contribution {
            rank: rank?,
            score: own?,
            weight,
            part: score.fused * share,
        })
    };
    (
        contribution(score.dense_rank, score.dense, fusion.dense_weight(), dense),
        contribution(
            score.lexical_rank,
            score.lexical,
            fusion.lexical_weight(),
            lexical,
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_add_up_to_the_fused_score() {
        let score = ScoreParts {
            fused: (0.5 / 11.0 + 1.0 / 12.0) / (1.5 / 11.0),
            dense: Some(0.9),
            dense_rank: Some(1),
            lexical: Some(6.0),
            lexical_rank: Some(2),
            ..ScoreParts::default()
        };
        let (dense, lexical) = contributions(score, Fusion::default());
        let (dense, lexical) = (dense.unwrap(), lexical.unwrap());
        assert!((dense.part + lexical.part - score.fused).abs() < 1e-6);
        assert!(
            (dense.part - (0.5 / 11.0) / (1.5 / 11.0)).abs() < 1e-6,
            "{dense:?}"
        );
        assert_eq!((lexical.rank, lexical.weight), (2, 1.0));
    }

    #[test]
    fn a_ranking_that_was_searched_alone_gives_all_of_the_score() {
        let words_alone = ScoreParts {
            fused: 11.0 / 12.0,
            lexical: Some(6.0),
            lexical_rank: Some(2),
            ..ScoreParts::default()
        };
        for fusion in [Fusion::default(), Fusion::new(10.0, 1.0, 0.0).unwrap()] {
            let (dense, lexical) = contributions(words_alone, fusion);
            assert_eq!(dense, None);
            assert!((lexical.unwrap().part - words_alone.fused).abs() < 1e-6);
        }
    }
}
