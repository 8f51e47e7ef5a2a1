//! The lexical ranking: BM25 with the constants and the inverse document frequency of SQLite's FTS5
//! (<https://www.sqlite.org/fts5.html#the_bm25_function>), from the postings of this index alone.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Double, Text};

use super::fault::Fault;
use super::read::{Place, Search, ranking};
use super::words::{STEM, query_terms};
use crate::terms::Term;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// From how many chunks on a word that half of them have says nothing; in a small index it may.
const LARGE_INDEX: i64 = 10_000;

/// A range of terms that counts as one, and how many chunks have them, up to the most that were counted.
#[derive(QueryableByName)]
struct Wanted {
    #[diesel(sql_type = Text)]
    low: String,
    #[diesel(sql_type = Text)]
    high: String,
    #[diesel(sql_type = BigInt)]
    holders: i64,
}

/// The most relevant of the chunks that have at least one of the query's words; `None` for a query without words.
pub(super) fn relevant(
    conn: &mut PgConnection,
    search: &Search<'_>,
) -> Result<Option<Vec<(Place, f32)>>, Fault> {
    let terms = query_terms(search.query.text);
    if terms.is_empty() {
        return Ok(None);
    }
    let wanted = telling(conn, search, &terms)?;
    let total = float(search.facts.chunks)?;
    let mean_words = (float(search.facts.words)? / total.max(1.0)).max(1.0);
    let weights = wanted.iter().map(|term| Ok(weight(total, float(term.holders)?)));
    let weights = weights.collect::<Result<Vec<_>, Fault>>()?;
    let (low, high): (Vec<_>, Vec<_>) = wanted.into_iter().map(|term| (term.low, term.high)).unzip();
    let passing = search.passing.condition("version_id", 9);
    // `LATERAL` has each term looked up by the key of the postings, whatever the planner thinks of their number.
    let best = format!(
        "SELECT version_id, ordinal, sum(weight * times / (times + $6 + $7 * words)) AS score
         FROM unnest($3, $4, $5) AS term(low, high, weight)
         CROSS JOIN LATERAL (
             SELECT version_id, ordinal, times, words FROM tenantry_vector_postings
             WHERE tenant_id = $1 AND generation = $2 AND term >= low AND term <= high OFFSET 0
         ) AS found
         WHERE true {passing} GROUP BY version_id, ordinal ORDER BY score DESC, version_id, ordinal LIMIT $8"
    );
    let ranking = ranking(conn, search, &best, |query| {
        query
            .bind::<Array<Text>, _>(low)
            .bind::<Array<Text>, _>(high)
            .bind::<Array<Double>, _>(weights)
            .bind::<Double, _>(K1 * (1.0 - B))
            .bind::<Double, _>(K1 * B / mean_words)
            .bind::<BigInt, _>(search.candidates)
    })?;
    Ok(Some(ranking))
}

/// The terms with how many chunks have them, without those that more than half of a large index has, unless all are such: BM25
/// gives them no weight, and to score every chunk for them costs more than the rest of the search. These are the stopwords
/// of other languages.
fn telling(conn: &mut PgConnection, search: &Search<'_>, terms: &[Term]) -> Result<Vec<Wanted>, Fault> {
    let chunks = search.facts.chunks;
    let most = if chunks < LARGE_INDEX { chunks } else { chunks / 2 };
    let wanted = sql_query(format!(
        "SELECT low, high, (
             SELECT count(*) FROM (
                 SELECT FROM tenantry_vector_postings AS p
                 WHERE p.tenant_id = $1 AND p.generation = $2 AND p.term >= low AND p.term <= high LIMIT $5
             ) AS held
         ) AS holders
         FROM (
             SELECT DISTINCT stem AS low, CASE WHEN prefix THEN stem || chr(1114111) ELSE stem END AS high
             FROM (SELECT CASE WHEN prefix THEN word ELSE {STEM} END AS stem, prefix FROM unnest($3, $4) AS words(word, prefix))
                 AS stems
         ) AS terms"
    ))
    .bind::<Text, _>(search.key.tenant)
    .bind::<BigInt, _>(search.key.generation)
    .bind::<Array<Text>, _>(terms.iter().map(|term| term.text.as_str()).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(terms.iter().map(|term| term.prefix).collect::<Vec<_>>())
    .bind::<BigInt, _>(most)
    .load::<Wanted>(conn)?;
    let is_telling = |term: &Wanted| chunks < LARGE_INDEX || term.holders < most;
    if wanted.iter().any(is_telling) {
        Ok(wanted.into_iter().filter(is_telling).collect())
    } else {
        Ok(wanted)
    }
}

/// What one term counts for, with the `k1 + 1` that every term is multiplied by.
fn weight(total: f64, holders: f64) -> f64 {
    ((total - holders + 0.5) / (holders + 0.5)).ln().max(1e-6) * (K1 + 1.0)
}

/// A count as a float; what the server counts is far below 2^32.
fn float(count: i64) -> Result<f64, Fault> {
    u32::try_from(count)
        .map(f64::from)
        .map_err(|_| Fault::out_of_range("count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_term_weighs_more_and_a_common_one_next_to_nothing() {
        assert!(weight(100.0, 1.0) > weight(100.0, 10.0));
        assert!((weight(100.0, 80.0) - 1e-6 * 2.2).abs() < 1e-12);
        assert!((weight(100.0, 10.0) - (90.5_f64 / 10.5).ln() * 2.2).abs() < 1e-12);
    }
}
