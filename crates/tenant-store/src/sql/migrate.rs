use diesel::prelude::*;

use super::connection::AnyConnection;
use super::errors::store_error;
use super::schema::__diesel_schema_migrations as applied_migrations;
use super::{SqlStore, dialect};
use crate::StoreError;

/// Why the tables could not be brought to what this version needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A newer version of the program has migrated the database.
    #[error(
        "the database has the migration {version}, which this version does not know: it was made by a newer one"
    )]
    DatabaseNewer {
        /// The version of the newest migration that is not known.
        version: String,
    },
    /// The database could not be read or changed.
    #[error("the migration failed")]
    Store(#[from] StoreError),
}

impl SqlStore {
    /// Makes and changes tables until they are what this version needs, and gives the names of the migrations that
    /// did so, in order. Of several processes that do this at once, one works and the others wait for it.
    ///
    /// # Errors
    /// [`MigrateError::DatabaseNewer`] when the database is ahead of this version, which then changes nothing; else
    /// when a migration fails, which leaves those before it applied on PostgreSQL and none on SQLite.
    pub fn migrate(&self) -> Result<Vec<String>, MigrateError> {
        self.alone(|conn| {
            pending(conn)?;
            Ok(dialect::apply(conn)?)
        })
    }

    /// The names of the migrations that this version needs and the database does not have; changes nothing.
    ///
    /// # Errors
    /// [`MigrateError::DatabaseNewer`] when the database is ahead of this version; else when it cannot be read.
    pub fn pending(&self) -> Result<Vec<String>, MigrateError> {
        pending(&mut *self.acquire()?)
    }

    /// The names of the migrations that the database has, in order, one unknown to this version by its bare version;
    /// changes nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn applied(&self) -> Result<Vec<String>, StoreError> {
        let mut conn = self.acquire()?;
        let known = dialect::known(&conn)?;
        let name = |version: String| match known.iter().find(|known| known.version == version) {
            Some(known) => known.name.clone(),
            None => version,
        };
        Ok(applied(&mut conn)?.into_iter().map(name).collect())
    }

    /// Undoes every migration, which deletes every record.
    ///
    /// # Errors
    /// When a migration cannot be undone or the database cannot be reached.
    #[cfg(any(test, feature = "testing"))]
    pub fn revert_all(&self) -> Result<(), MigrateError> {
        self.alone(|conn| Ok(dialect::revert(conn)?))
    }

    /// Runs `work` on a connection of its own, while no other process does the same.
    fn alone<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, MigrateError>,
    ) -> Result<T, MigrateError> {
        let opened = dialect::open(&self.url);
        let mut conn = opened.map_err(|error| StoreError::Unavailable(error.into()))?;
        dialect::alone(&mut conn, work)
    }
}

fn pending(conn: &mut AnyConnection) -> Result<Vec<String>, MigrateError> {
    let known = dialect::known(conn)?;
    let applied = applied(conn)?;
    let is_known = |version: &String| known.iter().any(|known| known.version == *version);
    if let Some(version) = applied.iter().rev().find(|version| !is_known(version)) {
        return Err(MigrateError::DatabaseNewer {
            version: version.clone(),
        });
    }
    Ok(known
        .into_iter()
        .filter(|known| !applied.contains(&known.version))
        .map(|known| known.name)
        .collect())
}

/// The versions of the migrations that the database has, in order. Diesel's own question would make its table first.
fn applied(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    if !dialect::has_migrations_table(conn).map_err(store_error)? {
        return Ok(Vec::new());
    }
    applied_migrations::table
        .select(applied_migrations::version)
        .order(applied_migrations::version.asc())
        .load(conn)
        .map_err(store_error)
}
