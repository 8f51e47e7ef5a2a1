//! Binds a transaction to one tenant.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use tenantry_domain::TenantId;

use super::fault::is_transient;

/// The role that a tenant's transaction takes; the record store's migrations make the same one.
const ROLE: &str = "tenantry_tenant";

/// Whether the role of the moment is bound by the policy and may do what a tenant's work does.
const IS_BOUND: &str = "row_security_active('tenantry_vector_chunks')";
const MAY_WORK: &str = "(SELECT bool_and(has_table_privilege('tenantry_vector_' || name, kind)) \
    FROM unnest(ARRAY['indexes', 'versions', 'chunks', 'postings', 'embeddings']) AS name, \
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS kind)";

diesel::define_sql_function! {
    /// Sets a parameter of the session, or of the transaction when the last argument is true.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// How a tenant's transaction is guarded.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    takes_role: bool,
    /// Why the database itself does not keep tenants apart, when it does not.
    pub(super) open_because: Option<String>,
}

impl Guard {
    /// Tries the tenants' role, and without it whether the user's own is bound by the policy.
    pub(super) fn find(conn: &mut PgConnection) -> QueryResult<Self> {
        let with_role = conn.transaction(|conn| {
            diesel::select(set_config("role", ROLE, true)).execute(conn)?;
            diesel::select((sql::<Bool>(IS_BOUND), sql::<Bool>(MAY_WORK))).get_result::<(bool, bool)>(conn)
        });
        let refusal = match with_role {
            Ok((true, true)) => {
                return Ok(Self {
                    takes_role: true,
                    open_because: None,
                });
            }
            Ok((false, _)) => format!("the role {ROLE} bypasses row-level security"),
            Ok((true, false)) => format!("the role {ROLE} has no rights on the tables tenantry_vector_*"),
            // What may pass must not be remembered as a refusal.
            Err(error) if is_transient(&error) => return Err(error),
            Err(error) => error.to_string(),
        };
        let is_bound: bool = diesel::select(sql::<Bool>(IS_BOUND)).get_result(conn)?;
        Ok(Self {
            takes_role: false,
            open_because: (!is_bound)
                .then(|| format!("{refusal}, and the user's own role bypasses row-level security")),
        })
    }

    /// Binds the open transaction to `tenant`; both settings end with it.
    pub(super) fn enter(&self, conn: &mut PgConnection, tenant: &TenantId) -> QueryResult<()> {
        let tenant = set_config("app.tenant_id", tenant.as_str(), true);
        if self.takes_role {
            // The same as `SET LOCAL ROLE`, in one round trip with the other.
            diesel::select((set_config("role", ROLE, true), tenant)).execute(conn)?;
        } else {
            diesel::select(tenant).execute(conn)?;
        }
        Ok(())
    }
}
