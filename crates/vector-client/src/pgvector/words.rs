//! The terms of the lexical index: [`crate::terms`], without accents, reduced to stems by PostgreSQL's `english_stem`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text};
use unicode_normalization::char::decompose_canonical;

use crate::terms::{self, Term};

/// The longest indexed term in characters, as long as a query's may be; a key of an index holds no more than 2,700 bytes.
const MAX_TERM_CHARS: usize = 100;

/// The stem of `word`; the dictionary gives stopwords none, and they are indexed as they are.
pub(super) const STEM: &str = "coalesce((ts_lexize('pg_catalog.english_stem', word))[1], word)";

/// How often each word stands in a text, before stemming.
#[derive(Debug, Default)]
pub(super) struct Words {
    counts: BTreeMap<String, i32>,
    /// How many there are.
    pub(super) total: i32,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let mut words = Self::default();
        for term in terms::indexed_terms(text) {
            words.total = words.total.saturating_add(1);
            if term.chars().count() <= MAX_TERM_CHARS {
                let count = words.counts.entry(plain(&term)).or_default();
                *count = count.saturating_add(1);
            }
        }
        words
    }

    /// How often each stem stands there.
    pub(super) fn stemmed<'s>(&'s self, stems: &'s Stems) -> BTreeMap<&'s str, i32> {
        let mut stemmed = BTreeMap::new();
        for (word, count) in &self.counts {
            let stem = stems.0.get(word).unwrap_or(word);
            let total: &mut i32 = stemmed.entry(stem.as_str()).or_default();
            *total = total.saturating_add(*count);
        }
        stemmed
    }
}

/// Words with their stems.
#[derive(Debug)]
pub(super) struct Stems(HashMap<String, String>);

#[derive(QueryableByName)]
struct Stemmed {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = Text)]
    stem: String,
}

impl Stems {
    /// The stems of all words of `texts`.
    pub(super) fn load(conn: &mut PgConnection, texts: &[Words]) -> QueryResult<Self> {
        let words: BTreeSet<&str> = texts
            .iter()
            .flat_map(|text| text.counts.keys().map(String::as_str))
            .collect();
        let stems = sql_query(format!(
            "SELECT word, {STEM} AS stem FROM unnest($1) AS words(word) WHERE {STEM} <> word"
        ))
        .bind::<Array<Text>, _>(words.into_iter().collect::<Vec<_>>())
        .load::<Stemmed>(conn)?;
        Ok(Self(stems.into_iter().map(|row| (row.word, row.stem)).collect()))
    }
}

/// The terms to search for, as they are indexed but for the stem.
pub(super) fn query_terms(text: &str) -> Vec<Term> {
    let terms = terms::query_terms(text).into_iter();
    terms
        .map(|term| Term {
            text: plain(&term.text),
            ..term
        })
        .collect()
}

/// `word` with Latin letters without their accents, as FTS5's `unicode61` has them.
fn plain(word: &str) -> String {
    let letter = |c: char| {
        let mut base = None;
        if !c.is_ascii() {
            decompose_canonical(c, |part| {
                base.get_or_insert(part);
            });
        }
        base.filter(char::is_ascii_alphabetic).unwrap_or(c)
    };
    word.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_letters_lose_their_accents_and_no_others_change() {
        assert_eq!(plain("zoë café über ờ"), "zoe cafe uber o");
        for unchanged in ["й", "が", "한", "ß", "ø", "हिन्दी", "a1"] {
            assert_eq!(plain(unchanged), unchanged);
        }
    }

    #[test]
    fn stems_are_counted_together_and_long_words_are_only_counted() {
        let words = Words::of(&format!("Refund refunds REFUND, {}", "x".repeat(200)));
        assert_eq!(words.total, 4);
        let stems = Stems(HashMap::from([("refunds".into(), "refund".into())]));
        assert_eq!(words.stemmed(&stems), BTreeMap::from([("refund", 3)]));
    }
}
