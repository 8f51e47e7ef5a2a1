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
