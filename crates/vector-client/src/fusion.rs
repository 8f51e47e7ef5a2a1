//! Merges a dense and a lexical ranking into one.

use std::collections::BTreeMap;

use tenantry_domain::{ScoreParts, TopK};

/// How two rankings become one: reciprocal rank fusion.
///
/// A chunk's score is the sum, over the rankings that found it, of `weight / (k + rank)`, ranks counted from 1 (Cormack,
/// Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009,
/// where `k` is 60 and every weight 1). The defaults are those of four English collections with a small sentence
/// encoder: they never fell below BM25 alone, as the paper's did on some.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// How much the first ranks stand out; a smaller one makes them count for more.
    pub k: f32,
    /// What the dense ranking counts for.
    pub dense_weight: f32,
    /// What the lexical ranking counts for.
    pub lexical_weight: f32,
}

impl Default for Fusion {
    /// `k` of 10, half weight on the dense ranking, full weight on the lexical one.
    fn default() -> Self {
        Self {
            k: 10.0,
            dense_weight: 0.5,
            lexical_weight: 1.0,
        }
    }
}

/// How many of a ranking's best are fused for a search of `limit`: enough that a chunk which both rankings know is not
/// lost because one has it just below the limit.
pub(crate) fn candidates(limit: TopK) -> usize {
    usize::from(limit.get()).saturating_mul(4).max(50)
}

/// Sorts a ranking best first, ties by key.
pub(crate) fn rank<K: Ord>(ranking: &mut [(K, f32)]) {
    ranking.sort_by(|(a, a_score), (b, b_score)| b_score.total_cmp(a_score).then_with(|| a.cmp(b)));
}

/// Fuses two rankings, each best first, into the best `limit`, ties by key.
pub(crate) fn fuse<K: Ord + Copy>(
    fusion: &Fusion,
    dense: &[(K, f32)],
    lexical: &[(K, f32)],
    limit: TopK,
) -> Vec<(K, ScoreParts)> {
    let mut fused: BTreeMap<K, ScoreParts> = BTreeMap::new();
    for (rank, (key, score)) in (1_u16..).zip(dense) {
        let parts = fused.entry(*key).or_default();
        parts.dense = Some(*score);
        parts.score += fusion.dense_weight / (fusion.k + f32::from(rank));
    }
    for (rank, (key, score)) in (1_u16..).zip(lexical) {
        let parts = fused.entry(*key).or_default();
        parts.lexical = Some(*score);
        parts.score += fusion.lexical_weight / (fusion.k + f32::from(rank));
    }
    let mut fused: Vec<_> = fused.into_iter().collect();
    // The sort is stable and the map is ordered, so ties stay in the order of their keys.
    fused.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    fused.truncate(usize::from(limit.get()));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(n: u16) -> TopK {
        TopK::new(n).unwrap()
    }

    #[test]
    fn a_chunk_that_both_rankings_found_beats_one_that_only_one_found() {
        let dense = [("both", 0.9), ("dense", 0.8)];
        let lexical = [("lexical", 7.0), ("both", 6.0)];
        let fused = fuse(&Fusion::default(), &dense, &lexical, top(10));
        let keys: Vec<_> = fused.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["both", "lexical", "dense"]);
        let (_, both) = fused[0];
        assert_eq!((both.dense, both.lexical), (Some(0.9), Some(6.0)));
        assert!((both.score - (0.5 / 11.0 + 1.0 / 12.0)).abs() < 1e-6);
        let (_, lexical) = fused[1];
        assert_eq!((lexical.dense, lexical.lexical), (None, Some(7.0)));
    }

    #[test]
    fn ties_are_broken_by_key_and_the_limit_holds() {
        let fusion = Fusion {
            k: 60.0,
            dense_weight: 1.0,
            lexical_weight: 1.0,
        };
        let fused = fuse(&fusion, &[(2, 0.5), (3, 0.4)], &[(1, 9.0), (4, 8.0)], top(3));
        assert_eq!(fused.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_ranking_is_sorted_best_first_and_ties_by_key() {
        let mut ranking = [(3, 0.5), (1, 0.5), (2, 0.9)];
        rank(&mut ranking);
        assert_eq!(ranking.map(|(key, _)| key), [2, 1, 3]);
    }

    #[test]
    fn four_times_the_limit_are_candidates_and_never_fewer_than_fifty() {
        assert_eq!((candidates(top(1)), candidates(top(100))), (50, 400));
    }
}
