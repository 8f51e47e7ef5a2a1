use serde::{Deserialize, Serialize};
use tenantry_domain::{Timestamp, UsageTotals};
use tenantry_retrieval::{UsageQuery, UsageReport};
use tenantry_tenant_store::{UsageGroup, UsageSum};
use time::Date;
use time::macros::format_description;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, Code};

/// What to report.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageParams {
    /// The first day (UTC), as `2026-11-01`; else the first of the month in which the last day lies.
    #[param(format = Date)]
    from: Option<String>,
    /// The day after the last (UTC), as `2026-12-01`, at most 366 days after the first; else tomorrow.
    #[param(format = Date)]
    until: Option<String>,
    /// By what the sums are told apart: `day`, `user`, `kind` or `model`, for superusers also `tenant`; else `day`.
    #[param(example = "model")]
    by: Option<String>,
    /// Only what was spent for that user; of a member who is no admin it is always the member.
    user_id: Option<String>,
}

impl UsageParams {
    pub(super) fn query(&self) -> Result<UsageQuery, ApiError> {
        let user = self.user_id.as_deref().map(str::parse).transpose();
        Ok(UsageQuery {
            from: self.from.as_deref().map(|text| day("from", text)).transpose()?,
            until: self.until.as_deref().map(|text| day("until", text)).transpose()?,
            by: self.by.as_deref().map_or(Ok(UsageGroup::Day), group)?,
            user: user.map_err(|_| wrong("`user_id` is no user's id".to_owned()))?,
        })
    }
}

fn group(name: &str) -> Result<UsageGroup, ApiError> {
    match name {
        "tenant" => Ok(UsageGroup::Tenant),
        "user" => Ok(UsageGroup::User),
        "day" => Ok(UsageGroup::Day),
        "kind" => Ok(UsageGroup::Kind),
        "model" => Ok(UsageGroup::Model),
        _ => Err(wrong(
            "`by` is none of `day`, `user`, `kind`, `model` and `tenant`".to_owned(),
        )),
    }
}

fn name(group: UsageGroup) -> &'static str {
    match group {
        UsageGroup::Tenant => "tenant",
        UsageGroup::User => "user",
        UsageGroup::Day => "day",
        UsageGroup::Kind => "kind",
        UsageGroup::Model => "model",
    }
}

fn day(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    let refused = || wrong(format!("`{field}` is no day as 2026-11-01"));
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    if text.len() != 10 || !text.bytes().all(digits) {
        return Err(refused());
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| refused())?;
    Ok(date.midnight().assume_utc().into())
}

fn wrong(sentence: String) -> ApiError {
    ApiError::new(Code::InvalidRequest).saying(sentence)
}

/// What was spent on models in a span of days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageReport)]
pub(super) struct UsageReportView {
    /// The first day (UTC).
    #[schema(format = Date)]
    from: String,
    /// The day after the last.
    #[schema(format = Date)]
    until: String,
    /// By what the sums are told apart.
    by: &'static str,
    /// For whom alone it was asked.
    user_id: Option<String>,
    /// The sum of all.
    total: TotalsView,
    /// The sums, ordered by key.
    items: Vec<SumView>,
}

/// One sum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageSum)]
struct SumView {
    /// The day, the user's id, the kind of call, the model or the tenant's id; empty for calls that no user waited for.
    key: String,
    #[serde(flatten)]
    totals: TotalsView,
}

/// Calls and their tokens in sum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageTotals)]
struct TotalsView {
    /// How many calls.
    calls: u64,
    /// How many of them were estimated, because the provider did not say.
    estimated_calls: u64,
    /// Tokens read.
    prompt_tokens: u64,
    /// Tokens written.
    completion_tokens: u64,
    /// Both.
    total_tokens: u64,
}

impl UsageReportView {
    pub(super) fn of(report: UsageReport, by: UsageGroup) -> Self {
        let UsageReport { filter, total, items } = report;
        Self {
            from: date(filter.from),
            until: date(filter.until),
            by: name(by),
            user_id: filter.user.map(|user| user.to_string()),
            total: total.into(),
            items: items.into_iter().map(SumView::from).collect(),
        }
    }
}

/// The day of a moment.
fn date(at: Timestamp) -> String {
    at.to_offset_date_time().date().to_string()
}

impl From<UsageSum> for SumView {
    fn from(sum: UsageSum) -> Self {
        Self {
            key: sum.key,
            totals: sum.totals.into(),
        }
    }
}

impl From<UsageTotals> for TotalsView {
    fn from(totals: UsageTotals) -> Self {
        Self {
            calls: totals.calls,
            estimated_calls: totals.estimated_calls,
            prompt_tokens: totals.prompt_tokens,
            completion_tokens: totals.completion_tokens,
            total_tokens: totals.total_tokens(),
        }
    }
}
