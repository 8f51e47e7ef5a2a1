use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use tenantry_domain::TenantId;

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::owned::{OWNED, OwnedTable, Whose};
use crate::sql::connection::AnyConnection;

/// The rows of a table that go with the tenant that is the first bound value.
fn condition(table: OwnedTable) -> &'static str {
    match table.whose {
        Whose::Tenant => "tenant_id = $1",
        Whose::User => "tenant_id = $1 AND NOT is_superuser",
        Whose::OfUser => "user_id IN (SELECT id FROM users WHERE tenant_id = $1 AND NOT is_superuser)",
    }
}

/// Removes at most `limit` of a tenant's rows from one table, in a transaction that [`erase_as`] was said in.
pub(in crate::sql) fn delete_owned(
    conn: &mut AnyConnection,
    table: OwnedTable,
    tenant: &TenantId,
    limit: i64,
) -> QueryResult<usize> {
    // `$1` is the first bound value to both: SQLite numbers a name where it meets it first.
    let (name, which) = (table.name, condition(table));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => sql_query(format!(
            "DELETE FROM {name} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {name} WHERE {which} LIMIT $2))"
        ))
        .bind::<Text, _>(tenant.as_str())
        .bind::<BigInt, _>(limit)
        .execute(conn),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => sql_query(format!(
            "DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} WHERE {which} LIMIT $2)"
        ))
        .bind::<Text, _>(tenant.as_str())
        .bind::<BigInt, _>(limit)
        .execute(conn),
    }
}

/// Lets the open transaction remove the rows of one tenant, its audit log's too, as whoever owns the tables.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(in crate::sql) fn erase_as(conn: &mut AnyConnection, tenant: &TenantId) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            postgres::enter(conn, false, tenant.as_str())?;
            postgres::become_operator(conn, "erase")
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = tenant;
            Ok(())
        }
    }
}

/// Has what the connection removes from here on overwritten, where the database does that at all, or no longer so.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(clippy::unnecessary_wraps, reason = "SQLite may fail")
)]
pub(in crate::sql) fn overwrite(conn: &mut AnyConnection, is_wanted: bool) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => {
            let _ = is_wanted;
            Ok(())
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => conn.batch_execute(if is_wanted {
            "PRAGMA secure_delete = ON"
        } else {
            "PRAGMA secure_delete = OFF"
        }),
    }
}

/// Keeps others from counting erased tenants at the same time, to the end of the transaction.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(in crate::sql) fn lock_erased(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            conn.batch_execute("LOCK TABLE erased_tenants IN SHARE ROW EXCLUSIVE MODE")
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Gives back the room of removed rows; false when others kept it from being done whole.
pub(in crate::sql) fn vacuum(conn: &mut AnyConnection) -> QueryResult<bool> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            let tables = OWNED.map(|table| table.name);
            postgres::vacuum(conn, &tables).map(|()| true)
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => {
            let _ = OWNED;
            sqlite::vacuum(conn)
        }
    }
}

/// Runs `work`, which only reads, on the records as they are when it begins.
pub(in crate::sql) fn at_one_moment<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    conn.transaction(|conn| {
        match conn {
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(conn) => {
                conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
            // A transaction of SQLite sees what was there at its first look.
            #[cfg(feature = "sqlite")]
            AnyConnection::Sqlite(_) => {}
        }
        work(conn)
    })
}
