use std::collections::BTreeMap;

use tenantry_domain::{TenantId, TenantScope, UsageRecord, UsageTotals};

use super::{MemoryStore, Records};
use crate::ledger::usage::{Account, by_account, day_name, kept, sums};
use crate::{StoreError, UsageFilter, UsageGroup, UsageStore, UsageSum};

impl Records {
    /// Counts calls for the tenant; nothing when that fails.
    pub(super) fn add_usage(&mut self, tenant: &TenantId, records: &[UsageRecord]) -> Result<(), StoreError> {
        let accounts = by_account(records)?;
        if accounts.is_empty() {
            return Ok(());
        }
        self.refuse_unknown(tenant)?;
        for (account, more) in accounts {
            let totals = self.usage.entry((tenant.clone(), account)).or_default();
            totals.merge(more);
            *totals = kept(*totals);
        }
        Ok(())
    }

    /// The sums of the accounts that `filter` and `is_meant` let through.
    fn usage_sums(
        &self,
        filter: &UsageFilter,
        group: UsageGroup,
        is_meant: impl Fn(&TenantId) -> bool,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let days = filter.days();
        let mut groups = BTreeMap::<_, UsageTotals>::new();
        for ((tenant, account), totals) in &self.usage {
            let is_asked_for = filter.user.is_none() || account.user == filter.user;
            if is_meant(tenant) && is_asked_for && days.contains(&account.day) {
                groups
                    .entry(key(group, tenant, account)?)
                    .or_default()
                    .merge(*totals);
            }
        }
        Ok(sums(groups))
    }
}

fn key(group: UsageGroup, tenant: &TenantId, account: &Account) -> Result<String, StoreError> {
    Ok(match group {
        UsageGroup::Tenant => tenant.to_string(),
        UsageGroup::User => account.user.map(|user| user.to_string()).unwrap_or_default(),
        UsageGroup::Day => day_name(account.day).map_err(|error| StoreError::Failed(error.into()))?,
        UsageGroup::Kind => account.kind.to_string(),
        UsageGroup::Model => account.model.clone(),
    })
}

impl UsageStore for MemoryStore {
    fn add_usage(&self, scope: &TenantScope, records: &[UsageRecord]) -> Result<(), StoreError> {
        self.records().add_usage(scope.id(), records)
    }

    fn usage(
        &self,
        scope: &TenantScope,
        filter: &UsageFilter,
        group: UsageGroup,
    ) -> Result<Vec<UsageSum>, StoreError> {
        self.records()
            .usage_sums(filter, group, |tenant| tenant == scope.id())
    }

    fn usage_of_all(&self, filter: &UsageFilter, group: UsageGroup) -> Result<Vec<UsageSum>, StoreError> {
        self.records().usage_sums(filter, group, |_| true)
    }
}
