//! What stands in a tenant's file.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::Dimension;

use super::fault::Fault;

/// The schema's version, kept in `user_version`.
const VERSION: i64 = 1;

/// `terms` holds no text of its own: it indexes [`crate::terms::index_text`] of a chunk, which is not the text to show.
const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY,
        document BLOB NOT NULL,
        ordinal INTEGER NOT NULL,
        span_start INTEGER NOT NULL,
        span_end INTEGER NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (document, ordinal)
    );
    CREATE TABLE embeddings (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE sketches (id INTEGER PRIMARY KEY, bits BLOB NOT NULL);
    CREATE VIRTUAL TABLE terms USING fts5(text, content='', contentless_delete=1, tokenize='porter unicode61');
    PRAGMA user_version = 1;
";

/// One number, named `value`.
#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) value: i64,
}

/// Whether the file has its tables; a file that was made but not filled has none.
pub(super) fn is_present(conn: &mut SqliteConnection) -> Result<bool, Fault> {
    let version =
        sql_query("SELECT user_version AS value FROM pragma_user_version").get_result::<Number>(conn)?;
    match version.value {
        0 => Ok(false),
        VERSION => Ok(true),
        other => Err(Fault::Unreadable(
            format!("schema version {other}, expected {VERSION}").into(),
        )),
    }
}

/// Makes the tables where they are missing; the caller holds the write transaction.
pub(super) fn ensure(conn: &mut SqliteConnection) -> Result<(), Fault> {
    if !is_present(conn)? {
        conn.batch_execute(TABLES)?;
    }
    Ok(())
}

/// The collection's dimension; `None` before the first embedding.
pub(super) fn dimension(conn: &mut SqliteConnection) -> Result<Option<Dimension>, Fault> {
    let stored = sql_query("SELECT value FROM meta WHERE key = ?")
        .bind::<Text, _>("dimension")
        .get_result::<Number>(conn)
        .optional()?;
    let Some(Number { value }) = stored else {
        return Ok(None);
    };
    let value = usize::try_from(value).map_err(Fault::out_of_range)?;
    Dimension::new(value).map(Some).map_err(Fault::out_of_range)
}

/// Records the collection's dimension.
pub(super) fn set_dimension(conn: &mut SqliteConnection, dimension: Dimension) -> Result<(), Fault> {
    let value = i64::try_from(dimension.get()).map_err(Fault::out_of_range)?;
    sql_query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
        .bind::<Text, _>("dimension")
        .bind::<BigInt, _>(value)
        .execute(conn)?;
    Ok(())
}

/// How many chunks there are.
pub(super) fn count(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    if !is_present(conn)? {
        return Ok(0);
    }
    let chunks = sql_query("SELECT count(*) AS value FROM chunks").get_result::<Number>(conn)?;
    u64::try_from(chunks.value).map_err(Fault::out_of_range)
}

/// The highest row of a chunk, which is about how many there are and cheaper to know.
pub(super) fn highest_id(conn: &mut SqliteConnection) -> Result<i64, Fault> {
    let highest = sql_query("SELECT coalesce(max(id), 0) AS value FROM chunks").get_result::<Number>(conn)?;
    Ok(highest.value)
}
