use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::Error as ConnectError;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tenantry_domain::TenantId;

use super::Presented;
use crate::sql::errors::is_transient;
use crate::sql::isolation::{Guard, Isolation};

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

pub(super) const HAS_MIGRATIONS_TABLE: &str = "to_regclass('__diesel_schema_migrations') IS NOT NULL";

pub(super) const KEY_PART: &str = r"coalesce(substring(sealed from '^[^.]*\.[^.]*'), sealed)";

/// The role that a tenant's transaction takes, made by the migration of `documents`.
const ROLE: &str = "tenantry_tenant";

/// Limits of one session, and English messages where the user may choose: diesel passes on no error code.
const SESSION: &str = "\
    SET statement_timeout = '10s'; \
    SET lock_timeout = '3s'; \
    SET idle_in_transaction_session_timeout = '30s'; \
    DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;";

/// Whether the role of the moment is bound by the policy and may do what a tenant's work does.
const IS_BOUND: &str = "(SELECT bool_and(row_security_active(owned)) \
    FROM unnest(ARRAY['documents', 'document_segments', 'source_parts', 'jobs', 'conversations', 'messages', \
            'system_prompts', 'usage_by_day', 'audit_log', 'audit_heads', 'api_keys', 'identity_providers', 'identities']) AS owned)";
const MAY_WORK: &str = "(SELECT bool_and(has_table_privilege(used, action)) \
    FROM unnest(ARRAY['documents', 'document_segments', 'source_parts', 'jobs', 'ingest_queue', 'indexes', \
            'conversations', 'messages', 'system_prompts', 'usage_by_day', 'api_keys', 'identity_providers', 'identities']) AS used, \
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS action) \
    AND has_table_privilege('audit_log', 'SELECT') AND has_table_privilege('audit_log', 'INSERT') \
    AND has_table_privilege('audit_heads', 'SELECT') AND has_table_privilege('audit_heads', 'INSERT') \
    AND has_table_privilege('audit_heads', 'UPDATE')";

diesel::define_sql_function! {
    /// Sets a parameter of the session, or of the transaction when the last argument is true.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

pub(super) fn open(url: &str) -> Result<PgConnection, ConnectError> {
    let mut conn = PgConnection::establish(url).map_err(ConnectError::ConnectionError)?;
    conn.batch_execute(SESSION).map_err(ConnectError::QueryError)?;
    Ok(conn)
}

/// Binds the open transaction to `tenant`; both settings end with it.
pub(super) fn enter(conn: &mut PgConnection, takes_role: bool, tenant: &str) -> QueryResult<()> {
    let tenant = set_config("app.tenant_id", tenant, true);
    if takes_role {
        // The same as `SET LOCAL ROLE`, in one round trip with the other.
        diesel::select((set_config("role", ROLE, true), tenant)).execute(conn)?;
    } else {
        diesel::select(tenant).execute(conn)?;
    }
    Ok(())
}

/// Lets the open transaction read what policies keep for the operator. Nothing comes of it under the tenants' role.
pub(super) fn become_operator(conn: &mut PgConnection, of: &str) -> QueryResult<()> {
    diesel::select(set_config("app.operator", of, true))
        .execute(conn)
        .map(drop)
}

/// Lets the open transaction read the rows that somebody's credential asks for. Nothing comes of it under the tenants' role.
pub(super) fn present(conn: &mut PgConnection, presented: &Presented<'_>) -> QueryResult<()> {
    let setting = match presented {
        Presented::Key(secret) => {
            let hash = secret.as_bytes().iter().map(|byte| format!("{byte:02x}"));
            set_config("app.presented_key", hash.collect::<String>(), true)
        }
        Presented::TokenOf(issuer) => set_config("app.presented_issuer", (*issuer).to_owned(), true),
    };
    diesel::select(setting).execute(conn).map(drop)
}

/// Takes the tenants' role off the open transaction.
pub(super) fn leave(conn: &mut PgConnection, took_role: bool) -> QueryResult<()> {
    if took_role {
        diesel::select(set_config("role", "none", true)).execute(conn)?;
    }
    Ok(())
}

/// Waits until no other transaction holds the tenant's lock, which ends with the transaction. Two tenants whose names have the same
/// hash wait for each other, and lose nothing else.
pub(super) fn lock_tenant(conn: &mut PgConnection, tenant: &TenantId) -> QueryResult<()> {
    // The number keeps the lock apart from others' of the same kind: "tent" in ASCII.
    let lock = sql::<Bool>("pg_advisory_xact_lock(1952804468, hashtext(")
        .bind::<Text, _>(tenant.as_str())
        .sql("))");
    diesel::select(lock).execute(conn).map(drop)
}

/// The microseconds since 1970 by the server's clock.
pub(super) fn clock(conn: &mut PgConnection) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>(
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    ))
    .get_result(conn)
}

/// Tries the tenants' role, and without it whether the user's own is bound by the policy.
pub(super) fn guard(conn: &mut PgConnection) -> QueryResult<Guard> {
    let with_role = conn.transaction(|conn| {
        diesel::select(set_config("role", ROLE, true)).execute(conn)?;
        diesel::select((sql::<Bool>(IS_BOUND), sql::<Bool>(MAY_WORK))).get_result::<(bool, bool)>(conn)
    });
    let refusal = match with_role {
        Ok((true, true)) => {
            return Ok(Guard {
                takes_role: true,
                isolation: Isolation::Enforced,
            });
        }
        Ok((false, _)) => format!("the role {ROLE} bypasses row-level security"),
        Ok((true, false)) => format!("the role {ROLE} lacks rights on the tenants' tables"),
        // What may pass must not be remembered as a refusal.
        Err(error) if is_transient(&error) => return Err(error),
        Err(error) => error.to_string(),
    };
    let isolation = if diesel::select(sql::<Bool>(IS_BOUND)).get_result(conn)? {
        Isolation::Enforced
    } else {
        let reason = format!("{refusal}, and the user's own role bypasses row-level security");
        Isolation::NotEnforced { reason }
    };
    Ok(Guard {
        takes_role: false,
        isolation,
    })
}

/// Waits, as long as a long migration may take, until no other process migrates this database.
pub(super) fn lock_migrations(conn: &mut PgConnection) -> QueryResult<()> {
    // The number is this program's own: "tenantry" in ASCII.
    conn.batch_execute(
        "SET statement_timeout = '10min'; SET lock_timeout = '10min'; SELECT pg_advisory_lock(8387231245791425145)",
    )
}

/// Vacuums tables one by one, those aside that somebody else is at; what is too long for a session's limits is not too long here.
pub(super) fn vacuum(conn: &mut PgConnection, tables: &[&str]) -> QueryResult<()> {
    conn.batch_execute("SET statement_timeout = 0")?;
    let done = tables
        .iter()
        .try_for_each(|table| conn.batch_execute(&format!("VACUUM (SKIP_LOCKED) {table}")));
    conn.batch_execute("SET statement_timeout = '10s'")?;
    done
}
