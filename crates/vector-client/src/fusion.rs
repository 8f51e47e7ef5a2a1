//! Merges a dense and a lexical ranking into one, as [`Fusion`] says.

use std::collections::BTreeMap;

use tenantry_domain::{Fusion, ScoreParts, TopK};

/// How many of a ranking's best are fused for a search of `limit`: enough that a chunk which both rankings know is not
/// lost because one has it just below the limit.
pub(crate) fn candidates(limit: TopK) -> usize {
    usize::from(limit.get()).saturating_mul(4).max(50)
}

/// Sorts a ranking best first, ties by key.
pub(crate) fn rank<K: Ord>(ranking: &mut [(K, f32)]) {
    ranking.sort_by(|(a, a_score), (b, b_score)| b_score.total_cmp(a_score).then_with(|| a.cmp(b)));
}

/// Fuses the rankings that were searched, each best first, into the best `limit`, ties by key.
///
/// A ranking of no weight adds no chunks to those that the other one found; searched alone it has all the weight.
pub(crate) fn fuse<K: Ord + Copy>(
    fusion: Fusion,
    dense: Option<&[(K, f32)]>,
    lexical: Option<&[(K, f32)]>,
    limit: TopK,
) -> Vec<(K, ScoreParts)> {
    let (dense_share, lexical_share) = shares(fusion, dense.is_some(), lexical.is_some());
    let mut fused: BTreeMap<K, ScoreParts> = BTreeMap::new();
    for (rank, (key, score)) in (1_u16..).zip(dense.unwrap_or_default()) {
        let parts = fused.entry(*key).or_default();
        parts.dense = Some(*score);
        parts.dense_rank = Some(rank);
        parts.fused += dense_share * closeness(fusion, rank);
    }
    for (rank, (key, score)) in (1_u16..).zip(lexical.unwrap_or_default()) {
        let parts = fused.entry(*key).or_default();
        parts.lexical = Some(*score);
        parts.lexical_rank = Some(rank);
        parts.fused += lexical_share * closeness(fusion, rank);
    }
    let mut fused: Vec<_> = fused.into_iter().filter(|(_, parts)| parts.fused > 0.0).collect();
    // The sort is stable and the map is ordered, so ties stay in the order of their keys.
    fused.sort_by(|(_, a), (_, b)| b.fused.total_cmp(&a.fused));
    fused.truncate(usize::from(limit.get()));
    for (_, parts) in &mut fused {
        parts.fused = parts.fused.min(1.0);
        parts.score = parts.fused;
    }
    fused
}

/// How much of the whole each ranking that was searched can give: together 1.
fn shares(fusion: Fusion, dense: bool, lexical: bool) -> (f32, f32) {
    match (dense, lexical) {
        (true, true) => {
            let whole = fusion.dense_weight() + fusion.lexical_weight();
            (fusion.dense_weight() / whole, fusion.lexical_weight() / whole)
        }
        (true, false) => (1.0, 0.0),
        (false, _) => (0.0, 1.0),
    }
}

/// 1 for the first rank, and the less the further down.
fn closeness(fusion: Fusion, rank: u16) -> f32 {
    (fusion.k() + 1.0) / (fusion.k() + f32::from(rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(n: u16) -> TopK {
        TopK::new(n).unwrap()
    }

    fn keys<K: Copy>(fused: &[(K, ScoreParts)]) -> Vec<K> {
        fused.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn a_chunk_that_both_rankings_found_beats_one_that_only_one_found() {
        let dense = [("both", 0.9), ("dense", 0.8)];
        let lexical = [("lexical", 7.0), ("both", 6.0)];
        let fused = fuse(Fusion::default(), Some(&dense), Some(&lexical), top(10));
        assert_eq!(keys(&fused), ["both", "lexical", "dense"]);
        let (_, both) = fused[0];
        assert_eq!((both.dense, both.lexical), (Some(0.9), Some(6.0)));
        assert_eq!((both.dense_rank, both.lexical_rank), (Some(1), Some(2)));
        assert!((both.score - (0.5 / 11.0 + 1.0 / 12.0) / (1.5 / 11.0)).abs() < 1e-6);
        assert!(
            fused
                .iter()
                .all(|(_, parts)| parts.score.total_cmp(&parts.fused).is_eq())
        );
        let (_, lexical) = fused[1];
        assert_eq!((lexical.dense, lexical.dense_rank), (None, None));
        assert_eq!((lexical.lexical, lexical.lexical_rank), (Some(7.0), Some(1)));
    }

    #[test]
    fn the_default_constants_are_the_measured_ones() {
        let dense: Vec<_> = (0..20).map(|key| (key, 0.5)).collect();
        let lexical: Vec<_> = (20..40).map(|key| (key, 5.0)).collect();
        let fused = fuse(Fusion::default(), Some(&dense), Some(&lexical), top(40));
        // With k of 10 and half weight the first by embedding weighs as much as the 12th by words: 0.5 / 11 = 1 / (10 + 12).
        let place = keys(&fused).iter().position(|key| *key == 0).unwrap();
        assert_eq!(fused[place + 1].1.lexical_rank, Some(12));
        let textbook = Fusion::new(60.0, 1.0, 1.0).unwrap();
        assert_eq!(
            keys(&fuse(textbook, Some(&dense), Some(&lexical), top(3))),
            [0, 20, 1]
        );
    }

    #[test]
    fn the_best_score_is_one_whichever_rankings_were_searched() {
        let ranking = [(1, 0.9), (2, 0.5)];
        for (dense, lexical) in [(true, true), (true, false), (false, true)] {
            let dense = dense.then_some(ranking.as_slice());
            let lexical = lexical.then_some(ranking.as_slice());
            let fused = fuse(Fusion::default(), dense, lexical, top(2));
            assert!((fused[0].1.score - 1.0).abs() < 1e-6, "{fused:?}");
            assert!((fused[1].1.score - 11.0 / 12.0).abs() < 1e-6, "{fused:?}");
        }
        assert!(fuse::<u8>(Fusion::default(), None, None, top(1)).is_empty());
    }

    #[test]
    fn a_ranking_of_no_weight_adds_nothing_unless_it_is_alone() {
        let fusion = Fusion::new(10.0, 0.0, 1.0).unwrap();
        let fused = fuse(fusion, Some(&[(1, 0.9), (2, 0.8)]), Some(&[(2, 4.0)]), top(5));
        assert_eq!(keys(&fused), [2]);
        assert_eq!(fused[0].1.dense_rank, Some(2));
        assert_eq!(
            keys(&fuse(fusion, Some(&[(1, 0.9), (2, 0.8)]), None, top(5))),
            [1, 2]
        );
    }

    #[test]
    fn ties_are_broken_by_key_and_the_limit_holds() {
        let fusion = Fusion::new(60.0, 1.0, 1.0).unwrap();
        let fused = fuse(
            fusion,
            Some(&[(2, 0.5), (3, 0.4)]),
            Some(&[(1, 9.0), (4, 8.0)]),
            top(3),
        );
        assert_eq!(keys(&fused), [1, 2, 3]);
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
