use std::num::ParseIntError;

use diesel::prelude::*;
use tenantry_domain::{TenantId, UsageTotals};

use super::unreadable;
use crate::ledger::usage::{Account, day_name};
use crate::sql::schema::usage_by_day;
use crate::{StoreError, UsageGroup};

const TABLE: &str = "usage_by_day";

#[derive(Insertable)]
#[diesel(table_name = usage_by_day)]
pub(in crate::sql) struct UsageRow {
    tenant_id: String,
    day: i64,
    user_id: String,
    kind: &'static str,
    model: String,
    calls: i64,
    estimated_calls: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
}

impl UsageRow {
    pub(in crate::sql) fn new(tenant: &TenantId, account: Account, totals: UsageTotals) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            day: account.day,
            user_id: account.user.map(|user| user.to_string()).unwrap_or_default(),
            kind: account.kind.as_str(),
            model: account.model,
            calls: written(totals.calls),
            estimated_calls: written(totals.estimated_calls),
            prompt_tokens: written(totals.prompt_tokens),
            completion_tokens: written(totals.completion_tokens),
        }
    }
}

fn written(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The sum of a column, by the upper and the lower half of its numbers' bits: whole, it might not fit into a number of the database.
pub(in crate::sql) type Halves = (i64, i64);

/// The sums of one group, in the order of [`UsageTotals`].
#[derive(Queryable)]
pub(in crate::sql) struct SumRow {
    key: String,
    calls: Halves,
    estimated_calls: Halves,
    prompt_tokens: Halves,
    completion_tokens: Halves,
}

impl SumRow {
    /// The key, by the name that it has outside, and the totals.
    pub(in crate::sql) fn read(self, group: UsageGroup) -> Result<(String, UsageTotals), StoreError> {
        let key = match group {
            UsageGroup::Day => {
                let day = self.key.parse();
                day_name(day.map_err(unreadable::<ParseIntError>(TABLE))?).map_err(unreadable(TABLE))?
            }
            UsageGroup::Tenant | UsageGroup::User | UsageGroup::Kind | UsageGroup::Model => self.key,
        };
        let totals = UsageTotals {
            calls: whole(self.calls)?,
            estimated_calls: whole(self.estimated_calls)?,
            prompt_tokens: whole(self.prompt_tokens)?,
            completion_tokens: whole(self.completion_tokens)?,
        };
        Ok((key, totals))
    }
}

fn whole((upper, lower): Halves) -> Result<u64, StoreError> {
    let [upper, lower] = [upper, lower].map(u64::try_from);
    let upper = upper.map_err(unreadable(TABLE))?;
    let lower = lower.map_err(unreadable(TABLE))?;
    Ok(upper.saturating_mul(1 << 32).saturating_add(lower))
}
