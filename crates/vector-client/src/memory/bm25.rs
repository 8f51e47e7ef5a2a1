//! BM25 over a collection in memory, with the constants and the inverse document frequency of SQLite's FTS5
//! (<https://www.sqlite.org/fts5.html#the_bm25_function>).

use std::collections::BTreeMap;

use crate::terms::{self, Term};

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// How often each term stands in a chunk.
#[derive(Debug, Default)]
pub(super) struct TermCounts {
    counts: BTreeMap<String, u16>,
    length: f32,
}

impl TermCounts {
    pub(super) fn of(text: &str) -> Self {
        let mut counted = Self::default();
        for term in terms::indexed_terms(text) {
            let count = counted.counts.entry(term).or_default();
            *count = count.saturating_add(1);
            counted.length += 1.0;
        }
        counted
    }

    fn count(&self, term: &Term) -> f32 {
        if !term.prefix {
            return self.counts.get(&term.text).map_or(0.0, |count| f32::from(*count));
        }
        let longer = self.counts.range(term.text.clone()..);
        longer
            .take_while(|(word, _)| word.starts_with(&term.text))
            .map(|(_, count)| f32::from(*count))
            .sum()
    }
}

/// The relevance of each chunk that has at least one of the terms and is `wanted`, in no order. How much a term counts for is
/// measured on all chunks.
pub(super) fn relevance<'c, K: Copy + 'c>(
    chunks: impl Iterator<Item = (K, &'c TermCounts)> + Clone,
    terms: &[Term],
    wanted: impl Fn(K) -> bool,
) -> Vec<(K, f32)> {
    // Whole numbers in an f32 are exact up to 2^24, far above what is kept in memory.
    let total: f32 = chunks.clone().map(|_| 1.0).sum();
    let mean_length = chunks.clone().map(|(_, counts)| counts.length).sum::<f32>() / total.max(1.0);
    let frequencies: Vec<f32> = terms
        .iter()
        .map(|term| {
            let having: f32 = chunks
                .clone()
                .filter(|(_, counts)| counts.count(term) > 0.0)
                .map(|_| 1.0)
                .sum();
            ((total - having + 0.5) / (having + 0.5)).ln().max(1e-6)
        })
        .collect();
    let score = |counts: &TermCounts| -> f32 {
        let damping = K1 * (1.0 - B + B * counts.length / mean_length.max(1.0));
        let per_term = terms.iter().zip(&frequencies).map(|(term, frequency)| {
            let count = counts.count(term);
            frequency * count * (K1 + 1.0) / (count + damping)
        });
        per_term.sum()
    };
    chunks
        .filter(|(key, _)| wanted(*key))
        .map(|(key, counts)| (key, score(counts)))
        .filter(|(_, score)| *score > 0.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relevance_of(texts: &[&str], query: &str) -> Vec<(usize, f32)> {
        let counts: Vec<_> = texts.iter().map(|text| TermCounts::of(text)).collect();
        relevance(counts.iter().enumerate(), &terms::query_terms(query), |_| true)
    }

    #[test]
    fn a_rare_word_counts_for_more_than_a_common_one() {
        let texts = [
            "red apple",
            "red pear",
            "red plum",
            "green grape",
            "green fig",
            "blue sloe",
        ];
        let mut found = relevance_of(&texts, "red pear");
        crate::fusion::rank(&mut found);
        assert_eq!(found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [1, 0, 2]);
        assert!(found[0].1 > 2.0 * found[1].1);
    }

    #[test]
    fn a_chunk_without_any_of_the_words_is_not_found() {
        assert!(relevance_of(&["red apple"], "banana").is_empty());
        assert!(relevance_of(&[], "banana").is_empty());
    }
}
