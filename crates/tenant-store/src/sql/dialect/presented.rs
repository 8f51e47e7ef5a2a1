use diesel::prelude::*;
use tenantry_domain::{Email, IdentityProviderId, TenantId, TokenHash};

#[cfg(feature = "postgres")]
use super::postgres;
use crate::sql::connection::AnyConnection;
use crate::sql::isolation::Guard;
use crate::sql::rows::{ProviderRow, UserRow};
use crate::sql::schema::{identity_providers, users};

/// What somebody presents of whom it is not known yet which tenant they come to.
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "SQLite has no policies to tell it to")
)]
pub(in crate::sql) enum Presented<'p> {
    /// An API key, by the hash of its secret.
    Key(TokenHash),
    /// A token of an issuer.
    TokenOf(&'p str),
}

/// Runs `work` where policies show the rows of every tenant that were asked for, and no other.
pub(in crate::sql) fn presenting<T>(
    conn: &mut AnyConnection,
    presented: &Presented<'_>,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(|conn| {
            match conn {
                AnyConnection::Postgres(conn) => postgres::present(conn, presented)?,
                #[cfg(feature = "sqlite")]
                AnyConnection::Sqlite(_) => {}
            }
            work(conn)
        }),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = presented;
            work(conn)
        }
    }
}

/// Runs `work`, which reads and binds itself to a tenant meanwhile, where that binding ends with it.
pub(in crate::sql) fn reading<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => conn.transaction(work),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => work(conn),
    }
}

/// Takes the tenants' role off the open transaction, which stays bound to its tenant: users are no tenant's.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unnecessary_wraps, reason = "PostgreSQL may fail")
)]
pub(in crate::sql) fn leave(conn: &mut AnyConnection, guard: &Guard) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => postgres::leave(conn, guard.takes_role),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(_) => {
            let _ = guard;
            Ok(())
        }
    }
}

/// The provider, which nobody else uses or changes from here to the end of the transaction.
pub(in crate::sql) fn provider_to_change(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    id: IdentityProviderId,
) -> QueryResult<Option<ProviderRow>> {
    let query = identity_providers::table.find((tenant.as_str(), id.to_string()));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => query.for_update().first(conn).optional(),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => query.first(conn).optional(),
    }
}

/// The user of that id who is in the tenant, and stays so until the end of the transaction.
pub(in crate::sql) fn member_to_keep(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    id: &str,
) -> QueryResult<Option<UserRow>> {
    let query = users::table.find(id).filter(users::tenant_id.eq(tenant.as_str()));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => query.for_update().first(conn).optional(),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => query.first(conn).optional(),
    }
}

/// The user with that address, who stays as they are until the end of the transaction.
pub(in crate::sql) fn user_to_keep(conn: &mut AnyConnection, email: &Email) -> QueryResult<Option<UserRow>> {
    let query = users::table.filter(users::email.eq(email.as_str()));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => query.for_update().first(conn).optional(),
        #[cfg(feature = "sqlite")]
        AnyConnection::Sqlite(conn) => query.first(conn).optional(),
    }
}
