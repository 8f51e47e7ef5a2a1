use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::TenantId;

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::sql::connection::AnyConnection;
use crate::sql::rows::{KeyRow, TenantRow, UsageRow};
use crate::sql::schema::{crypto_state, tenants, usage_by_day};

/// The tenant, which nobody else changes from here to the end of the transaction; `None` without such a tenant.
pub(in crate::sql) fn tenant_to_change(
    conn: &mut AnyConnection,
    tenant: &TenantId,
) -> QueryResult<Option<TenantRow>> {
    let tenant = tenants::table.find(tenant.as_str());
    match conn {
        #[cfg(feature = "postgres")]
        // Rows may go on naming the tenant, which is not removed here.
        AnyConnection::Postgres(conn) => tenant.for_no_key_update().first(conn).optional(),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => tenant.first(conn).optional(),
    }
}

/// What sums are told apart by.
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

/// Adds usage to what was counted before; the rows are of different accounts. On PostgreSQL in one statement, which locks them in
/// their order, so that two of them do not wait for each other.
pub(in crate::sql) fn add_usage(conn: &mut AnyConnection, rows: Vec<UsageRow>) -> QueryResult<()> {
    use usage_by_day::{calls, completion_tokens, estimated_calls, prompt_tokens};
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
pub(in crate::sql) fn insert_new_key(conn: &mut AnyConnection, row: KeyRow) -> QueryResult<usize> {
    let insert = diesel::insert_into(crypto_state::table).values(row);
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => insert.on_conflict_do_nothing().execute(conn),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => insert.on_conflict_do_nothing().execute(conn),
    }
}

/// An expression for the text of the column `sealed` before its second `.`, all of it when there is none.
pub(in crate::sql) fn key_part(conn: &AnyConnection) -> &'static str {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => postgres::KEY_PART,
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => sqlite::KEY_PART,
    }
}
