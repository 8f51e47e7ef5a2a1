use serde::Serialize;
use tenantry_retrieval::{
    CandidateCounts, Contribution, DenseSearch, Diversity, Explanation, HitExplanation, MergedChunk,
};
use utoipa::ToSchema;

/// How a result came about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(super) struct ExplanationView {
    /// Whether embeddings were searched.
    dense: DenseView,
    /// Whether words were searched.
    lexical: bool,
    /// `off`, `done`, or `failed`, when the fused order stands instead.
    #[schema(example = "off")]
    reranking: &'static str,
    /// How the rankings were fused.
    weights: WeightsView,
    /// The lowest score of a passage.
    min_score: Option<f32>,
    /// What became of the candidates.
    counts: CountsView,
    /// How each passage came to its place, in the order of `items`.
    hits: Vec<HitView>,
}

/// Whether embeddings were searched, and why not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DenseSearch)]
struct DenseView {
    /// Whether they were.
    searched: bool,
    /// The model of the tenant's index.
    #[schema(example = "local/all-MiniLM-L6-v2 (384)")]
    model: Option<String>,
    /// What is to be known of it: `no_model`, `unread_language` (the model does not read the query's language) or `no_weight`.
    note: Option<&'static str>,
}

/// The constants of the fusion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fusion)]
struct WeightsView {
    /// What the dense ranking counted for.
    dense: f32,
    /// What the lexical ranking counted for.
    lexical: f32,
    /// The constant of the fusion.
    k: f32,
}

/// What became of the candidates.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CandidateCounts)]
struct CountsView {
    /// How many were asked for.
    asked: usize,
    /// How many were found.
    found: usize,
    /// Left out: of documents or versions that are not ready.
    not_ready: usize,
    /// Left out: the filter does not let them through.
    filtered: usize,
    /// Left out: too far behind for the reranker.
    not_reranked: usize,
    /// Left out: below the lowest score.
    below_min_score: usize,
}

/// How a passage came to its place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HitExplanation)]
struct HitView {
    /// What the dense ranking gave; with `lexical` it adds up to the fused score.
    dense: Option<ContributionView>,
    /// What the lexical ranking gave.
    lexical: Option<ContributionView>,
    /// The query's terms that stand in the passage.
    terms: Vec<String>,
    /// Its place by the fused score, from 1.
    fused_place: usize,
    /// Its place after reranking, from 1.
    relevance_place: usize,
    /// What diversity made of it, where that was asked for.
    diversity: Option<DiversityView>,
    /// The chunks that became this passage.
    chunks: Vec<ChunkView>,
}

/// What one ranking gave to a fused score.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contribution)]
struct ContributionView {
    /// The place in the ranking, from 1.
    rank: u16,
    /// The ranking's own score.
    score: f32,
    /// The ranking's weight.
    weight: f32,
    /// The part of the fused score.
    part: f32,
}

/// What diversity made of a score.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiversityScore)]
struct DiversityView {
    /// The similarity to the nearest passage before it, 0 to 1.
    similarity: f32,
    /// What passages were chosen by.
    value: f32,
}

/// A chunk that became part of a passage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MergedChunk)]
struct ChunkView {
    /// Its place in the document, from 0.
    chunk: u32,
    /// Where it begins in the document's text.
    start: u32,
    /// Where it ends.
    end: u32,
    /// Its score before it was merged.
    score: f32,
}

impl ExplanationView {
    pub(super) fn new(explanation: Explanation, reranking: &'static str) -> Self {
        let fusion = explanation.fusion;
        Self {
            dense: explanation.dense.into(),
            lexical: explanation.lexical,
            reranking,
            weights: WeightsView {
                dense: fusion.dense_weight(),
                lexical: fusion.lexical_weight(),
                k: fusion.k(),
            },
            min_score: explanation.min_score,
            counts: explanation.counts.into(),
            hits: explanation.hits.into_iter().map(HitView::from).collect(),
        }
    }
}

impl From<DenseSearch> for DenseView {
    fn from(dense: DenseSearch) -> Self {
        let (searched, model, note) = match dense {
            DenseSearch::Searched(model) => (true, Some(model), None),
            DenseSearch::SearchedUnread(model) => (true, Some(model), Some("unread_language")),
            DenseSearch::NoModel => (false, None, Some("no_model")),
            DenseSearch::UnreadLanguage(model) => (false, Some(model), Some("unread_language")),
            DenseSearch::NoWeight(model) => (false, Some(model), Some("no_weight")),
        };
        Self {
            searched,
            model: model.map(|model| model.to_string()),
            note,
        }
    }
}

impl From<CandidateCounts> for CountsView {
    fn from(counts: CandidateCounts) -> Self {
        Self {
            asked: counts.asked,
            found: counts.found,
            not_ready: counts.not_ready,
            filtered: counts.filtered,
            not_reranked: counts.not_reranked,
            below_min_score: counts.below_min_score,
        }
    }
}

impl From<HitExplanation> for HitView {
    fn from(hit: HitExplanation) -> Self {
        Self {
            dense: hit.dense.map(ContributionView::from),
            lexical: hit.lexical.map(ContributionView::from),
            terms: hit.terms,
            fused_place: hit.fused_place,
            relevance_place: hit.relevance_place,
            diversity: hit.diversity.map(DiversityView::from),
            chunks: hit.chunks.into_iter().map(ChunkView::from).collect(),
        }
    }
}

impl From<Contribution> for ContributionView {
    fn from(given: Contribution) -> Self {
        Self {
            rank: given.rank,
            score: given.score,
            weight: given.weight,
            part: given.part,
        }
    }
}

impl From<Diversity> for DiversityView {
    fn from(diversity: Diversity) -> Self {
        Self {
            similarity: diversity.similarity,
            value: diversity.value,
        }
    }
}

impl From<MergedChunk> for ChunkView {
    fn from(merged: MergedChunk) -> Self {
        Self {
            chunk: merged.ordinal,
            start: merged.span.start,
            end: merged.span.end,
            score: merged.score,
        }
    }
}
