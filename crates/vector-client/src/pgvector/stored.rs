//! What an index holds, apart from searching it.

use std::collections::HashMap;

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
         JOIN tenantry_vector_chunks AS c ON c.tenant_id = $1 AND c.generation = $2 AND c.version_id = v.id
         JOIN tenantry_vector_embeddings AS e ON e.tenant_id = $1 AND e.generation = $2 AND e.version_id = v.id
             AND e.ordinal = c.ordinal
         WHERE v.tenant_id = $1 AND v.generation = $2 AND v.document = $3 AND c.hash = ANY($4)",
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
    let rows = sql_query(
        "SELECT v.document, v.version, count(*) AS chunks, count(e.ordinal) AS embedded
         FROM tenantry_vector_versions AS v
         JOIN tenantry_vector_chunks AS c ON c.tenant_id = $1 AND c.generation = $2 AND c.version_id = v.id
         LEFT JOIN tenantry_vector_embeddings AS e ON e.tenant_id = $1 AND e.generation = $2
             AND e.version_id = c.version_id AND e.ordinal = c.ordinal
         WHERE v.tenant_id = $1 AND v.generation = $2
         GROUP BY v.document, v.version ORDER BY v.document, v.version",
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
