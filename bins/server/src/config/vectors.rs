use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::reader::{Reader, choice};
use super::variables::VECTOR_STORE;

/// The vector store of tenants without one of their own.
#[derive(Debug, Clone)]
pub enum LocalVectors {
    /// One file an index in a folder.
    Embedded {
        /// The folder of all data; the files lie below it.
        data_dir: PathBuf,
    },
    /// The tenant's rows of the database of the records.
    #[cfg(feature = "pgvector")]
    PgVector {
        /// `DATABASE_URL` as it was written.
        url: SecretString,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Known {
    Embedded,
    PgVector,
}

/// The store; `database` is the URL of the records as it was written.
pub(super) fn vectors(
    reader: &mut Reader<'_>,
    database: Option<&SecretString>,
    data_dir: Option<&Path>,
) -> Option<LocalVectors> {
    let known = choice(&[("embedded", Known::Embedded), ("pgvector", Known::PgVector)]);
    match reader.value(&VECTOR_STORE, known)? {
        Known::Embedded => Some(LocalVectors::Embedded {
            data_dir: data_dir?.to_owned(),
        }),
        Known::PgVector => {
            let store = pgvector(database?);
            reader.problems.keep(&VECTOR_STORE, store)
        }
    }
}

#[cfg(feature = "pgvector")]
fn pgvector(database: &SecretString) -> Result<LocalVectors, &'static str> {
    use secrecy::ExposeSecret;

    if database.expose_secret().starts_with("postgres") {
        Ok(LocalVectors::PgVector {
            url: database.clone(),
        })
    } else {
        Err("is pgvector, and DATABASE_URL is no PostgreSQL")
    }
}

#[cfg(not(feature = "pgvector"))]
fn pgvector(_: &SecretString) -> Result<LocalVectors, &'static str> {
    Err("is pgvector, which is not built in: build with the feature `pgvector`")
}
