use diesel::prelude::*;
use tenantry_domain::AuditHash;

#[cfg(feature = "postgres")]
use super::postgres;
use crate::AuditLog;
use crate::sql::connection::AnyConnection;
use crate::sql::isolation::Guard;
use crate::sql::rows::AuditRow;
use crate::sql::schema::{audit_heads, audit_log};

/// Binds the open transaction to a log on PostgreSQL, as [`super::enter`] does to a tenant; the platform's is bound by its name.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(in crate::sql) fn enter_log(conn: &mut AnyConnection, guard: &Guard, log: &AuditLog) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::enter(conn, guard.takes_role, log.as_str()),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = (guard, log);
            Ok(())
        }
    }
}

/// Runs `work` where the entries of one log can be read.
pub(in crate::sql) fn in_log<T>(
    conn: &mut AnyConnection,
    guard: &Guard,
    log: &AuditLog,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(|conn| {
            enter_log(conn, guard, log)?;
            work(conn)
        }),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = (guard, log);
            work(conn)
        }
    }
}

/// Where a log ends, which nobody else moves from here to the end of the transaction.
pub(in crate::sql) fn audit_head_to_move(conn: &mut AnyConnection, log: &str) -> QueryResult<(i64, Vec<u8>)> {
    let head = || {
        audit_heads::table
            .find(log)
            .select((audit_heads::number, audit_heads::hash))
    };
    let start = (
        audit_heads::tenant_id.eq(log),
        audit_heads::number.eq(0),
        audit_heads::hash.eq(AuditHash::START.as_bytes().as_slice()),
    );
    let insert = diesel::insert_into(audit_heads::table).values(start);
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            if let Some(head) = head().for_update().first(conn).optional()? {
                return Ok(head);
            }
            insert.on_conflict_do_nothing().execute(conn)?;
            head().for_update().first(conn)
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => {
            if let Some(head) = head().first(conn).optional()? {
                return Ok(head);
            }
            insert.execute(conn)?;
            head().first(conn)
        }
    }
}

/// Adds entries of one log.
pub(in crate::sql) fn insert_audit_rows(conn: &mut AnyConnection, rows: Vec<AuditRow>) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            diesel::insert_into(audit_log::table).values(rows).execute(conn)?;
        }
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(audit_log::table).values(row).execute(conn)?;
            }
        }
    }
    Ok(())
}
