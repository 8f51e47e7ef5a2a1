//! The statements that store chunks, each function inside a transaction of the tenant.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Uuid};
use tenantry_domain::{Dimension, DocumentVersion, Embedding, Metadata};

use super::erase::{Removed, remove_chunks};
use super::facts::{Facts, Key};
use super::fault::Fault;
use super::filter;
use super::vector::{Floats, Vector};
use super::words::{Stems, Words};
use crate::{IndexedChunk, VectorError};

/// How many chunks one transaction stores or removes: it ends well within the limit of a statement.
pub(super) const BATCH: usize = 500;

/// A version's row.
#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    chunks: i64,
}

/// What one chunk becomes in the index.
struct Prepared<'c> {
    indexed: &'c IndexedChunk,
    words: Words,
}

/// Stores `chunks`, at most [`BATCH`], in the place of those that are there.
pub(super) fn upsert(
    conn: &mut PgConnection,
    key: Key<'_>,
    of: DocumentVersion,
    metadata: &Metadata,
    chunks: &[&IndexedChunk],
) -> Result<(), Fault> {
    let known = hold_index(conn, key)?;
    ensure_dimension(conn, key, known.dimension, chunks)?;
    let version = ensure_version(conn, key, of, metadata)?;
    let ordinals: Vec<_> = chunks
        .iter()
        .map(|indexed| i64::from(indexed.chunk.ordinal))
        .collect();
    let gone = if version.chunks > 0 {
        remove_chunks(conn, key, version.id, &ordinals)?
    } else {
        Removed::default()
    };
    let version = version.id;
    let texts = chunks.iter().map(|indexed| Words::of(&indexed.searched_text()));
    let texts: Vec<_> = texts.collect();
    let stems = Stems::load(conn, &texts)?;
    let words: i64 = texts.iter().map(|text| i64::from(text.total)).sum();
    let prepared: Vec<_> = chunks
        .iter()
        .zip(texts)
        .map(|(indexed, words)| Prepared { indexed, words })
        .collect();
    insert_chunks(conn, key, version, &prepared, &stems)?;
    insert_postings(conn, key, version, &prepared, &stems)?;
    insert_embeddings(conn, key, version, chunks)?;
    let added = i64::try_from(chunks.len()).map_err(|_| Fault::out_of_range("count"))?;
    let (added, words) = (
        added.saturating_sub(gone.chunks),
        words.saturating_sub(gone.words),
    );
    Facts::add(conn, key, version, added, words)
}

/// Finds the index, or makes it, and keeps it from being cleared until the transaction ends.
fn hold_index(conn: &mut PgConnection, key: Key<'_>) -> Result<Facts, Fault> {
    if let Some(facts) = Facts::hold(conn, key)? {
        return Ok(facts);
    }
    sql_query(
        "INSERT INTO tenantry_vector_indexes (tenant_id, generation) VALUES ($1, $2)
         ON CONFLICT (tenant_id, generation) DO NOTHING",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .execute(conn)?;
    Facts::hold(conn, key)?
        .ok_or_else(|| Fault::interrupted("the index was cleared while chunks were stored"))
}

/// Checks the chunks' dimension, which all of them have, against the index's, or makes it that.
fn ensure_dimension(
    conn: &mut PgConnection,
    key: Key<'_>,
    known: Option<Dimension>,
    chunks: &[&IndexedChunk],
) -> Result<(), Fault> {
    let given = chunks.iter().find_map(|indexed| indexed.embedding.as_ref());
    let Some(given) = given.map(Embedding::dimension) else {
        return Ok(());
    };
    let known = if known.is_none() {
        sql_query(
            "UPDATE tenantry_vector_indexes SET dimension = $3
             WHERE tenant_id = $1 AND generation = $2 AND dimension IS NULL",
        )
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .bind::<Integer, _>(integer(given)?)
        .execute(conn)?;
        // Another writer may have been the first meanwhile.
        Facts::load(conn, key)?.and_then(|facts| facts.dimension)
    } else {
        known
    };
    match known {
        Some(expected) if expected != given => {
            let actual = given;
            Err(Fault::Vector(VectorError::DimensionMismatch { expected, actual }))
        }
        _ => Ok(()),
    }
}

fn integer(dimension: Dimension) -> Result<i32, Fault> {
    i32::try_from(dimension.get()).map_err(|_| Fault::out_of_range("dimension"))
}

fn ensure_version(
    conn: &mut PgConnection,
    key: Key<'_>,
    of: DocumentVersion,
    metadata: &Metadata,
) -> Result<Version, Fault> {
    let version = sql_query(
        "INSERT INTO tenantry_vector_versions (tenant_id, generation, document, version, metadata)
         VALUES ($1, $2, $3, $4, $5::jsonb)
         ON CONFLICT (tenant_id, generation, document, version) DO UPDATE SET metadata = excluded.metadata
         RETURNING id, chunks",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<Uuid, _>(of.document.as_uuid())
    .bind::<BigInt, _>(i64::from(of.version))
    .bind::<Text, _>(filter::json(metadata))
    .get_result::<Version>(conn)?;
    Ok(version)
}

fn insert_chunks(
    conn: &mut PgConnection,
    key: Key<'_>,
    version: i64,
    prepared: &[Prepared<'_>],
    stems: &Stems,
) -> Result<(), Fault> {
    fn column<T>(prepared: &[Prepared<'_>], of: impl Fn(&Prepared<'_>) -> T) -> Vec<T> {
        prepared.iter().map(of).collect()
    }
    let terms = |chunk: &Prepared<'_>| {
        let terms = chunk.words.stemmed(stems).into_keys();
        terms.collect::<Vec<_>>().join(" ")
    };
    sql_query(
        "INSERT INTO tenantry_vector_chunks (tenant_id, generation, version_id, ordinal, span_start, span_end, page,
             words, hash, headings, text, terms)
         SELECT $1, $2, $3, given.* FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12) AS given",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(version)
    .bind::<Array<BigInt>, _>(column(prepared, |row| i64::from(row.indexed.chunk.ordinal)))
    .bind::<Array<BigInt>, _>(column(prepared, |row| i64::from(row.indexed.chunk.span.start)))
    .bind::<Array<BigInt>, _>(column(prepared, |row| i64::from(row.indexed.chunk.span.end)))
    .bind::<Array<Nullable<BigInt>>, _>(column(prepared, |row| row.indexed.chunk.page.map(i64::from)))
    .bind::<Array<BigInt>, _>(column(prepared, |row| i64::from(row.words.total)))
    .bind::<Array<Binary>, _>(column(prepared, |row| row.indexed.hash.as_bytes().to_vec()))
    .bind::<Array<Text>, _>(column(prepared, |row| {
        serde_json::Value::from(row.indexed.chunk.headings.as_slice()).to_string()
    }))
    .bind::<Array<Text>, _>(column(prepared, |row| row.indexed.chunk.text.clone()))
    .bind::<Array<Text>, _>(column(prepared, terms))
    .execute(conn)?;
    Ok(())
}

fn insert_postings(
    conn: &mut PgConnection,
    key: Key<'_>,
    version: i64,
    prepared: &[Prepared<'_>],
    stems: &Stems,
) -> Result<(), Fault> {
    let mut postings: Vec<(&str, i64, i32, i32)> = Vec::new();
    for Prepared { indexed, words } in prepared {
        let ordinal = i64::from(indexed.chunk.ordinal);
        let of_chunk = words.stemmed(stems).into_iter();
        postings.extend(of_chunk.map(|(term, times)| (term, ordinal, times, words.total)));
    }
    // In the order of the key, so that neighbours are written together and two writers lock in the same order.
    postings.sort_unstable();
    sql_query(
        "INSERT INTO tenantry_vector_postings (tenant_id, generation, version_id, term, ordinal, times, words)
         SELECT $1, $2, $3, given.* FROM unnest($4, $5, $6, $7) AS given",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(version)
    .bind::<Array<Text>, _>(postings.iter().map(|posting| posting.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(postings.iter().map(|posting| posting.1).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(postings.iter().map(|posting| posting.2).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(postings.iter().map(|posting| posting.3).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

fn insert_embeddings(
    conn: &mut PgConnection,
    key: Key<'_>,
    version: i64,
    chunks: &[&IndexedChunk],
) -> Result<(), Fault> {
    let embedded = chunks
        .iter()
        .filter_map(|indexed| Some((i64::from(indexed.chunk.ordinal), indexed.embedding.clone()?)));
    let (ordinals, floats): (Vec<_>, Vec<_>) = embedded
        .map(|(ordinal, embedding)| (ordinal, Floats(embedding)))
        .unzip();
    if floats.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO tenantry_vector_embeddings (tenant_id, generation, version_id, ordinal, dimension, embedding)
         SELECT $1, $2, $3, given.ordinal, vector_dims(given.embedding), given.embedding
         FROM unnest($4, $5) AS given(ordinal, embedding)",
    )
    .bind::<Text, _>(key.tenant)
    .bind::<BigInt, _>(key.generation)
    .bind::<BigInt, _>(version)
    .bind::<Array<BigInt>, _>(ordinals)
    .bind::<Array<Vector>, _>(floats)
    .execute(conn)?;
    Ok(())
}

/// The chunks by ordinal, the last of each: what is written twice is written once.
pub(super) fn distinct(chunks: &[IndexedChunk]) -> Vec<&IndexedChunk> {
    let by_ordinal: BTreeMap<_, _> = chunks
        .iter()
        .map(|indexed| (indexed.chunk.ordinal, indexed))
        .collect();
    by_ordinal.into_values().collect()
}
