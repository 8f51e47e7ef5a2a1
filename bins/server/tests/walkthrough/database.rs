//! A database of one test, with a way in beside the server's.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An empty database that is removed with its test.
pub(crate) enum Database {
    Sqlite {
        folder: TempDir,
    },
    #[cfg(feature = "postgres-tests")]
    Postgres {
        server: url::Url,
        name: String,
        vector_store: &'static str,
    },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A new database in the cluster of `TEST_DATABASE_URL`.
    #[cfg(feature = "postgres-tests")]
    pub(crate) fn postgres() -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static MADE: AtomicUsize = AtomicUsize::new(0);

        #[expect(clippy::disallowed_methods, reason = "who runs the tests names the cluster")]
        let server = std::env::var("TEST_DATABASE_URL");
        let server =
            server.expect("the feature `postgres-tests` needs TEST_DATABASE_URL: try scripts/with-postgres");
        let server: url::Url = server.parse().expect("TEST_DATABASE_URL is a URL");
        let name = format!(
            "walkthrough_{}_{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        psql(server.as_str(), &format!("create database {name}"));
        Self::Postgres {
            server,
            name,
            vector_store: "embedded",
        }
    }

    /// The same, which keeps the vectors too.
    #[cfg(feature = "pgvector-tests")]
    pub(crate) fn pgvector() -> Self {
        let mut database = Self::postgres();
        if let Self::Postgres { vector_store, .. } = &mut database {
            *vector_store = "pgvector";
        }
        database
    }

    /// What `VECTOR_STORE` says of it.
    pub(crate) fn vector_store(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "embedded",
            #[cfg(feature = "postgres-tests")]
            Self::Postgres { vector_store, .. } => vector_store,
        }
    }

    /// What `DATABASE_URL` says of it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite://{}", file(folder).display()),
            #[cfg(feature = "postgres-tests")]
            Self::Postgres { server, name, .. } => {
                let mut url = server.clone();
                url.set_path(name);
                url.into()
            }
        }
    }

    /// The kind of blocks of the document that are meant for it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            #[cfg(feature = "postgres-tests")]
            Self::Postgres { .. } => "postgres",
        }
    }

    /// All that is in it: the bytes of an SQLite file with its log, or what `pg_dump` writes.
    pub(crate) fn dump(&self) -> String {
        match self {
            Self::Sqlite { folder } => {
                let files = std::fs::read_dir(folder.path()).unwrap();
                let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
                String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
            }
            #[cfg(feature = "postgres-tests")]
            Self::Postgres { .. } => {
                let mut command = Command::new(postgres_programs().join("pg_dump"));
                run(command.args(["--no-owner", "--dbname", &self.url()]))
            }
        }
    }

    /// Runs SQL as a person would, past the server, and gives the rows, with `|` between columns.
    pub(crate) fn sql(&self, statement: &str) -> String {
        match self {
            Self::Sqlite { folder } => sqlite(&file(folder), statement),
            #[cfg(feature = "postgres-tests")]
            Self::Postgres { .. } => psql(&self.url(), statement),
        }
    }
}

#[cfg(feature = "postgres-tests")]
impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { server, name, .. } = self {
            // A database that stays behind goes with its cluster.
            let drop_database = format!("drop database if exists {name} with (force)");
            let mut command = Command::new(postgres_programs().join("psql"));
            drop(command.args([server.as_str(), "-qc", &drop_database]).output());
        }
    }
}

/// A stand-in for the `sqlite3` program: many machines have Python and not that.
pub(crate) const SQLITE_IN_PYTHON: &str = "import sqlite3,sys
connection = sqlite3.connect(sys.argv[1], timeout=10)
for row in connection.execute(sys.argv[2]): print('|'.join(str(column) for column in row))
connection.commit()";

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("tenantry.db")
}

fn sqlite(file: &Path, statement: &str) -> String {
    let program = ["sqlite3", "python3"]
        .into_iter()
        .find(|program| is_installed(program));
    let mut command =
        match program.expect("this test changes the database from outside: install sqlite3 (or python3)") {
            "sqlite3" => {
                let mut command = Command::new("sqlite3");
                command.args(["-cmd", ".timeout 10000"]);
                command
            }
            python => {
                let mut command = Command::new(python);
                command.args(["-c", SQLITE_IN_PYTHON]);
                command
            }
        };
    run(command.arg(file).arg(statement))
}

#[cfg(feature = "postgres-tests")]
fn psql(url: &str, statement: &str) -> String {
    let mut command = Command::new(postgres_programs().join("psql"));
    run(command.args([url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement]))
}

/// Where `psql` is: in `TEST_PG_BIN`, which scripts/with-postgres sets; else nothing, which stands for `PATH`.
#[expect(clippy::disallowed_methods, reason = "who runs the tests names the cluster")]
pub(crate) fn postgres_programs() -> PathBuf {
    std::env::var_os("TEST_PG_BIN").unwrap_or_default().into()
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Whether the machine has that program.
pub(crate) fn is_installed(program: &str) -> bool {
    Command::new("bash")
        .args(["-c", "command -v \"$1\"", "-", program])
        .output()
        .is_ok_and(|found| found.status.success())
}
