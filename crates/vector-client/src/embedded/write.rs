//! The statements that change the file of an index, each function inside the caller's transaction.

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::{DocumentId, DocumentVersion, Embedding, Metadata};

use super::fault::Fault;
use super::vectors::{floats, sketch};
use super::{filter, schema};
use crate::store::index_dimension;
use crate::{IndexedChunk, terms};

#[derive(QueryableByName)]
struct RowId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Stores all of `chunks`, or nothing when one has another dimension.
pub(super) fn upsert(
    conn: &mut SqliteConnection,
    of: DocumentVersion,
    metadata: &Metadata,
    chunks: &[IndexedChunk],
) -> Result<(), Fault> {
    schema::ensure(conn)?;
    let known = schema::dimension(conn)?;
    let dimension = index_dimension(known, chunks).map_err(Fault::Vector)?;
    if let Some(dimension) = dimension.filter(|_| known.is_none()) {
        schema::set_dimension(conn, dimension)?;
    }
    let version = put_version(conn, of)?;
    put_metadata(conn, version, metadata)?;
    for indexed in chunks {
        let id = put_chunk(conn, version, indexed)?;
        put_texts(conn, id, indexed)?;
        match &indexed.embedding {
            Some(embedding) => put_embedding(conn, id, embedding)?,
            None => delete_embedding(conn, id)?,
        }
    }
    Ok(())
}

fn put_version(conn: &mut SqliteConnection, of: DocumentVersion) -> Result<i64, Fault> {
    let row = sql_query(
        "INSERT INTO versions (document, version) VALUES (?, ?)
         ON CONFLICT (document, version) DO UPDATE SET version = excluded.version
         RETURNING id",
    )
    .bind::<Binary, _>(of.document.as_uuid().as_bytes().as_slice())
    .bind::<BigInt, _>(i64::from(of.version))
    .get_result::<RowId>(conn)?;
    Ok(row.id)
}

fn put_metadata(conn: &mut SqliteConnection, version: i64, metadata: &Metadata) -> Result<(), Fault> {
    sql_query("DELETE FROM attributes WHERE version = ?")
        .bind::<BigInt, _>(version)
        .execute(conn)?;
    for (key, value) in metadata.iter() {
        for (kind, value) in filter::attributes(value) {
            // A list may have a text twice.
            let statement =
                sql_query("INSERT OR IGNORE INTO attributes (version, key, kind, value) VALUES (?, ?, ?, ?)")
                    .into_boxed()
                    .bind::<BigInt, _>(version)
                    .bind::<Text, _>(key)
                    .bind::<Text, _>(kind);
            value.to(statement).execute(conn)?;
        }
    }
    Ok(())
}

fn put_chunk(conn: &mut SqliteConnection, version: i64, indexed: &IndexedChunk) -> Result<i64, Fault> {
    let IndexedChunk { chunk, hash, .. } = indexed;
    let row = sql_query(
        "INSERT INTO chunks (version, ordinal, span_start, span_end, page, hash) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (version, ordinal) DO UPDATE SET span_start = excluded.span_start,
             span_end = excluded.span_end, page = excluded.page, hash = excluded.hash
         RETURNING id",
    )
    .bind::<BigInt, _>(version)
    .bind::<BigInt, _>(i64::from(chunk.ordinal))
    .bind::<BigInt, _>(i64::from(chunk.span.start))
    .bind::<BigInt, _>(i64::from(chunk.span.end))
    .bind::<Nullable<BigInt>, _>(chunk.page.map(i64::from))
    .bind::<Binary, _>(hash.as_bytes().as_slice())
    .get_result::<RowId>(conn)?;
    Ok(row.id)
}

fn put_texts(conn: &mut SqliteConnection, id: i64, indexed: &IndexedChunk) -> Result<(), Fault> {
    let headings = serde_json::to_string(&indexed.chunk.headings).map_err(Fault::out_of_range)?;
    sql_query("INSERT OR REPLACE INTO texts (id, text, headings, context) VALUES (?, ?, ?, ?)")
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(&indexed.chunk.text)
        .bind::<Text, _>(headings)
        .bind::<Text, _>(&indexed.context)
        .execute(conn)?;
    sql_query("INSERT OR REPLACE INTO terms (rowid, text) VALUES (?, ?)")
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(terms::index_text(&indexed.searched_text()))
        .execute(conn)?;
    Ok(())
}

fn put_embedding(conn: &mut SqliteConnection, id: i64, embedding: &Embedding) -> Result<(), Fault> {
    sql_query("INSERT OR REPLACE INTO embeddings (id, value) VALUES (?, ?)")
        .bind::<BigInt, _>(id)
        .bind::<Binary, _>(floats(embedding))
        .execute(conn)?;
    sql_query("INSERT OR REPLACE INTO sketches (id, bits) VALUES (?, ?)")
        .bind::<BigInt, _>(id)
        .bind::<Binary, _>(sketch(embedding))
        .execute(conn)?;
    Ok(())
}

fn delete_embedding(conn: &mut SqliteConnection, id: i64) -> Result<(), Fault> {
    for statement in [
        "DELETE FROM embeddings WHERE id = ?",
        "DELETE FROM sketches WHERE id = ?",
    ] {
        sql_query(statement).bind::<BigInt, _>(id).execute(conn)?;
    }
    Ok(())
}

/// Removes every chunk of `document`, but those of version `keep` when one is given.
pub(super) fn remove(
    conn: &mut SqliteConnection,
    document: DocumentId,
    keep: Option<u32>,
) -> Result<(), Fault> {
    if !schema::bring_up_to_date(conn)? {
        return Ok(());
    }
    let gone = "SELECT id FROM versions WHERE document = ? AND version IS NOT ?";
    let chunks = format!("SELECT c.id FROM chunks AS c WHERE c.version IN ({gone})");
    for statement in [
        format!("DELETE FROM terms WHERE rowid IN ({chunks})"),
        format!("DELETE FROM embeddings WHERE id IN ({chunks})"),
        format!("DELETE FROM sketches WHERE id IN ({chunks})"),
        format!("DELETE FROM texts WHERE id IN ({chunks})"),
        format!("DELETE FROM chunks WHERE version IN ({gone})"),
        format!("DELETE FROM attributes WHERE version IN ({gone})"),
        format!("DELETE FROM versions WHERE id IN ({gone})"),
    ] {
        sql_query(statement)
            .bind::<Binary, _>(document.as_uuid().as_bytes().as_slice())
            .bind::<Nullable<BigInt>, _>(keep.map(i64::from))
            .execute(conn)?;
    }
    Ok(())
}
