//! The statements that search the file of an index, inside one read transaction.

use diesel::sql_types::{BigInt, Binary, Float, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::{DocumentId, DocumentVersion, Embedding};
use uuid::Uuid;

use super::fault::Fault;
use super::filter::{Bind, Condition};
use super::vectors::{floats, sketch};
use super::{load, schema};
use crate::terms::Term;
use crate::{Match, VectorError, VectorQuery, fusion, terms};

/// From how many chunks on a word that half of them have says nothing; in a small index it may.
const LARGE_INDEX: i64 = 10_000;

/// Where a chunk stands; in the order that breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) of: DocumentVersion,
    pub(super) ordinal: u32,
    pub(super) row: i64,
}

type Ranking = Vec<(Place, f32)>;

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    document: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
    #[diesel(sql_type = Float)]
    score: f32,
}

/// The best matches of `query`, best first.
pub(super) fn search(
    conn: &mut SqliteConnection,
    query: VectorQuery<'_>,
    rescored: u32,
) -> Result<Vec<Match>, Fault> {
    if !schema::is_present(conn)? {
        return Ok(Vec::new());
    }
    let condition = query.filter.map(Condition::of);
    let dense = match (query.embedding, schema::dimension(conn)?) {
        (Some(embedding), Some(expected)) if embedding.dimension() != expected => {
            let actual = embedding.dimension();
            return Err(Fault::Vector(VectorError::DimensionMismatch { expected, actual }));
        }
        (Some(embedding), Some(_)) => {
            let limit = candidates(query)?;
            Some(nearest(
                conn,
                embedding,
                condition.as_ref(),
                limit,
                i64::from(rescored).max(limit),
            )?)
        }
        _ => None,
    };
    let lexical = relevant(conn, query, condition.as_ref())?;
    fusion::fuse(query.fusion, dense.as_deref(), lexical.as_deref(), query.limit)
        .into_iter()
        .map(|(place, score)| load::found(conn, place, score, query.with_embeddings))
        .collect()
}

fn candidates(query: VectorQuery<'_>) -> Result<i64, Fault> {
    i64::try_from(fusion::candidates(query.limit)).map_err(Fault::out_of_range)
}

/// The nearest by cosine among the `rescored` whose sketches differ least of those that meet the condition.
fn nearest(
    conn: &mut SqliteConnection,
    wanted: &Embedding,
    condition: Option<&Condition>,
    limit: i64,
    rescored: i64,
) -> Result<Ranking, Fault> {
    let sketches = match condition {
        None => "sketches AS s".to_owned(),
        Some(Condition { sql, .. }) => {
            format!("chunks AS c CROSS JOIN sketches AS s ON s.id = c.id WHERE {sql}")
        }
    };
    let sql = format!(
        "SELECT c.id, v.document, v.version, c.ordinal, 1.0 - best.distance AS score FROM (
             SELECT e.id, vec_distance_cosine(e.value, ?) AS distance FROM (
                 SELECT s.id FROM {sketches} ORDER BY vec_distance_hamming(vec_bit(s.bits), vec_bit(?)) LIMIT ?
             ) AS near CROSS JOIN embeddings AS e ON e.id = near.id
             ORDER BY distance LIMIT ?
         ) AS best CROSS JOIN chunks AS c ON c.id = best.id CROSS JOIN versions AS v ON v.id = c.version"
    );
    let conditional = condition
        .map(|condition| condition.binds.clone())
        .unwrap_or_default();
    let binds = std::iter::once(Bind::Bytes(floats(wanted)))
        .chain(conditional)
        .chain([
            Bind::Bytes(sketch(wanted)),
            Bind::Integer(rescored),
            Bind::Integer(limit),
        ]);
    ranked(conn, &sql, binds)
}

/// The most relevant by BM25 of those that have at least one of the words and meet the condition; `None` when there is no
/// word to search for.
fn relevant(
    conn: &mut SqliteConnection,
    query: VectorQuery<'_>,
    condition: Option<&Condition>,
) -> Result<Option<Ranking>, Fault> {
    let terms = telling(conn, terms::query_terms(query.text))?;
    if terms.is_empty() {
        return Ok(None);
    }
    let (join, conditional) = match condition {
        None => (String::new(), Vec::new()),
        Some(Condition { sql, binds }) => (
            format!("CROSS JOIN chunks AS c ON c.id = terms.rowid AND {sql}"),
            binds.clone(),
        ),
    };
    // `bm25()` and not `rank`: sorting by that takes nearly twice as long.
    let sql = format!(
        "SELECT c.id, v.document, v.version, c.ordinal, -best.score AS score FROM (
             SELECT terms.rowid AS id, bm25(terms) AS score FROM terms {join} WHERE terms MATCH ? ORDER BY score LIMIT ?
         ) AS best CROSS JOIN chunks AS c ON c.id = best.id CROSS JOIN versions AS v ON v.id = c.version"
    );
    let expression = [
        Bind::Text(match_expression(&terms)),
        Bind::Integer(candidates(query)?),
    ];
    ranked(conn, &sql, conditional.into_iter().chain(expression)).map(Some)
}

/// Leaves out the terms that more than half of a large index has, unless all are such: BM25 gives them no weight, and
/// to score every chunk for them costs more than the rest of the search. These are the stopwords of other languages.
fn telling(conn: &mut SqliteConnection, terms: Vec<Term>) -> Result<Vec<Term>, Fault> {
    let half = schema::highest_id(conn)? / 2;
    if half < LARGE_INDEX / 2 {
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

fn ranked(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl Iterator<Item = Bind>,
) -> Result<Ranking, Fault> {
    let statement = binds.fold(sql_query(sql).into_boxed(), |statement, bind| bind.to(statement));
    let placed = statement.load::<Candidate>(conn)?.into_iter().map(|row| {
        let place = Place {
            of: version(&row.document, row.version)?,
            ordinal: u32::try_from(row.ordinal).map_err(Fault::out_of_range)?,
            row: row.id,
        };
        Ok((place, row.score))
    });
    let mut ranking = placed.collect::<Result<Vec<_>, Fault>>()?;
    fusion::rank(&mut ranking);
    Ok(ranking)
}

/// The version that a row of `versions` names.
pub(super) fn version(document: &[u8], version: i64) -> Result<DocumentVersion, Fault> {
    let document = Uuid::from_slice(document).map_err(Fault::out_of_range)?;
    Ok(DocumentVersion {
        document: DocumentId::from_uuid(document),
        version: u32::try_from(version).map_err(Fault::out_of_range)?,
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
