//! What the two databases do differently; this file and those below it are the only ones that tell them apart.

mod accounts;
mod audit;
mod erasing;
mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
mod presented;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;

use diesel::prelude::*;
use diesel::r2d2::Error as ConnectError;
use tenantry_domain::TenantId;

pub(super) use self::accounts::{
    add_failures, failures_to_change, session_to_change, sweep_sessions, user_among_superusers,
    user_to_change, users_to_change,
};
pub(super) use self::audit::{audit_head_to_move, enter_log, in_log, insert_audit_rows};
pub(super) use self::erasing::{at_one_moment, delete_owned, erase_as, lock_erased, overwrite, vacuum};
#[cfg(any(test, feature = "testing"))]
pub(super) use self::migrations::revert;
pub(super) use self::migrations::{alone, apply, has_migrations_table, known};
pub(super) use self::presented::{
    Presented, leave, member_to_keep, presenting, provider_to_change, reading, user_to_keep,
};
pub(super) use self::statements::{add_usage, insert_new_key, key_part, tenant_to_change};

use super::connection::AnyConnection;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::url::{DatabaseUrl, Target};

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

/// The microseconds since 1970 by the database server's own clock; `None` where there is no server.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(super) fn clock(conn: &mut AnyConnection) -> QueryResult<Option<i64>> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::clock(conn).map(Some),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => Ok(None),
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
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(super) fn enter(conn: &mut AnyConnection, guard: &Guard, tenant: &TenantId) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::enter(conn, guard.takes_role, tenant.as_str()),
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

/// Runs `work` where what policies keep for the operator under that name may be read: `usage` or `audit`.
pub(super) fn as_operator<T>(
    conn: &mut AnyConnection,
    of: &'static str,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(|conn| {
            match conn {
                AnyConnection::Postgres(conn) => postgres::become_operator(conn, of)?,
                #[cfg(feature = "sqlite")]
                AnyConnection::Sqlite(_) => {}
            }
            work(conn)
        }),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = of;
            work(conn)
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
