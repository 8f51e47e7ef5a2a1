use tenantry_domain::{TenantScope, Timestamp, UsageRecord, UsageTotals, UserId};

use crate::StoreError;

/// What sums of usage are made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFilter {
    /// Calls at this moment's day (UTC) or later.
    pub from: Timestamp,
    /// Calls before this moment's day (UTC).
    pub until: Timestamp,
    /// Only those for this user.
    pub user: Option<UserId>,
}

/// By what sums of usage are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageGroup {
    /// By tenant id.
    Tenant,
    /// By user id; empty for calls that no user waited for.
    User,
    /// By day (UTC), as `2026-11-23`.
    Day,
    /// By kind of call.
    Kind,
    /// By model.
    Model,
}

/// The sum of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSum {
    /// What the group has in common.
    pub key: String,
    /// The sum.
    pub totals: UsageTotals,
}

/// Counts what models were called for, by day. A count goes up to 2^63 - 1 and stays there.
pub trait UsageStore: Send + Sync {
    /// Counts calls for the tenant, in one step.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when the tenant is not in this store and there is something to count; else when the store fails.
    fn add_usage(&self, scope: &TenantScope, records: &[UsageRecord]) -> Result<(), StoreError>;

    /// The tenant's sums by `group`, ordered by key; groups without a call are left out.
    ///
    /// # Errors
    /// When the store fails.
    fn usage(
        &self,
        scope: &TenantScope,
        filter: &UsageFilter,
        group: UsageGroup,
    ) -> Result<Vec<UsageSum>, StoreError>;

    /// The sums of all tenants together by `group`, ordered by key; for the operator of the platform.
    ///
    /// # Errors
    /// When the store fails.
    fn usage_of_all(&self, filter: &UsageFilter, group: UsageGroup) -> Result<Vec<UsageSum>, StoreError>;
}
