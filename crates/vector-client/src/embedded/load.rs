//! The statements that read what the file of an index holds, inside one read transaction.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::{Chunk, ChunkHash, DocumentId, Embedding, ScoreParts, Span};

use super::fault::Fault;
use super::filter::Bind;
use super::read::{Place, version};
use super::schema;
use super::vectors::embedding;
use crate::{Match, StoredVersion};

/// How many hashes one statement asks for; SQLite takes 32,766 parameters.
const HASHES: usize = 1_000;

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    span_start: i64,
    #[diesel(sql_type = BigInt)]
    span_end: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    page: Option<i64>,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    headings: String,
}

#[derive(QueryableByName)]
struct Vector {
    #[diesel(sql_type = Binary)]
    value: Vec<u8>,
}

#[derive(QueryableByName)]
struct Hashed {
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Binary)]
    value: Vec<u8>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Binary)]
    document: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    chunks: i64,
    #[diesel(sql_type = BigInt)]
    embedded: i64,
}

/// The match at that place.
pub(super) fn found(
    conn: &mut SqliteConnection,
    place: Place,
    score: ScoreParts,
    with_embedding: bool,
) -> Result<Match, Fault> {
    let stored = sql_query(
        "SELECT c.span_start, c.span_end, c.page, t.text, t.headings
         FROM chunks AS c CROSS JOIN texts AS t ON t.id = c.id WHERE c.id = ?",
    )
    .bind::<BigInt, _>(place.row)
    .get_result::<Stored>(conn)?;
    let embedding = if with_embedding {
        vector(conn, place.row)?
    } else {
        None
    };
    let chunk = Chunk {
        ordinal: place.ordinal,
        span: Span {
            start: u32::try_from(stored.span_start).map_err(Fault::out_of_range)?,
            end: u32::try_from(stored.span_end).map_err(Fault::out_of_range)?,
        },
        text: stored.text,
        headings: serde_json::from_str(&stored.headings).map_err(Fault::out_of_range)?,
        page: stored
            .page
            .map(u32::try_from)
            .transpose()
            .map_err(Fault::out_of_range)?,
    };
    Ok(Match {
        of: place.of,
        chunk,
        score,
        embedding,
    })
}

fn vector(conn: &mut SqliteConnection, row: i64) -> Result<Option<Embedding>, Fault> {
    let stored = sql_query("SELECT value FROM embeddings WHERE id = ?")
        .bind::<BigInt, _>(row)
        .get_result::<Vector>(conn)
        .optional()?;
    stored.map(|stored| embedding(&stored.value)).transpose()
}

/// The embeddings that the document's versions have for those hashes.
pub(super) fn embeddings(
    conn: &mut SqliteConnection,
    document: DocumentId,
    hashes: &[ChunkHash],
) -> Result<HashMap<ChunkHash, Embedding>, Fault> {
    let mut found = HashMap::new();
    if !schema::is_present(conn)? {
        return Ok(found);
    }
    for hashes in hashes.chunks(HASHES) {
        let places = vec!["?"; hashes.len()].join(", ");
        let sql = format!(
            "SELECT c.hash, e.value FROM versions AS v CROSS JOIN chunks AS c ON c.version = v.id
             CROSS JOIN embeddings AS e ON e.id = c.id
             WHERE v.document = ? AND c.hash IN ({places}) GROUP BY c.hash"
        );
        let asked = hashes.iter().map(|hash| Bind::Bytes(hash.as_bytes().to_vec()));
        let statement = std::iter::once(Bind::Bytes(document.as_uuid().as_bytes().to_vec()))
            .chain(asked)
            .fold(sql_query(sql).into_boxed(), |statement, bind| bind.to(statement));
        for row in statement.load::<Hashed>(conn)? {
            let hash = row.hash.try_into().map_err(Fault::out_of_range)?;
            found.insert(ChunkHash::from_bytes(hash), embedding(&row.value)?);
        }
    }
    Ok(found)
}

/// How many chunks there are.
pub(super) fn count(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    if !schema::is_present(conn)? {
        return Ok(0);
    }
    let chunks = sql_query("SELECT count(*) AS value FROM chunks").get_result::<schema::Number>(conn)?;
    u64::try_from(chunks.value).map_err(Fault::out_of_range)
}

/// Every version with how much of it is stored, in order.
pub(super) fn contents(conn: &mut SqliteConnection) -> Result<Vec<StoredVersion>, Fault> {
    if !schema::is_present(conn)? {
        return Ok(Vec::new());
    }
    let rows = sql_query(
        "SELECT v.document, v.version, count(*) AS chunks, count(s.id) AS embedded
         FROM versions AS v CROSS JOIN chunks AS c ON c.version = v.id LEFT JOIN sketches AS s ON s.id = c.id
         GROUP BY v.id ORDER BY v.document, v.version",
    )
    .load::<Counted>(conn)?;
    let stored = rows.into_iter().map(|row| {
        Ok(StoredVersion {
            of: version(&row.document, row.version)?,
            chunks: u64::try_from(row.chunks).map_err(Fault::out_of_range)?,
            embedded: u64::try_from(row.embedded).map_err(Fault::out_of_range)?,
        })
    });
    stored.collect()
}
