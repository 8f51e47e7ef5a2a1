use std::collections::BTreeMap;
use std::ops::Range;

use tenantry_domain::{Timestamp, TimestampOutOfRange, UsageKind, UsageRecord, UsageTotals, UserId};

use crate::text::Texts;
use crate::{StoreError, UsageFilter, UsageSum};

/// The most that is counted of anything; more stays this.
const MOST: u64 = i64::MAX.unsigned_abs();

/// Calls that are counted together, on the account of one tenant. Their order is that in which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    /// Days since 1970-01-01 (UTC).
    pub(crate) day: i64,
    pub(crate) user: Option<UserId>,
    pub(crate) kind: UsageKind,
    pub(crate) model: String,
}

/// The calls by account.
pub(crate) fn by_account(records: &[UsageRecord]) -> Result<BTreeMap<Account, UsageTotals>, StoreError> {
    let mut accounts = BTreeMap::<_, UsageTotals>::new();
    for record in records {
        record.refuse_nul()?;
        let account = Account {
            day: record.at.unix_day(),
            user: record.user,
            kind: record.kind,
            model: record.model.clone(),
        };
        accounts.entry(account).or_default().add(record.usage);
    }
    Ok(accounts
        .into_iter()
        .map(|(account, totals)| (account, kept(totals)))
        .collect())
}

/// The name of a day, as `2026-11-23`.
pub(crate) fn day_name(day: i64) -> Result<String, TimestampOutOfRange> {
    let at = Timestamp::from_unix_day(day)?;
    Ok(at.to_offset_date_time().date().to_string())
}

/// The totals as far as they are counted.
pub(crate) fn kept(totals: UsageTotals) -> UsageTotals {
    UsageTotals {
        calls: totals.calls.min(MOST),
        estimated_calls: totals.estimated_calls.min(MOST),
        prompt_tokens: totals.prompt_tokens.min(MOST),
        completion_tokens: totals.completion_tokens.min(MOST),
    }
}

/// The sums of groups, ordered by key.
pub(crate) fn sums(groups: BTreeMap<String, UsageTotals>) -> Vec<UsageSum> {
    let sum = |(key, totals)| UsageSum {
        key,
        totals: kept(totals),
    };
    groups.into_iter().map(sum).collect()
}

impl UsageFilter {
    /// Its days, the last one excluded.
    pub(crate) fn days(&self) -> Range<i64> {
        self.from.unix_day()..self.until.unix_day()
    }
}
