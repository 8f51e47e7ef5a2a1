use diesel::prelude::*;
use tenantry_domain::TenantScope;

use super::connection::AnyConnection;
use super::errors::store_error;
use super::{SqlStore, dialect};
use crate::StoreError;

/// What stands behind the tenant condition of every query on tenant-owned tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// PostgreSQL's row-level security: the database itself shows a tenant's transaction no other tenant's rows.
    Enforced,
    /// Nothing: this PostgreSQL user is bound by no policy and may not take a role that is.
    NotEnforced {
        /// Why, in words for the operator.
        reason: String,
    },
    /// Nothing: SQLite has no row-level security.
    Unsupported,
}

/// How a tenant's transaction is guarded.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// Whether it takes the tenants' role.
    #[cfg(feature = "postgres")]
    pub(super) takes_role: bool,
    /// What that amounts to.
    pub(super) isolation: Isolation,
}

impl SqlStore {
    /// What stands behind the tenant condition of every query, found out by trying it; for the server to say at start.
    ///
    /// # Errors
    /// When the database does not answer or has not been migrated.
    pub fn isolation(&self) -> Result<Isolation, StoreError> {
        self.guard().map(|guard| guard.isolation.clone())
    }

    /// Runs `work` where only the rows of the scope's tenant can be seen and written.
    pub(super) fn in_scope<T>(
        &self,
        scope: &TenantScope,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        self.run(|conn| dialect::in_scope(conn, guard, scope.id(), work))
    }

    fn guard(&self) -> Result<&Guard, StoreError> {
        if let Some(guard) = self.guard.get() {
            return Ok(guard);
        }
        let guard = dialect::guard(&mut *self.acquire()?).map_err(store_error)?;
        Ok(self.guard.get_or_init(|| guard))
    }
}
