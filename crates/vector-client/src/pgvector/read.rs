//! A search: two rankings, fused, and the chunks that come out of it; all in one read-only transaction of the tenant.
//!
//! Joins are `LATERAL` with `OFFSET 0`, so that each row is looked up by its whole key: the planner would scan the index
//! for each while its statistics do not know the rows yet.

use std::collections::HashMap;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::query_builder::SqlQuery;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Float, Nullable, Text, Uuid};
use tenantry_domain::{Chunk, DocumentId, DocumentVersion, ScoreParts, Span};

use super::facts::{Facts, Key};
use super::fault::Fault;
use super::passing::Passing;
use super::vector::{Floats, Vector};
use super::{dense, lexical};
use crate::{Match, VectorError, VectorQuery, fusion};

/// Where a chunk stands; in the order that breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    of: DocumentVersion,
    ordinal: u32,
    version_id: i64,
}

/// A chunk that a ranking found.
#[derive(QueryableByName)]
pub(super) struct Candidate {
    #[diesel(sql_type = Uuid)]
    document: uuid::Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    version_id: i64,
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
    #[diesel(sql_type = Float)]
    score: f32,
}

#[derive(QueryableByName)]
struct StoredChunk {
    #[diesel(sql_type = BigInt)]
    version_id: i64,
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
    #[diesel(sql_type = BigInt)]
    span_start: i64,
    #[diesel(sql_type = BigInt)]
    span_end: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    page: Option<i64>,
    #[diesel(sql_type = Text)]
    headings: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Nullable<Vector>)]
    embedding: Option<Floats>,
}

/// What both rankings need to know.
pub(super) struct Search<'q> {
    pub(super) key: Key<'q>,
    pub(super) facts: Facts,
    pub(super) query: VectorQuery<'q>,
    /// The versions whose chunks may be found.
    pub(super) passing: Passing,
    /// How many of a ranking's best are wanted.
    pub(super) candidates: i64,
}

/// The best matches of `query`, best first.
pub(super) fn search(conn: &mut PgConnection, search: &Search<'_>) -> Result<Vec<Match>, Fault> {
    let query = search.query;
    let expected = search.facts.dimension;
    let wanted = match (query.embedding, expected) {
        (Some(embedding), Some(expected)) if embedding.dimension() != expected => {
            let actual = embedding.dimension();
            return Err(Fault::Vector(VectorError::DimensionMismatch { expected, actual }));
        }
        (Some(embedding), Some(_)) => Some(embedding),
        _ => None,
    };
    if search.passing.is_none() {
        return Ok(Vec::new());
    }
    let dense = wanted
        .map(|wanted| dense::nearest(conn, search, wanted))
        .transpose()?;
    let lexical = lexical::relevant(conn, search)?;
    let fused = fusion::fuse(query.fusion, dense.as_deref(), lexical.as_deref(), query.limit);
    load(conn, search.key, &fused, query.with_embeddings)
}

/// Runs a statement that finds the best `version_id, ordinal, score`, and says which documents they are of. It binds the
/// index as `$1` and `$2`; the rest is bound by `bind`, before what [`Passing`] binds.
pub(super) fn ranking<'q>(
    conn: &mut PgConnection,
    search: &'q Search<'q>,
    best: &str,
    bind: impl FnOnce(BoxedSqlQuery<'q, Pg, SqlQuery>) -> BoxedSqlQuery<'q, Pg, SqlQuery>,
) -> Result<Vec<(Place, f32)>, Fault> {
    let query = sql_query(format!(
        "WITH best AS MATERIALIZED ({best})
         SELECT v.document, v.version, best.version_id, best.ordinal, best.score::real AS score
         FROM best CROSS JOIN LATERAL (
             SELECT document, version FROM tenantry_vector_versions
             WHERE tenant_id = $1 AND generation = $2 AND id = best.version_id OFFSET 0
         ) AS v"
    ));
    let query = query
        .into_boxed::<Pg>()
        .bind::<Text, _>(search.key.tenant)
        .bind::<BigInt, _>(search.key.generation);
    let rows = search.passing.bind(bind(query)).load::<Candidate>(conn)?;
    let mut ranking = rows
        .into_iter()
        .map(|row| {
            let place = Place {
                of: version(row.document, row.version)?,
                ordinal: number(row.ordinal)?,
                version_id: row.version_id,
            };
            Ok((place, row.score))
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    fusion::rank(&mut ranking);
    Ok(ranking)
}

pub(super) fn version(document: uuid::Uuid, version: i64) -> Result<DocumentVersion, Fault> {
    Ok(DocumentVersion {
        document: DocumentId::from_uuid(document),
        version: number(version)?,
    })
}

fn number(stored: i64) -> Result<u32, Fault> {
    u32::try_from(stored).map_err(|_| Fault::out_of_range("number"))
}

fn load(
    conn: &mut PgConnection,
    key: Key<'_>,
    fused: &[(Place, ScoreParts)],
    with_embeddings: bool,
) -> Result<Vec<Match>, Fault> {
    if fused.is_empty() {
        return Ok(Vec::new());
    }
    let stored = stored_chunks(conn, key, fused, with_embeddings)?.into_iter();
    let mut stored: HashMap<_, _> = stored.map(|row| ((row.version_id, row.ordinal), row)).collect();
    let found = fused.iter().filter_map(|(place, score)| {
        let row = stored.remove(&(place.version_id, i64::from(place.ordinal)))?;
        Some(matched(*place, *score, row))
    });
    found.collect()
}

fn stored_chunks(
    conn: &mut PgConnection,
    key: Key<'_>,
    fused: &[(Place, ScoreParts)],
    with_embeddings: bool,
) -> Result<Vec<StoredChunk>, Fault> {
    let (versions, ordinals): (Vec<_>, Vec<_>) = fused
        .iter()
        .map(|(place, _)| (place.version_id, i64::from(place.ordinal)))
        .unzip();
    let embedding = if with_embeddings {
        "(SELECT embedding FROM tenantry_vector_embeddings AS e WHERE e.tenant_id = $1 AND e.generation = $2
             AND e.version_id = c.version_id AND e.ordinal = c.ordinal)"
    } else {
        "NULL::vector"
    };
    let stored = sql_query(format!(
        "SELECT c.*, {embedding} AS embedding
         FROM unnest($3, $4) AS wanted(version_id, ordinal)
         CROSS JOIN LATERAL (
             SELECT version_id, ordinal, span_start, span_end, page, headings, text FROM tenantry_vector_chunks
             WHERE tenant_id = $1 AND generation = $2 AND version_id = wanted.version_id
                 AND ordinal = wanted.ordinal OFFSET 0
         ) AS c"
    ))
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<Array<BigInt>, _>(versions)
    .bind::<Array<BigInt>, _>(ordinals)
    .load(conn)?;
    Ok(stored)
}

fn matched(place: Place, score: ScoreParts, row: StoredChunk) -> Result<Match, Fault> {
    let headings =
        serde_json::from_str(&row.headings).map_err(|_| Fault::out_of_range("list of headings"))?;
    let chunk = Chunk {
        ordinal: place.ordinal,
        span: Span {
            start: number(row.span_start)?,
            end: number(row.span_end)?,
        },
        text: row.text,
        headings,
        page: row.page.map(number).transpose()?,
    };
    Ok(Match {
        of: place.of,
        chunk,
        score,
        embedding: row.embedding.map(|Floats(embedding)| embedding),
    })
}
