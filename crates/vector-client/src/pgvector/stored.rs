//! What an index holds, apart from searching it.

use std::collections::HashMap;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Text, Uuid};
use tenantry_domain::{ChunkHash, DocumentId, Embedding};

use super::facts::Key;
use super::fault::Fault;
use super::read::version;
use super::vector::{Floats, Vector};
use crate::StoredVersion;

#[derive(QueryableByName)]
struct Hashed {
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Vector)]
    embedding: Floats,
}

/// The embeddings that `document`'s versions have for those hashes.
pub(super) fn embeddings(
    conn: &mut PgConnection,
    key: Key<'_>,
    document: DocumentId,
    hashes: &[ChunkHash],
) -> Result<HashMap<ChunkHash, Embedding>, Fault> {
    let rows = sql_query(
        "SELECT DISTINCT ON (c.hash) c.hash, e.embedding
         FROM tenantry_vector_versions AS v
         CROSS JOIN LATERAL (
             SELECT hash, ordinal FROM tenantry_vector_chunks
             WHERE tenant_id = $1 AND generation = $2 AND version_id = v.id AND hash = ANY($4) OFFSET 0
         ) AS c
         CROSS JOIN LATERAL (
             SELECT embedding FROM tenantry_vector_embeddings
             WHERE tenant_id = $1 AND generation = $2 AND version_id = v.id AND ordinal = c.ordinal OFFSET 0
         ) AS e
         WHERE v.tenant_id = $1 AND v.generation = $2 AND v.document = $3",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<Uuid, _>(document.as_uuid())
    .bind::<Array<Binary>, _>(hashes.iter().map(ChunkHash::as_bytes).collect::<Vec<_>>())
    .load::<Hashed>(conn)?;
    let pairs = rows.into_iter().map(|row| {
        let hash = row.hash.try_into().map_err(|_| Fault::out_of_range("hash"))?;
        Ok((ChunkHash::from_bytes(hash), row.embedding.0))
    });
    pairs.collect()
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Uuid)]
    document: uuid::Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    chunks: i64,
    #[diesel(sql_type = BigInt)]
    embedded: i64,
}

/// Every version with chunks, as they are there and not as they were counted.
pub(super) fn contents(conn: &mut PgConnection, key: Key<'_>) -> Result<Vec<StoredVersion>, Fault> {
    // It reads every row of the index, which takes longer than a search may.
    conn.batch_execute("SET LOCAL statement_timeout = '10min'")?;
    let rows = sql_query(
        "SELECT v.document, v.version, held.chunks, held.embedded
         FROM (
             SELECT version_id, count(*) FILTER (WHERE is_chunk) AS chunks, count(*) FILTER (WHERE NOT is_chunk) AS embedded
             FROM (
                 SELECT version_id, true AS is_chunk FROM tenantry_vector_chunks
                 WHERE tenant_id = $1 AND generation = $2
                 UNION ALL
                 SELECT version_id, false FROM tenantry_vector_embeddings WHERE tenant_id = $1 AND generation = $2
             ) AS rows GROUP BY version_id
         ) AS held
         CROSS JOIN LATERAL (
             SELECT document, version FROM tenantry_vector_versions
             WHERE tenant_id = $1 AND generation = $2 AND id = held.version_id OFFSET 0
         ) AS v
         ORDER BY v.document, v.version",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .load::<Content>(conn)?;
    let stored = rows.into_iter().map(|row| {
        Ok(StoredVersion {
            of: version(row.document, row.version)?,
            chunks: u64::try_from(row.chunks).map_err(|_| Fault::out_of_range("count"))?,
            embedded: u64::try_from(row.embedded).map_err(|_| Fault::out_of_range("count"))?,
        })
    });
    stored.collect()
}
