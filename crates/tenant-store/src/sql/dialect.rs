//! What the two databases do differently; this file and the two below it are the only ones that tell them apart.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use diesel::backend::Backend;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::r2d2::Error as ConnectError;
use diesel::sql_types::{BigInt, Bool};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use tenantry_domain::{BoxError, TenantId};

use super::connection::AnyConnection;
use super::errors::store_error;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::rows::{KeyRow, UsageRow};
use super::schema::{crypto_state, tenants, usage_by_day};
use super::url::{DatabaseUrl, Target};
use crate::StoreError;

/// A migration that this version knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Its version, as `20261123070000`.
    pub(super) version: String,
    /// Its name, as `2026-11-23-070000_tenants`.
    pub(super) name: String,
}

/// Opens the first connection to a database and makes the database ready for more.
pub(super) fn open_first(url: &DatabaseUrl) -> Result<AnyConnection, ConnectError> {
    match url.target() {
        #[cfg(feature = "postgres")]
        Target::Postgres(url) => postgres::open(url).map(AnyConnection::Postgres),
        #[cfg(feature = "sqlite")]
        Target::Sqlite(path) => sqlite::open_first(path).map(AnyConnection::Sqlite),
    }
}

/// Opens a connection with the limits that every session runs under.
pub(super) fn open(url: &DatabaseUrl) -> Result<AnyConnection, ConnectError> {
    match url.target() {
        #[cfg(feature = "postgres")]
        Target::Postgres(url) => postgres::open(url).map(AnyConnection::Postgres),
        #[cfg(feature = "sqlite")]
        Target::Sqlite(path) => sqlite::open(path).map(AnyConnection::Sqlite),
    }
}

/// Finds out how a tenant's work can be guarded here.
pub(super) fn guard(conn: &mut AnyConnection) -> QueryResult<Guard> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::guard(conn),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => sqlite::guard(conn),
    }
}

/// Binds the open transaction to `tenant` on PostgreSQL; SQLite knows no such thing.
pub(super) fn enter(conn: &mut AnyConnection, guard: &Guard, tenant: &TenantId) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::enter(conn, guard.takes_role, tenant),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = (guard, tenant);
            Ok(())
        }
    }
}

/// Runs one tenant's `work`: on PostgreSQL in a transaction bound to the tenant, on SQLite as it is, each statement
/// being a transaction that takes the write lock when it begins.
pub(super) fn in_scope<T>(
    conn: &mut AnyConnection,
    guard: &Guard,
    tenant: &TenantId,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(|conn| {
            enter(conn, guard, tenant)?;
            work(conn)
        }),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = (guard, tenant);
            work(conn)
        }
    }
}

/// Runs `work`, which writes, in one transaction, on SQLite under the database's own write lock, taken before anything is read.
pub(super) fn writing<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, WorkError>,
) -> Result<T, WorkError> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(work),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(lite) => {
            sqlite::begin_writing(lite)?;
            match work(conn) {
                Ok(done) => Ok(commit(conn).map(|()| done)?),
                Err(error) => {
                    rollback(conn)?;
                    Err(error)
                }
            }
        }
    }
}

/// The same for one tenant's records: on PostgreSQL bound to the tenant.
pub(super) fn writing_in_scope<T>(
    conn: &mut AnyConnection,
    guard: &Guard,
    tenant: &TenantId,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, WorkError>,
) -> Result<T, WorkError> {
    writing(conn, |conn| {
        enter(conn, guard, tenant)?;
        work(conn)
    })
}

/// The same, while no other such transaction runs on the same tenant: on PostgreSQL under a lock of the tenant's name.
pub(super) fn alone_in_scope<T>(
    conn: &mut AnyConnection,
    guard: &Guard,
    tenant: &TenantId,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, WorkError>,
) -> Result<T, WorkError> {
    writing_in_scope(conn, guard, tenant, |conn| {
        match conn {
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(conn) => postgres::lock_tenant(conn, tenant)?,
            #[cfg(feature = "sqlite")]
            AnyConnection::Sqlite(_) => {}
        }
        work(conn)
    })
}

/// Runs `work` where the operator's sums of all tenants may be read.
pub(super) fn as_operator<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(|conn| {
            match conn {
                AnyConnection::Postgres(conn) => postgres::become_operator(conn)?,
                #[cfg(feature = "sqlite")]
                AnyConnection::Sqlite(_) => {}
            }
            work(conn)
        }),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => work(conn),
    }
}

/// The tenant's system prompt, which nobody else changes from here to the end of the transaction; `None` without such a tenant.
pub(super) fn prompt_to_change(
    conn: &mut AnyConnection,
    tenant: &TenantId,
) -> QueryResult<Option<Option<String>>> {
    let prompt = tenants::table
        .find(tenant.as_str())
        .select(tenants::system_prompt);
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => prompt.for_update().first(conn).optional(),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => prompt.first(conn).optional(),
    }
}

/// Adds usage to what was counted before; the rows are of different accounts. On PostgreSQL in one statement, which locks them in
/// their order, so that two of them do not wait for each other.
pub(super) fn add_usage(conn: &mut AnyConnection, rows: Vec<UsageRow>) -> QueryResult<()> {
    use usage_by_day::{calls, completion_tokens, estimated_calls, prompt_tokens};
    const ACCOUNT: (
        usage_by_day::tenant_id,
        usage_by_day::day,
        usage_by_day::user_id,
        usage_by_day::kind,
        usage_by_day::model,
    ) = (
        usage_by_day::tenant_id,
        usage_by_day::day,
        usage_by_day::user_id,
        usage_by_day::kind,
        usage_by_day::model,
    );
    let summed = || {
        (
            calls.eq(sql::<BigInt>(CALLS)),
            estimated_calls.eq(sql::<BigInt>(ESTIMATED_CALLS)),
            prompt_tokens.eq(sql::<BigInt>(PROMPT_TOKENS)),
            completion_tokens.eq(sql::<BigInt>(COMPLETION_TOKENS)),
        )
    };
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            let insert = diesel::insert_into(usage_by_day::table).values(rows);
            insert
                .on_conflict(ACCOUNT)
                .do_update()
                .set(summed())
                .execute(conn)?;
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => {
            for row in rows {
                let insert = diesel::insert_into(usage_by_day::table).values(row);
                insert
                    .on_conflict(ACCOUNT)
                    .do_update()
                    .set(summed())
                    .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// The sum of what a column holds and what is added to it, and the greatest number where that does not fit: PostgreSQL would fail,
/// SQLite would go on in floating point.
macro_rules! summed {
    ($column:literal) => {
        concat!(
            "CASE WHEN usage_by_day.",
            $column,
            " > 9223372036854775807 - excluded.",
            $column,
            " THEN 9223372036854775807 ELSE usage_by_day.",
            $column,
            " + excluded.",
            $column,
            " END"
        )
    };
}

const CALLS: &str = summed!("calls");
const ESTIMATED_CALLS: &str = summed!("estimated_calls");
const PROMPT_TOKENS: &str = summed!("prompt_tokens");
const COMPLETION_TOKENS: &str = summed!("completion_tokens");

/// Adds a key unless one of that id is there; the derived connection knows no `ON CONFLICT`.
pub(super) fn insert_new_key(conn: &mut AnyConnection, row: KeyRow) -> QueryResult<usize> {
    let insert = diesel::insert_into(crypto_state::table).values(row);
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => insert.on_conflict_do_nothing().execute(conn),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => insert.on_conflict_do_nothing().execute(conn),
    }
}

/// An expression for the text of the column `sealed` before its second `.`, all of it when there is none.
pub(super) fn key_part(conn: &AnyConnection) -> &'static str {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => postgres::KEY_PART,
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => sqlite::KEY_PART,
    }
}

/// Whether a migration was ever applied here.
pub(super) fn has_migrations_table(conn: &mut AnyConnection) -> QueryResult<bool> {
    let question = match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => postgres::HAS_MIGRATIONS_TABLE,
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => sqlite::HAS_MIGRATIONS_TABLE,
    };
    diesel::select(sql::<Bool>(question)).get_result(conn)
}

/// Runs `work` while no other process migrates the same database.
pub(super) fn alone<T, E: From<StoreError>>(
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

#[cfg(feature = "sqlite")]
fn commit(conn: &mut AnyConnection) -> QueryResult<()> {
    use diesel::connection::TransactionManager;
    AnyConnection::commit_transaction(conn)
}

#[cfg(feature = "sqlite")]
fn rollback(conn: &mut AnyConnection) -> QueryResult<()> {
    use diesel::connection::TransactionManager;
    AnyConnection::rollback_transaction(conn)
}

/// Applies every migration that is missing and gives their names in order.
pub(super) fn apply(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
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
pub(super) fn revert(conn: &mut AnyConnection) -> Result<(), StoreError> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => conn.revert_all_migrations(postgres::MIGRATIONS).map(drop),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => conn.revert_all_migrations(sqlite::MIGRATIONS).map(drop),
    }
    .map_err(migration_error)
}

/// The migrations that this version knows for that database, in order.
pub(super) fn known(conn: &AnyConnection) -> Result<Vec<Known>, StoreError> {
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
