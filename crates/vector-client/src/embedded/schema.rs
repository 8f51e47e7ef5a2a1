//! What stands in the file of an index.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tenantry_domain::Dimension;

use super::fault::Fault;

/// The schema's version, kept in `user_version`.
const VERSION: i64 = 2;

/// The version before, without versions of documents, metadata, headings and pages.
const FORMER: i64 = 1;

/// What both versions have. `terms` holds no text of its own: it indexes [`crate::terms::index_text`] of a chunk and its
/// context, which is not the text to show.
const VECTORS_AND_TERMS: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE embeddings (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE sketches (id INTEGER PRIMARY KEY, bits BLOB NOT NULL);
    CREATE VIRTUAL TABLE terms USING fts5(text, content='', contentless_delete=1, tokenize='porter unicode61');
";

/// What this version added. Texts stand apart from their chunks, so that what ranking and filters read of a chunk is a few
/// bytes. Metadata is rows and no JSON, because SQLite reads numbers out of JSON with an error in the last digit.
const CHUNKS: &str = "
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY,
        document BLOB NOT NULL,
        version INTEGER NOT NULL,
        UNIQUE (document, version)
    );
    CREATE TABLE attributes (
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        value NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (key, kind, value, version)
    ) WITHOUT ROWID;
    CREATE INDEX attributes_by_version ON attributes (version);
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        span_start INTEGER NOT NULL,
        span_end INTEGER NOT NULL,
        page INTEGER,
        hash BLOB,
        UNIQUE (version, ordinal)
    );
    CREATE INDEX chunks_by_hash ON chunks (version, hash);
    CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL,
        headings TEXT NOT NULL,
        context TEXT NOT NULL
    );
    PRAGMA user_version = 2;
";

/// Chunks of the former version become those of their document's version 1. What their embeddings were made from is not
/// known, so they have no hash and are not used again.
const TAKE_OVER: &str = "
    INSERT INTO versions (document, version) SELECT DISTINCT document, 1 FROM former;
    INSERT INTO chunks (id, version, ordinal, span_start, span_end)
        SELECT f.id, v.id, f.ordinal, f.span_start, f.span_end FROM former AS f JOIN versions AS v ON v.document = f.document;
    INSERT INTO texts (id, text, headings, context) SELECT id, text, '[]', '' FROM former;
    DROP TABLE former;
";

/// One number, named `value`.
#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) value: i64,
}

/// Whether the file has its tables; a file that was made but not filled has none.
///
/// # Errors
/// [`Fault::Former`] when they are of the version before, which only a writer can change.
pub(super) fn is_present(conn: &mut SqliteConnection) -> Result<bool, Fault> {
    let version =
        sql_query("SELECT user_version AS value FROM pragma_user_version").get_result::<Number>(conn)?;
    match version.value {
        0 => Ok(false),
        FORMER => Err(Fault::Former),
        VERSION => Ok(true),
        other => Err(Fault::Unreadable(
            format!("schema version {other}, expected {VERSION}").into(),
        )),
    }
}

/// Makes the tables where they are missing; the caller holds the write transaction.
pub(super) fn ensure(conn: &mut SqliteConnection) -> Result<(), Fault> {
    if !bring_up_to_date(conn)? {
        conn.batch_execute(VECTORS_AND_TERMS)?;
        conn.batch_execute(CHUNKS)?;
    }
    Ok(())
}

/// As [`is_present`], but changes tables of the former version into those of this one; the caller holds the write transaction.
pub(super) fn bring_up_to_date(conn: &mut SqliteConnection) -> Result<bool, Fault> {
    match is_present(conn) {
        Err(Fault::Former) => {
            conn.batch_execute("ALTER TABLE chunks RENAME TO former")?;
            conn.batch_execute(CHUNKS)?;
            conn.batch_execute(TAKE_OVER)?;
            Ok(true)
        }
        known => known,
    }
}

/// The index's dimension; `None` before the first embedding.
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

/// Records the index's dimension.
pub(super) fn set_dimension(conn: &mut SqliteConnection, dimension: Dimension) -> Result<(), Fault> {
    let value = i64::try_from(dimension.get()).map_err(Fault::out_of_range)?;
    sql_query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
        .bind::<Text, _>("dimension")
        .bind::<BigInt, _>(value)
        .execute(conn)?;
    Ok(())
}

/// The highest row of a chunk, which is about how many there are and cheaper to know.
pub(super) fn highest_id(conn: &mut SqliteConnection) -> Result<i64, Fault> {
    let highest = sql_query("SELECT coalesce(max(id), 0) AS value FROM chunks").get_result::<Number>(conn)?;
    Ok(highest.value)
}
