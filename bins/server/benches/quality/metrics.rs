//! How good a ranking is, by judgements.

use std::collections::HashMap;

/// The judged relevance of documents for one query, by document; 0 is "not relevant".
pub(crate) type Judgements = HashMap<String, u32>;

/// The normalised discounted cumulated gain of the first `k`, 0 to 1, as `trec_eval`'s `ndcg_cut` has it: the gain is the judged
/// relevance, discounted by the logarithm to base 2 of the rank plus one (Järvelin and Kekäläinen, "Cumulated gain-based
/// evaluation of IR techniques", TOIS 2002).
pub(crate) fn ndcg(ranking: &[String], judged: &Judgements, k: usize) -> f64 {
    let gains = ranking.iter().map(|document| gain(judged, document));
    let mut ideal: Vec<f64> = judged.values().copied().map(f64::from).collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best = discounted(ideal.into_iter().take(k));
    if best == 0.0 {
        0.0
    } else {
        discounted(gains.take(k)) / best
    }
}

/// The share of the relevant documents that is among the first `k`.
pub(crate) fn recall(ranking: &[String], judged: &Judgements, k: usize) -> f64 {
    let relevant = judged.values().filter(|&&relevance| relevance > 0).count();
    let found = ranking
        .iter()
        .take(k)
        .filter(|document| gain(judged, document) > 0.0)
        .count();
    if relevant == 0 {
        0.0
    } else {
        count(found) / count(relevant)
    }
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / count(values.len())
    }
}

fn gain(judged: &Judgements, document: &str) -> f64 {
    f64::from(judged.get(document).copied().unwrap_or_default())
}

fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    gains
        .zip(2_u32..)
        .map(|(gain, rank)| gain / f64::from(rank).log2())
        .sum()
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}
