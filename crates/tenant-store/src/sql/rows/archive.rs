//! What archives need of tables whose rows are otherwise summed or joined.

use tenantry_domain::UsageTotals;

use super::{parsed, unreadable};
use crate::sql::schema::usage_by_day;
use crate::{ArchivedIdentity, ArchivedUsage, StoreError};

/// Where a row of usage has its place among the tenant's: its day, user, kind and model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct UsageKey {
    pub(in crate::sql) day: i64,
    pub(in crate::sql) user: String,
    pub(in crate::sql) kind: String,
    pub(in crate::sql) model: String,
}

impl Default for UsageKey {
    /// Before the first.
    fn default() -> Self {
        Self {
            day: i64::MIN,
            user: String::new(),
            kind: String::new(),
            model: String::new(),
        }
    }
}

/// The columns of an account and its totals.
pub(in crate::sql) type UsageColumns = (
    usage_by_day::day,
    usage_by_day::user_id,
    usage_by_day::kind,
    usage_by_day::model,
    usage_by_day::calls,
    usage_by_day::estimated_calls,
    usage_by_day::prompt_tokens,
    usage_by_day::completion_tokens,
);

type UsageRow = (i64, String, String, String, i64, i64, i64, i64);

impl UsageKey {
    pub(in crate::sql) const COLUMNS: UsageColumns = (
        usage_by_day::day,
        usage_by_day::user_id,
        usage_by_day::kind,
        usage_by_day::model,
        usage_by_day::calls,
        usage_by_day::estimated_calls,
        usage_by_day::prompt_tokens,
        usage_by_day::completion_tokens,
    );
}

pub(in crate::sql) fn archived_usage(row: UsageRow) -> Result<(UsageKey, ArchivedUsage), StoreError> {
    const TABLE: &str = "usage_by_day";
    let (day, user, kind, model, calls, estimated_calls, prompt_tokens, completion_tokens) = row;
    let count = |count: i64| u64::try_from(count).map_err(unreadable(TABLE));
    let usage = ArchivedUsage {
        day,
        user: if user.is_empty() {
            None
        } else {
            Some(parsed(TABLE, &user)?)
        },
        kind: parsed(TABLE, &kind)?,
        model: model.clone(),
        totals: UsageTotals {
            calls: count(calls)?,
            estimated_calls: count(estimated_calls)?,
            prompt_tokens: count(prompt_tokens)?,
            completion_tokens: count(completion_tokens)?,
        },
    };
    Ok((
        UsageKey {
            day,
            user,
            kind,
            model,
        },
        usage,
    ))
}

/// Where an identity has its place among the tenant's: its provider and subject.
pub(in crate::sql) type IdentityKey = (String, String);

pub(in crate::sql) fn archived_identity(
    provider: &str,
    subject: &str,
    user: &str,
) -> Result<ArchivedIdentity, StoreError> {
    const TABLE: &str = "identities";
    Ok(ArchivedIdentity {
        provider: parsed(TABLE, provider)?,
        subject: subject.to_owned(),
        user: parsed(TABLE, user)?,
    })
}
