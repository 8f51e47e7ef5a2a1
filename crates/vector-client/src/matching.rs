//! Compares texts by their words, as lexical search reads them.

use std::collections::HashSet;

use crate::terms;

/// Endings that common English stemmers take off or write alike.
const ENDINGS: [&str; 16] = [
    "", "ation", "ations", "e", "ed", "er", "ers", "es", "ies", "ing", "ings", "ion", "ions", "ly", "s", "y",
];

/// The terms of `query` that stand in `text`, in the query's order, to show why a text was found. English endings are compared
/// roughly: which words a store's stemmer holds for the same differs a little from store to store.
///
/// # Examples
/// ```
/// use tenantry_vector_client::matched_terms;
///
/// let terms = matched_terms("What does a late return cost?", "Returning a book late costs a fee.");
/// assert_eq!(terms, ["late", "return", "cost"]);
/// ```
pub fn matched_terms(query: &str, text: &str) -> Vec<String> {
    let words: HashSet<String> = terms::indexed_terms(text)
        .iter()
        .flat_map(|term| plain(term))
        .collect();
    let stands = |term: &terms::Term| {
        words.contains(&term.text)
            || words.iter().any(|word| {
                if term.prefix {
                    word.starts_with(&term.text)
                } else {
                    is_same_word(word, &term.text)
                }
            })
    };
    let terms = terms::query_terms(query).into_iter().filter(stands);
    terms.map(|term| term.text).collect()
}

/// How much two texts are alike by their words, 0 to 1: those that both have among all that either has (Jaccard). Words that say
/// nothing of a subject do not count.
pub fn word_overlap(one: &str, other: &str) -> f32 {
    let (one, other) = (words_of(one), words_of(other));
    // Whole numbers below 2^24 are exact in an f32, and no chunk has that many words.
    let count = |n: usize| f32::from(u16::try_from(n).unwrap_or(u16::MAX));
    let shared = one.intersection(&other).count();
    let all = one.len() + other.len() - shared;
    if all == 0 { 0.0 } else { count(shared) / count(all) }
}

fn words_of(text: &str) -> HashSet<String> {
    terms::indexed_terms(text)
        .iter()
        .flat_map(|term| plain(term))
        .filter(|word| !terms::is_stopword(word))
        .collect()
}

/// The words of an indexed term without what stands around and between them.
fn plain(term: &str) -> impl Iterator<Item = String> {
    let words = term.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Whether two ASCII words differ in their endings alone.
fn is_same_word(one: &str, other: &str) -> bool {
    let common = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let ending = |word: &str| word.get(common..).is_some_and(|rest| ENDINGS.contains(&rest));
    common >= 3 && one.is_ascii() && other.is_ascii() && ending(one) && ending(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_matched_as_the_index_has_them() {
        let matched = |query, text| matched_terms(query, text);
        assert_eq!(
            matched("refunded policies", "Our policy on REFUNDS."),
            ["refunded", "policies"]
        );
        assert_eq!(matched("the fee", "the price"), [""; 0]);
        assert_eq!(matched("黒猫が好き", "私は黒猫を飼う"), ["黒猫"]);
        assert_eq!(matched("猫", "黒猫を飼う"), ["猫"]);
        assert_eq!(matched("error 404", "error 40 or 4045"), ["error"]);
        assert_eq!(matched("café", "a cafés"), [""; 0]);
        assert!(matched("", "text").is_empty() && matched("text", "").is_empty());
    }

    #[test]
    fn overlap_is_the_share_of_common_words() {
        let alike = |one, other, expected: f32| {
            let overlap = word_overlap(one, other);
            assert!((overlap - expected).abs() < 1e-6, "{one:?} {other:?} {overlap}");
        };
        alike("late fee", "Late, fee!", 1.0);
        alike("late fee", "opening hours", 0.0);
        alike("late fee", "the late train is late", 1.0 / 3.0);
        alike("", "", 0.0);
    }
}
