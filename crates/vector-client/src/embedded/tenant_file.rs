use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use std::{fs, io};

use diesel::{Connection, SqliteConnection};

use super::connection::{self, Identity};
use super::fault::Fault;

/// How many connections a file keeps for the next searches; more are opened when more search at once.
const IDLE_READERS: usize = 4;

/// One tenant's file and the connections to it.
///
/// Searches run beside each other and beside one write (SQLite's write-ahead log). Removing the file waits for them
/// and keeps new ones out, because SQLite must not open a file while its journal is being removed.
#[derive(Debug)]
pub(super) struct TenantFile {
    path: PathBuf,
    busy_timeout: Duration,
    /// Shared while a connection is in use, exclusive while the file is removed.
    presence: RwLock<()>,
    readers: Mutex<Vec<Open>>,
    writer: Mutex<Option<Open>>,
}

/// A connection and the file that it was opened on: the path may name another one since.
struct Open {
    conn: SqliteConnection,
    file: Identity,
}

impl TenantFile {
    pub(super) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self {
            path,
            busy_timeout,
            presence: RwLock::new(()),
            readers: Mutex::default(),
            writer: Mutex::default(),
        }
    }

    /// Runs `work` in a read transaction; `None` when there is no file.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let _present = self.presence.read().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = Identity::of(&self.path)? else {
            return Ok(None);
        };
        let mut open = match self.idle_reader(file) {
            Some(open) => open,
            None => Open {
                conn: connection::reader(&self.path, self.busy_timeout)?,
                file,
            },
        };
        // A connection that failed is not kept: its next use might find what broke it.
        let answer = open.conn.transaction(work)?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(open);
        }
        Ok(Some(answer))
    }

    fn idle_reader(&self, file: Identity) -> Option<Open> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|open| open.file == file);
        readers.pop()
    }

    /// Runs `work` in a write transaction, one at a time; `None` when there is no file and `create` is not set.
    pub(super) fn write<T>(
        &self,
        create: bool,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let _present = self.presence.read().unwrap_or_else(PoisonError::into_inner);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if create {
            connection::create(&self.path)?;
        }
        let Some(file) = Identity::of(&self.path)? else {
            return Ok(None);
        };
        let mut open = match writer.take().filter(|open| open.file == file) {
            Some(open) => open,
            None => Open {
                conn: connection::writer(&self.path, self.busy_timeout)?,
                file,
            },
        };
        // `immediate` takes the write lock at once: a transaction that reads first and then writes cannot wait for it.
        let answer = open.conn.immediate_transaction(work)?;
        *writer = Some(open);
        Ok(Some(answer))
    }

    /// Closes the connections that nobody is using.
    pub(super) fn close(&self) {
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        if let Ok(mut writer) = self.writer.try_lock() {
            *writer = None;
        }
    }

    /// Removes the file with its journal, after the searches and writes that are under way.
    pub(super) fn remove(&self) -> Result<(), Fault> {
        let _absent = self.presence.write().unwrap_or_else(PoisonError::into_inner);
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // The file goes first: a journal without its file is dropped by SQLite, a file without its journal lacks writes.
        for suffix in ["", "-wal", "-shm"] {
            remove_if_there(&with_suffix(&self.path, suffix))?;
        }
        Ok(())
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
