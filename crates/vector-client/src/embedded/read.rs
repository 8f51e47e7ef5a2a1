//! The statements that search a tenant's file, inside one read transaction.

use diesel::sql_types::{BigInt, Binary, Float, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::{Chunk, DocumentId, Embedding, ScoreParts, Span};
use uuid::Uuid;

use super::fault::Fault;
use super::options::EmbeddedOptions;
use super::schema;
use super::vectors::{floats, sketch};
use crate::terms::Term;
use crate::{Match, VectorError, VectorQuery, fusion, terms};

/// From how many chunks on a word that half of them have says nothing; in a small collection it may.
const LARGE_COLLECTION: i64 = 10_000;

/// Where a chunk stands; in the order that breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    document: DocumentId,
    ordinal: u32,
    row: i64,
}

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    document: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
    #[diesel(sql_type = Float)]
    score: f32,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    span_start: i64,
    #[diesel(sql_type = BigInt)]
    span_end: i64,
    #[diesel(sql_type = Text)]
    text: String,
}

/// The best matches of `query`, best first.
pub(super) fn search(
    conn: &mut SqliteConnection,
    query: VectorQuery<'_>,
    options: &EmbeddedOptions,
) -> Result<Vec<Match>, Fault> {
    if !schema::is_present(conn)? {
        return Ok(Vec::new());
    }
    let candidates = fusion::candidates(query.limit);
    let dense = match (query.embedding, schema::dimension(conn)?) {
        (Some(embedding), Some(expected)) if embedding.dimension() != expected => {
            let actual = embedding.dimension();
            return Err(Fault::Vector(VectorError::DimensionMismatch { expected, actual }));
        }
        (Some(embedding), Some(_)) => nearest(conn, embedding, candidates, options.rescored)?,
        _ => Vec::new(),
    };
    let lexical = relevant(conn, query.text, candidates)?;
    fusion::fuse(&options.fusion, &dense, &lexical, query.limit)
        .into_iter()
        .map(|(place, score)| load(conn, place, score))
        .collect()
}

/// The nearest by cosine among the `rescored` whose sketches differ least.
fn nearest(
    conn: &mut SqliteConnection,
    wanted: &Embedding,
    candidates: usize,
    rescored: u32,
) -> Result<Vec<(Place, f32)>, Fault> {
    let rows = sql_query(
        "SELECT c.id, c.document, c.ordinal, 1.0 - best.distance AS score FROM (
             SELECT e.id, vec_distance_cosine(e.value, ?) AS distance FROM (
                 SELECT id FROM sketches ORDER BY vec_distance_hamming(vec_bit(bits), vec_bit(?)) LIMIT ?
             ) AS near CROSS JOIN embeddings AS e ON e.id = near.id
             ORDER BY distance LIMIT ?
         ) AS best CROSS JOIN chunks AS c ON c.id = best.id",
    )
    .bind::<Binary, _>(floats(wanted))
    .bind::<Binary, _>(sketch(wanted))
    .bind::<BigInt, _>(i64::from(rescored))
    .bind::<BigInt, _>(i64::try_from(candidates).map_err(Fault::out_of_range)?)
    .load::<Candidate>(conn)?;
    ranked(rows)
}

/// The most relevant by BM25 of those that have at least one of the words.
fn relevant(conn: &mut SqliteConnection, text: &str, candidates: usize) -> Result<Vec<(Place, f32)>, Fault> {
    let terms = telling(conn, terms::query_terms(text))?;
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    // `bm25()` and not `rank`: sorting by that takes nearly twice as long.
    let rows = sql_query(
        "SELECT c.id, c.document, c.ordinal, -best.score AS score FROM (
             SELECT rowid, bm25(terms) AS score FROM terms WHERE terms MATCH ? ORDER BY score LIMIT ?
         ) AS best CROSS JOIN chunks AS c ON c.id = best.rowid",
    )
    .bind::<Text, _>(match_expression(&terms))
    .bind::<BigInt, _>(i64::try_from(candidates).map_err(Fault::out_of_range)?)
    .load::<Candidate>(conn)?;
    ranked(rows)
}

/// Leaves out the terms that more than half of a large collection has, unless all are such: BM25 gives them no weight, and
/// to score every chunk for them costs more than the rest of the search. These are the stopwords of other languages.
fn telling(conn: &mut SqliteConnection, terms: Vec<Term>) -> Result<Vec<Term>, Fault> {
    let half = schema::highest_id(conn)? / 2;
    if half < LARGE_COLLECTION / 2 {
        return Ok(terms);
    }
    let mut kept = Vec::new();
    for term in &terms {
        let holders =
            sql_query("SELECT count(*) AS value FROM (SELECT 1 FROM terms WHERE terms MATCH ? LIMIT ?)")
                .bind::<Text, _>(match_expression(std::slice::from_ref(term)))
                .bind::<BigInt, _>(half)
                .get_result::<schema::Number>(conn)?;
        if holders.value < half {
            kept.push(term.clone());
        }
    }
    Ok(if kept.is_empty() { terms } else { kept })
}

/// FTS5's spelling of "any of the terms" (<https://www.sqlite.org/fts5.html#full_text_query_syntax>).
fn match_expression(terms: &[Term]) -> String {
    // A term has letters and digits alone, so nothing in it can end the quotes.
    let quoted = terms
        .iter()
        .map(|term| format!("\"{}\"{}", term.text, if term.prefix { "*" } else { "" }));
    quoted.collect::<Vec<_>>().join(" OR ")
}

fn ranked(rows: Vec<Candidate>) -> Result<Vec<(Place, f32)>, Fault> {
    let placed = rows.into_iter().map(|row| {
        let document = Uuid::from_slice(&row.document).map_err(Fault::out_of_range)?;
        let ordinal = u32::try_from(row.ordinal).map_err(Fault::out_of_range)?;
        Ok((
            Place {
                document: DocumentId::from_uuid(document),
                ordinal,
                row: row.id,
            },
            row.score,
        ))
    });
    let mut ranking = placed.collect::<Result<Vec<_>, Fault>>()?;
    fusion::rank(&mut ranking);
    Ok(ranking)
}

fn load(conn: &mut SqliteConnection, place: Place, score: ScoreParts) -> Result<Match, Fault> {
    let stored = sql_query("SELECT span_start, span_end, text FROM chunks WHERE id = ?")
        .bind::<BigInt, _>(place.row)
        .get_result::<Stored>(conn)?;
    let start = u32::try_from(stored.span_start).map_err(Fault::out_of_range)?;
    let end = u32::try_from(stored.span_end).map_err(Fault::out_of_range)?;
    let chunk = Chunk {
        ordinal: place.ordinal,
        span: Span { start, end },
        text: stored.text,
    };
    Ok(Match {
        document: place.document,
        chunk,
        score,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_quoted_and_joined_by_or() {
        let expression = |text| match_expression(&terms::query_terms(text));
        assert_eq!(
            expression("reset NEAR(\"password\")"),
            r#""reset" OR "near" OR "password""#
        );
        assert_eq!(expression("猫"), r#""猫"*"#);
    }
}
