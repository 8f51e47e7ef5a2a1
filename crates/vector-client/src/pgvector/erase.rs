//! The statements that remove chunks, each function inside a transaction of the tenant.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid};
use tenantry_domain::DocumentId;

use super::facts::{Facts, Key};
use super::fault::Fault;
use super::write::BATCH;

/// How many rows of one table one statement removes when an index is cleared.
const CLEARED: i64 = 20_000;

/// One number that a statement gives back.
#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// What was counted of chunks that are gone.
#[derive(Default, QueryableByName)]
pub(super) struct Removed {
    #[diesel(sql_type = BigInt)]
    pub(super) chunks: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) words: i64,
}

/// Removes those chunks of a version with all that is indexed of them. Each posting is found by its whole key.
pub(super) fn remove_chunks(
    conn: &mut PgConnection,
    key: Key<'_>,
    version: i64,
    ordinals: &[i64],
) -> Result<Removed, Fault> {
    let removed = sql_query(
        "WITH gone AS (
             DELETE FROM tenantry_vector_chunks
             WHERE tenant_id = $1 AND generation = $2 AND version_id = $3 AND ordinal = ANY($4)
             RETURNING ordinal, words, terms
         ), postings AS (
             DELETE FROM tenantry_vector_postings WHERE ctid = ANY(ARRAY(
                 SELECT found.ctid
                 FROM (SELECT ordinal, unnest(string_to_array(terms, ' ')) AS term FROM gone) AS word
                 CROSS JOIN LATERAL (
                     SELECT p.ctid FROM tenantry_vector_postings AS p
                     WHERE p.tenant_id = $1 AND p.generation = $2 AND p.term = word.term AND p.version_id = $3
                         AND p.ordinal = word.ordinal OFFSET 0
                 ) AS found
             ))
         ), embeddings AS (
             DELETE FROM tenantry_vector_embeddings
             WHERE tenant_id = $1 AND generation = $2 AND version_id = $3 AND ordinal = ANY($4)
         )
         SELECT count(*) AS chunks, coalesce(sum(words), 0)::bigint AS words FROM gone",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(version)
    .bind::<Array<BigInt>, _>(ordinals)
    .get_result::<Removed>(conn)?;
    Ok(removed)
}

/// Removes up to [`BATCH`] chunks of one of `document`'s versions but `keep`; false when none is left.
pub(super) fn remove_some(
    conn: &mut PgConnection,
    key: Key<'_>,
    document: DocumentId,
    keep: Option<u32>,
) -> Result<bool, Fault> {
    let version = sql_query(
        "SELECT id FROM tenantry_vector_versions
         WHERE tenant_id = $1 AND generation = $2 AND document = $3 AND version IS DISTINCT FROM $4
         LIMIT 1 FOR UPDATE",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<Uuid, _>(document.as_uuid())
    .bind::<Nullable<BigInt>, _>(keep.map(i64::from))
    .get_result::<Id>(conn)
    .optional()?;
    let Some(Id { id }) = version else {
        return Ok(false);
    };
    let ordinals = sql_query(
        "SELECT ordinal AS id FROM tenantry_vector_chunks
         WHERE tenant_id = $1 AND generation = $2 AND version_id = $3 LIMIT $4",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(i64::try_from(BATCH).map_err(|_| Fault::out_of_range("count"))?)
    .load::<Id>(conn)?;
    if ordinals.is_empty() {
        remove_version(conn, key, id)?;
        return Ok(true);
    }
    let ordinals: Vec<_> = ordinals.into_iter().map(|row| row.id).collect();
    let gone = remove_chunks(conn, key, id, &ordinals)?;
    let (chunks, words) = (gone.chunks.saturating_neg(), gone.words.saturating_neg());
    Facts::add(conn, key, id, chunks, words)?;
    Ok(true)
}

fn remove_version(conn: &mut PgConnection, key: Key<'_>, id: i64) -> Result<(), Fault> {
    sql_query("DELETE FROM tenantry_vector_versions WHERE tenant_id = $1 AND generation = $2 AND id = $3")
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    Ok(())
}

/// The tables of an index in the order in which it is cleared.
const CLEARED_TABLES: [&str; 4] = ["postings", "embeddings", "chunks", "versions"];

/// Removes some rows of an index; false when none is left but its own.
pub(super) fn clear_some(conn: &mut PgConnection, key: Key<'_>) -> Result<bool, Fault> {
    for table in CLEARED_TABLES {
        if delete_rows(conn, key, table)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what is left of an index once no writer is at it.
pub(super) fn clear_rest(conn: &mut PgConnection, key: Key<'_>) -> Result<(), Fault> {
    sql_query("SELECT id FROM tenantry_vector_indexes WHERE tenant_id = $1 AND generation = $2 FOR UPDATE")
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .load::<Id>(conn)?;
    while clear_some(conn, key)? {}
    sql_query("DELETE FROM tenantry_vector_indexes WHERE tenant_id = $1 AND generation = $2")
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .execute(conn)?;
    Ok(())
}

fn delete_rows(conn: &mut PgConnection, key: Key<'_>, table: &str) -> Result<usize, Fault> {
    let deleted = sql_query(format!(
        "DELETE FROM tenantry_vector_{table} WHERE ctid = ANY(ARRAY(
             SELECT ctid FROM tenantry_vector_{table} WHERE tenant_id = $1 AND generation = $2 LIMIT $3
         ))"
    ))
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(CLEARED)
    .execute(conn)?;
    Ok(deleted)
}
