use diesel::prelude::*;
use tenantry_domain::{TenantId, Timestamp, TokenHash, UserId};

use crate::sql::connection::AnyConnection;
use crate::sql::rows::{FailuresRow, SessionRow, UserRow};
use crate::sql::schema::{login_throttle, sessions, users};

/// Runs a query whose rows nobody else changes from there to the end of the transaction: PostgreSQL locks them, in the order of the query,
/// but for those who only name them by a foreign key; on SQLite the transaction has the write lock already.
macro_rules! locked {
    ($conn:expr, $query:expr, $how:ident) => {
        match $conn {
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(conn) => $query.for_no_key_update().$how(conn),
            #[cfg(feature = "sqlite")]
            AnyConnection::Sqlite(conn) => $query.$how(conn),
        }
    };
}

/// The user, to be changed in the open transaction.
pub(in crate::sql) fn user_to_change(conn: &mut AnyConnection, id: UserId) -> QueryResult<Option<UserRow>> {
    let query = users::table.find(id.to_string());
    locked!(conn, query, first).optional()
}

/// The user and every active superuser, so that of several who step down at once each sees what became of the others. All rows are
/// locked by one query in the order of their ids, so that two of them do not wait for each other.
pub(in crate::sql) fn user_among_superusers(
    conn: &mut AnyConnection,
    id: UserId,
) -> QueryResult<Vec<UserRow>> {
    // On its own: with the other condition no index would serve both.
    let mut ids: Vec<String> = users::table
        .filter(users::is_superuser.and(users::is_active))
        .select(users::id)
        .load(conn)?;
    ids.push(id.to_string());
    let query = users::table.filter(users::id.eq_any(ids)).order(users::id.asc());
    locked!(conn, query, load)
}

/// The ids of the tenant's users, all to be changed in the open transaction, locked in their order.
pub(in crate::sql) fn users_to_change(
    conn: &mut AnyConnection,
    tenant: &TenantId,
) -> QueryResult<Vec<String>> {
    let query = users::table
        .filter(users::tenant_id.eq(tenant.as_str()))
        .order(users::id.asc())
        .select(users::id);
    locked!(conn, query, load)
}

/// The session, to be changed in the open transaction.
pub(in crate::sql) fn session_to_change(
    conn: &mut AnyConnection,
    id: &str,
) -> QueryResult<Option<SessionRow>> {
    let query = sessions::table.find(id);
    locked!(conn, query, first).optional()
}

/// The failures of each of `keys` that has some, to be changed in the open transaction, locked in the order of the keys.
pub(in crate::sql) fn failures_to_change(
    conn: &mut AnyConnection,
    keys: &[&[u8]],
) -> QueryResult<Vec<FailuresRow>> {
    let query = login_throttle::table
        .filter(login_throttle::key.eq_any(keys))
        .order(login_throttle::key.asc());
    locked!(conn, query, load)
}

/// Adds a key that never failed, unless it is there; on PostgreSQL who adds it meanwhile is waited for.
pub(in crate::sql) fn add_failures(
    conn: &mut AnyConnection,
    key: &TokenHash,
    now: Timestamp,
) -> QueryResult<usize> {
    let insert = diesel::insert_into(login_throttle::table).values(FailuresRow::none(key, now));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => insert.on_conflict_do_nothing().execute(conn),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => insert.on_conflict_do_nothing().execute(conn),
    }
}

/// How many sessions of anybody's that are over a log-in removes.
const SWEPT: i64 = 20;

/// Removes some sessions that are over, whosever they are; those that somebody else is removing are not waited for.
pub(in crate::sql) fn sweep_sessions(conn: &mut AnyConnection, now: Timestamp) -> QueryResult<()> {
    let over = sessions::table
        .filter(sessions::expires_at.le(now.unix_micros()))
        .order(sessions::expires_at.asc())
        .limit(SWEPT)
        .select(sessions::id);
    let over: Vec<String> = match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => over.for_update().skip_locked().load(conn)?,
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => over.load(conn)?,
    };
    if !over.is_empty() {
        diesel::delete(sessions::table.filter(sessions::id.eq_any(over))).execute(conn)?;
    }
    Ok(())
}
