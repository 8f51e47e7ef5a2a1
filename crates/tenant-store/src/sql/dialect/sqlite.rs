use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::r2d2::Error as ConnectError;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::sql::errors::is_transient;
use crate::sql::isolation::{Guard, Isolation};

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

pub(super) const HAS_MIGRATIONS_TABLE: &str =
    "EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__diesel_schema_migrations')";

// `substr(key, first dot + 1)` is what follows the first dot; `instr` gives 0 where there is none.
pub(super) const KEY_PART: &str = "CASE \
    WHEN instr(sealed, '.') = 0 \
        OR instr(substr(sealed, instr(sealed, '.') + 1), '.') = 0 THEN sealed \
    ELSE substr(sealed, 1, instr(sealed, '.') - 1 \
        + instr(substr(sealed, instr(sealed, '.') + 1), '.')) \
    END";

/// Settings of one connection. A writer waits five seconds for another; a commit reaches the disk with the next
/// checkpoint, so that a power cut may lose the last commits but leaves the file sound.
const SESSION: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL;";

/// Makes the file, for its owner's eyes only, when there is none, and turns its write-ahead log on.
pub(super) fn open_first(path: &Path) -> Result<SqliteConnection, ConnectError> {
    make_private(path);
    let mut conn = open(path)?;
    use_write_ahead_log(&mut conn).map_err(ConnectError::QueryError)?;
    Ok(conn)
}

pub(super) fn open(path: &Path) -> Result<SqliteConnection, ConnectError> {
    // Behind `./` no name is taken for a URI or for a database in memory.
    let path = if path.is_absolute() {
        path.to_owned()
    } else {
        Path::new(".").join(path)
    };
    let mut conn =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(ConnectError::ConnectionError)?;
    conn.batch_execute(SESSION).map_err(ConnectError::QueryError)?;
    Ok(conn)
}

fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Whether it existed or cannot be made, SQLite finds out next and says so.
    drop(options.open(path));
}

/// The mode stays with the file. While another connection writes, SQLite refuses to change it without waiting for
/// `busy_timeout`, so that the waiting is done here.
fn use_write_ahead_log(conn: &mut SqliteConnection) -> QueryResult<()> {
    let begun = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if is_transient(&error) && begun.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

/// Fails, as on the other database, while there are no tables.
pub(super) fn guard(conn: &mut SqliteConnection) -> QueryResult<Guard> {
    conn.batch_execute("SELECT id FROM documents LIMIT 0")?;
    Ok(Guard {
        #[cfg(feature = "postgres")]
        takes_role: false,
        isolation: Isolation::Unsupported,
    })
}

/// Begins a transaction that has the write lock, so that what it reads is still so when it writes.
pub(super) fn begin_writing(conn: &mut SqliteConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
}

/// Takes the write lock before anything is read, waiting a minute for another process that migrates.
pub(super) fn begin_migrations(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute("PRAGMA busy_timeout = 60000")?;
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
}

/// What a checkpoint says of itself.
#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

/// Writes the file anew without what was removed, and empties the write-ahead log; false when others read that for longer than a
/// connection waits.
pub(super) fn vacuum(conn: &mut SqliteConnection) -> QueryResult<bool> {
    conn.batch_execute("VACUUM")?;
    let done: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
    Ok(done.busy == 0)
}
