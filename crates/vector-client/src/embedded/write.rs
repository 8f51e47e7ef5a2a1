//! The statements that change a tenant's file, each function inside the caller's transaction.

use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::{DocumentId, Embedding};

use super::fault::Fault;
use super::schema;
use super::vectors::{floats, sketch};
use crate::store::collection_dimension;
use crate::{IndexedChunk, terms};

#[derive(QueryableByName)]
struct RowId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Stores all of `chunks`, or nothing when one has another dimension.
pub(super) fn upsert(conn: &mut SqliteConnection, chunks: &[IndexedChunk]) -> Result<(), Fault> {
    schema::ensure(conn)?;
    let known = schema::dimension(conn)?;
    let dimension = collection_dimension(known, chunks).map_err(Fault::Vector)?;
    if let Some(dimension) = dimension.filter(|_| known.is_none()) {
        schema::set_dimension(conn, dimension)?;
    }
    for chunk in chunks {
        let id = put_chunk(conn, chunk)?;
        put_terms(conn, id, &chunk.chunk.text)?;
        match &chunk.embedding {
            Some(embedding) => put_embedding(conn, id, embedding)?,
            None => delete_embedding(conn, id)?,
        }
    }
    Ok(())
}

fn put_chunk(conn: &mut SqliteConnection, indexed: &IndexedChunk) -> Result<i64, Fault> {
    let IndexedChunk { document, chunk, .. } = indexed;
    let row = sql_query(
        "INSERT INTO chunks (document, ordinal, span_start, span_end, text) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (document, ordinal) DO UPDATE
         SET span_start = excluded.span_start, span_end = excluded.span_end, text = excluded.text
         RETURNING id",
    )
    .bind::<Binary, _>(document.as_uuid().as_bytes().as_slice())
    .bind::<BigInt, _>(i64::from(chunk.ordinal))
    .bind::<BigInt, _>(i64::from(chunk.span.start))
    .bind::<BigInt, _>(i64::from(chunk.span.end))
    .bind::<Text, _>(&chunk.text)
    .get_result::<RowId>(conn)?;
    Ok(row.id)
}

fn put_terms(conn: &mut SqliteConnection, id: i64, text: &str) -> Result<(), Fault> {
    sql_query("INSERT OR REPLACE INTO terms (rowid, text) VALUES (?, ?)")
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(terms::index_text(text))
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

/// Removes every chunk of `document`.
pub(super) fn remove_document(conn: &mut SqliteConnection, document: DocumentId) -> Result<(), Fault> {
    if !schema::is_present(conn)? {
        return Ok(());
    }
    for statement in [
        "DELETE FROM terms WHERE rowid IN (SELECT id FROM chunks WHERE document = ?)",
        "DELETE FROM embeddings WHERE id IN (SELECT id FROM chunks WHERE document = ?)",
        "DELETE FROM sketches WHERE id IN (SELECT id FROM chunks WHERE document = ?)",
        "DELETE FROM chunks WHERE document = ?",
    ] {
        sql_query(statement)
            .bind::<Binary, _>(document.as_uuid().as_bytes().as_slice())
            .execute(conn)?;
    }
    Ok(())
}
