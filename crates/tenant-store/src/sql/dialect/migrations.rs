use diesel::backend::Backend;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use tenantry_domain::BoxError;

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::{commit, sqlite};
use crate::StoreError;
use crate::sql::connection::AnyConnection;
use crate::sql::errors::store_error;

/// A migration that this version knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Known {
    /// Its version, as `20261123070000`.
    pub(in crate::sql) version: String,
    /// Its name, as `2026-11-23-070000_tenants`.
    pub(in crate::sql) name: String,
}

/// Whether a migration was ever applied here.
pub(in crate::sql) fn has_migrations_table(conn: &mut AnyConnection) -> QueryResult<bool> {
    let question = match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => postgres::HAS_MIGRATIONS_TABLE,
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => sqlite::HAS_MIGRATIONS_TABLE,
    };
    diesel::select(sql::<Bool>(question)).get_result(conn)
}

/// Runs `work` while no other process migrates the same database.
pub(in crate::sql) fn alone<T, E: From<StoreError>>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(pg) => {
            postgres::lock_migrations(pg).map_err(store_error)?;
            // The lock ends with the connection, which is closed after this.
            work(conn)
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(lite) => {
            sqlite::begin_migrations(lite).map_err(store_error)?;
            match work(conn) {
                Ok(done) => commit(conn)
                    .map(|()| done)
                    .map_err(|error| store_error(error).into()),
                // Closing the connection undoes what was begun.
                Err(error) => Err(error),
            }
        }
    }
}

/// Applies every migration that is missing and gives their names in order.
pub(in crate::sql) fn apply(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    fn missing<C: MigrationHarness<DB>, DB: Backend>(
        conn: &mut C,
        source: EmbeddedMigrations,
    ) -> Result<Vec<String>, BoxError> {
        let missing = conn.pending_migrations(source)?;
        missing
            .iter()
            .map(|migration| {
                conn.run_migration(migration)
                    .map(|_| migration.name().to_string())
            })
            .collect()
    }
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => missing(conn, postgres::MIGRATIONS),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => missing(conn, sqlite::MIGRATIONS),
    }
    .map_err(migration_error)
}

/// Undoes every migration.
#[cfg(any(test, feature = "testing"))]
pub(in crate::sql) fn revert(conn: &mut AnyConnection) -> Result<(), StoreError> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => conn.revert_all_migrations(postgres::MIGRATIONS).map(drop),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => conn.revert_all_migrations(sqlite::MIGRATIONS).map(drop),
    }
    .map_err(migration_error)
}

/// The migrations that this version knows for that database, in order.
pub(in crate::sql) fn known(conn: &AnyConnection) -> Result<Vec<Known>, StoreError> {
    fn listed<DB: Backend>(source: &EmbeddedMigrations) -> Result<Vec<Known>, BoxError> {
        let migrations = MigrationSource::<DB>::migrations(source)?;
        let known = |name: &dyn diesel::migration::MigrationName| Known {
            version: name.version().to_string(),
            name: name.to_string(),
        };
        Ok(migrations
            .iter()
            .map(|migration| known(migration.name()))
            .collect())
    }
    let mut known = match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => listed::<diesel::pg::Pg>(&postgres::MIGRATIONS),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => listed::<diesel::sqlite::Sqlite>(&sqlite::MIGRATIONS),
    }
    .map_err(migration_error)?;
    known.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(known)
}

fn migration_error(error: BoxError) -> StoreError {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => store_error(*error),
        Err(error) => StoreError::Failed(error),
    }
}
