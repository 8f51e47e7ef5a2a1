mod admission;
mod api_keys;
mod archive;
mod audit;
mod clock;
mod connection;
mod conversations;
mod dialect;
mod documents;
mod erasure;
mod errors;
mod identities;
mod indexes;
mod isolation;
mod jobs;
mod keys;
mod ledger;
mod login;
mod messages;
mod migrate;
mod pool;
mod prompts;
mod resets;
mod rows;
mod schema;
mod sessions;
mod sources;
mod tenants;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod throttle;
mod url;
mod usage;
mod users;

use std::fmt;
use std::sync::OnceLock;

use diesel::prelude::*;
use diesel::r2d2::{Pool, PooledConnection};
use tenantry_domain::{Paged, TenantId, TenantScope};

pub use self::isolation::Isolation;
pub use self::migrate::MigrateError;
pub use self::pool::PoolOptions;
pub use self::url::{DatabaseUrl, DatabaseUrlError};

use self::connection::AnyConnection;
use self::errors::store_error;
use self::isolation::Guard;
use self::ledger::{SqlLedger, WorkError};
use self::pool::Manager;
use crate::StoreError;

/// Keeps every record in SQLite or PostgreSQL, through a pool of connections that heals by itself.
///
/// A method borrows one connection for as long as it runs, and waits at most
/// [`PoolOptions::acquire_timeout`] for it.
pub struct SqlStore {
    url: DatabaseUrl,
    pool: Pool<Manager>,
    guard: OnceLock<Guard>,
}

impl SqlStore {
    /// Opens the database, an SQLite file being made when there is none. The tables are made by
    /// [`SqlStore::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database cannot be reached, as soon as that is known: a refused
    /// connection is not tried again.
    pub fn connect(url: &DatabaseUrl, options: PoolOptions) -> Result<Self, StoreError> {
        let pool = pool::open(url, options)?;
        Ok(Self {
            url: url.clone(),
            pool,
            guard: OnceLock::new(),
        })
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn ping(&self) -> Result<(), StoreError> {
        self.run(|conn| diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 1")).execute(conn))
            .map(drop)
    }

    /// What stands behind the tenant condition of every query, found out by trying it; for the server to say at start.
    ///
    /// # Errors
    /// When the database does not answer or has not been migrated.
    pub fn isolation(&self) -> Result<Isolation, StoreError> {
        self.guard().map(|guard| guard.isolation.clone())
    }

    fn acquire(&self) -> Result<PooledConnection<Manager>, StoreError> {
        self.pool
            .get()
            .map_err(|error| StoreError::Unavailable(error.into()))
    }

    /// Runs `work` on a connection of the pool.
    fn run<T>(&self, work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        work(&mut *self.acquire()?).map_err(store_error)
    }

    /// Runs `work` where only the rows of the scope's tenant can be seen and written.
    fn in_scope<T>(
        &self,
        scope: &TenantScope,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        self.in_tenant(scope.id(), work)
    }

    /// The same by the tenant's id, for what superusers read without a scope.
    fn in_tenant<T>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        self.run(|conn| dialect::in_scope(conn, guard, tenant, work))
    }

    /// Runs `work`, which writes several rows of the scope's tenant, in one transaction; rows that others may write at the same time are
    /// locked by writing them.
    fn write<T>(
        &self,
        scope: &TenantScope,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, WorkError>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        let mut conn = self.acquire()?;
        Ok(dialect::writing_in_scope(&mut conn, guard, scope.id(), work)?)
    }

    /// Runs `work` on the records of one tenant, in one transaction, while nobody else changes the same tenant's documents, jobs
    /// and indexes. Takes an id: a worker's claim is made before there is a scope.
    fn change<T>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&mut SqlLedger<'_>) -> Result<T, WorkError>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        let mut conn = self.acquire()?;
        let done = dialect::alone_in_scope(&mut conn, guard, tenant, |conn| {
            work(&mut SqlLedger { conn, tenant })
        });
        Ok(done?)
    }

    fn guard(&self) -> Result<&Guard, StoreError> {
        if let Some(guard) = self.guard.get() {
            return Ok(guard);
        }
        let guard = dialect::guard(&mut *self.acquire()?).map_err(store_error)?;
        Ok(self.guard.get_or_init(|| guard))
    }
}

/// A page of records from its rows.
fn paged<R, T: TryFrom<R, Error = StoreError>>(rows: Vec<R>, total: i64) -> Result<Paged<T>, StoreError> {
    let items = rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?;
    Ok(Paged {
        items,
        total: count(total)?,
    })
}

/// A count as a number that cannot be negative.
fn count(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|error| StoreError::Failed(error.into()))
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("url", &self.url)
            .field("pool", &self.pool.state())
            .finish_non_exhaustive()
    }
}
