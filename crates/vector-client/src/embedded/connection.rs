//! Opens a tenant's file.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::fault::Fault;

/// Which file a path names, to notice when it names another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    /// The identity of the file at `path`; `None` when there is none.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            #[cfg(unix)]
            Ok(found) => {
                use std::os::unix::fs::MetadataExt;
                Ok(Some(Self {
                    device_and_inode: (found.dev(), found.ino()),
                }))
            }
            // Elsewhere an open file cannot be removed or replaced.
            #[cfg(not(unix))]
            Ok(_) => Ok(Some(Self {})),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Makes the file at `path`, empty, for its owner alone; SQLite gives its journal the same permissions.
pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens the file at `path` for searching.
pub(super) fn reader(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, Fault> {
    let mut conn = open(path, busy_timeout)?;
    conn.batch_execute("PRAGMA query_only = ON")?;
    Ok(conn)
}

/// Opens the file at `path` for writing. With `synchronous = NORMAL` a power cut may undo the last writes, never damage
/// the file; documents are ingested again from their records.
pub(super) fn writer(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, Fault> {
    let mut conn = open(path, busy_timeout)?;
    conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")?;
    Ok(conn)
}

fn open(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, Fault> {
    let mut conn = SqliteConnection::establish(&uri(path)?)?;
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis()))?;
    Ok(conn)
}

/// A `file:` URI, because only its `mode` keeps SQLite from making the file (<https://www.sqlite.org/uri.html>).
fn uri(path: &Path) -> Result<String, Fault> {
    let path = path
        .to_str()
        .ok_or_else(|| Fault::File("the folder's name is not UTF-8".into()))?;
    let path = if cfg!(windows) {
        format!("/{}", path.replace('\\', "/"))
    } else {
        path.to_owned()
    };
    let escaped = path.bytes().map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' | b':' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    });
    Ok(format!("file://{}?mode=rw", escaped.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_end_the_uri_early() {
        assert_eq!(
            uri(Path::new("/a b/c?mode=rwc#%41.sqlite")).unwrap(),
            "file:///a%20b/c%3fmode%3drwc%23%2541.sqlite?mode=rw"
        );
    }

    #[test]
    fn opening_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.sqlite");
        assert!(reader(&path, Duration::from_secs(1)).is_err());
        assert!(!path.exists());
    }
}
