//! Splits text into the terms of the lexical index, the same for chunks and for queries.
//!
//! Chinese and Japanese write no spaces, and word-splitting tokenizers take a whole clause for one word. Runs of such
//! characters are therefore written as overlapping two-character terms, on both sides (as Lucene's `CJKBigramFilter`
//! does); a run's last character stands alone as well, so that a query of one character finds it as a prefix.

use std::collections::HashSet;

/// How many different terms of a query are searched for; the rest is left out.
pub(crate) const MAX_QUERY_TERMS: usize = 64;

/// The longest query term in characters; nobody asks for longer words, and they would cost memory.
const MAX_TERM_CHARS: usize = 100;

/// English words that stand in nearly every text and say nothing of its subject.
const STOPWORDS: [&str; 60] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did",
    "do", "does", "for", "from", "had", "has", "have", "he", "how", "i", "if", "in", "into", "is", "it",
    "its", "me", "my", "not", "of", "on", "or", "our", "she", "should", "so", "than", "that", "the", "their",
    "there", "these", "they", "this", "to", "was", "we", "were", "what", "when", "which", "will", "with",
    "would", "you",
];

/// A term to search for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    /// Lower-case letters and digits, nothing else.
    pub(crate) text: String,
    /// Whether longer terms that begin so match as well.
    pub(crate) prefix: bool,
}

/// `text` as a word-splitting index should take it: as it is, but runs of CJK characters as two-character terms.
pub(crate) fn index_text(text: &str) -> String {
    let mut indexed = String::with_capacity(text.len());
    for (is_cjk, run) in runs(text) {
        indexed.push(' ');
        if !is_cjk {
            indexed.push_str(run);
            continue;
        }
        let mut next = run.chars();
        next.next();
        for c in run.chars() {
            indexed.push(c);
            indexed.extend(next.next());
            indexed.push(' ');
        }
    }
    indexed
}

/// The terms of an indexed text, in lower case, repeated as often as they stand there.
pub(crate) fn indexed_terms(text: &str) -> Vec<String> {
    index_text(text)
        .split_whitespace()
        .map(str::to_lowercase)
        .collect()
}

/// The different terms of a query without stopwords, at most [`MAX_QUERY_TERMS`]; a query of stopwords alone keeps them.
pub(crate) fn query_terms(text: &str) -> Vec<Term> {
    let terms = distinct_terms(text, |word| !is_stopword(word));
    if terms.is_empty() {
        distinct_terms(text, |_| true)
    } else {
        terms
    }
}

/// Whether a word in lower case says nothing of a text's subject.
pub(crate) fn is_stopword(word: &str) -> bool {
    STOPWORDS.contains(&word)
}

fn distinct_terms(text: &str, keep: impl Fn(&str) -> bool) -> Vec<Term> {
    let mut seen = HashSet::new();
    runs(text)
        .flat_map(|(is_cjk, run)| if is_cjk { pairs(run) } else { word(run) })
        .filter(|term| term.text.chars().count() <= MAX_TERM_CHARS && keep(&term.text))
        .filter(|term| seen.insert(term.clone()))
        .take(MAX_QUERY_TERMS)
        .collect()
}

fn word(run: &str) -> Vec<Term> {
    vec![Term {
        text: run.to_lowercase(),
        prefix: false,
    }]
}

fn pairs(run: &str) -> Vec<Term> {
    let pairs: Vec<_> = run
        .chars()
        .zip(run.chars().skip(1))
        .take(MAX_QUERY_TERMS)
        .map(|(a, b)| Term {
            text: String::from_iter([a, b]),
            prefix: false,
        })
        .collect();
    if pairs.is_empty() {
        vec![Term {
            text: run.to_owned(),
            prefix: true,
        }]
    } else {
        pairs
    }
}

/// The runs of letters and digits of `text`, each either all CJK or without any.
fn runs(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|mut rest| {
        std::iter::from_fn(move || {
            let is_cjk = is_cjk(rest.chars().next()?);
            let end = rest.find(|c| self::is_cjk(c) != is_cjk).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            rest = tail;
            Some((is_cjk, run))
        })
    })
}

/// Han, Hiragana, Katakana, Bopomofo and Hangul, by the blocks of Unicode 17.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3100}'..='\u{318f}' | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(query: &str) -> Vec<String> {
        query_terms(query).into_iter().map(|term| term.text).collect()
    }

    #[test]
    fn stopwords_are_left_out_unless_there_is_nothing_else() {
        assert_eq!(texts("How do I reset the PASSWORD?"), ["reset", "password"]);
        assert_eq!(texts("to be or not to be"), ["to", "be", "or", "not"]);
    }

    #[test]
    fn the_stopwords_are_sorted_and_in_lower_case() {
        assert!(STOPWORDS.is_sorted());
        assert!(STOPWORDS.iter().all(|word| *word == word.to_lowercase()));
    }

    #[test]
    fn operators_of_a_query_language_are_words_or_nothing() {
        assert_eq!(
            texts("\"a\" NEAR(b* OR c) AND -d col:x ^y {z} + \0 😀"),
            ["near", "b", "c", "d", "col", "x", "y", "z"]
        );
        assert_eq!(texts("'; DROP TABLE chunks; --"), ["drop", "table", "chunks"]);
        assert!(texts("\" * ( ) \0 😀").is_empty());
    }

    #[test]
    fn cjk_runs_are_pairs_in_the_index_and_in_the_query() {
        assert_eq!(
            indexed_terms("iPhone用ケース、黒"),
            ["iphone", "用ケ", "ケー", "ース", "ス", "黒"]
        );
        assert_eq!(texts("黒猫が好き"), ["黒猫", "猫が", "が好", "好き"]);
        assert_eq!(
            query_terms("猫"),
            [Term {
                text: "猫".into(),
                prefix: true
            }]
        );
    }

    #[test]
    fn a_query_of_many_words_is_bounded() {
        let many = (0..100_000).fold(String::new(), |text, n| text + &format!("word{n} "));
        assert_eq!(query_terms(&many).len(), MAX_QUERY_TERMS);
        assert_eq!(query_terms(&"黒猫".repeat(50_000)).len(), 2);
        assert!(query_terms(&"x".repeat(100_000)).is_empty());
    }

    proptest! {
        #[test]
        fn a_term_has_letters_and_digits_alone(text in "\\PC{0,200}") {
            for term in query_terms(&text) {
                prop_assert!(!term.text.is_empty());
                prop_assert!(!term.text.contains(['"', '\0', ' ', '*', '(', ')', ':']), "{:?}", term);
            }
        }

        #[test]
        fn every_long_run_of_a_chunk_finds_it(text in "[a-z黒猫が好きです한국 ]{1,60}") {
            let indexed = indexed_terms(&text);
            for term in query_terms(&text) {
                let found = indexed.iter().any(|word| {
                    if term.prefix { word.starts_with(&term.text) } else { *word == term.text }
                });
                prop_assert!(found, "{:?} in {:?}", term, indexed);
            }
        }
    }
}
