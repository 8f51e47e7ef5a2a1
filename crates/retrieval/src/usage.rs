//! What was spent on models.

use std::fmt;
use std::sync::Arc;

use tenantry_domain::{Clock, Timestamp, UsageTotals, UserId};
use tenantry_tenant_store::{StoreError, UsageFilter, UsageGroup, UsageStore, UsageSum};

use crate::{InvalidField, Superuser, TenantAdmin};

/// The most days of one report.
const MAX_DAYS: i64 = 366;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A value cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// The first day (UTC), by any moment of it; else the first of the month in which the last day lies.
    pub from: Option<Timestamp>,
    /// The day after the last (UTC), by any moment of it; else tomorrow.
    pub until: Option<Timestamp>,
    /// By what the sums are told apart.
    pub by: UsageGroup,
    /// Only what was spent for that user.
    pub user: Option<UserId>,
}

/// Sums of a span of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// What was reported: the first day, the day after the last, and for whom, as it was understood.
    pub filter: UsageFilter,
    /// The sum of all of it.
    pub total: UsageTotals,
    /// The sums by the group that was asked for, ordered by key.
    pub items: Vec<UsageSum>,
}

/// Reports what was spent on models.
pub struct UsageReports {
    store: Arc<dyn UsageStore>,
    clock: Arc<dyn Clock>,
}

impl UsageReports {
    /// Reports of what is counted in `store`.
    pub fn new(store: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// What the admin's own tenant spent.
    ///
    /// # Errors
    /// When the span has no day or more than 366, `by` is the tenant, or the store fails.
    pub fn own(&self, admin: &TenantAdmin, query: &UsageQuery) -> Result<UsageReport, UsageError> {
        if query.by == UsageGroup::Tenant {
            let reason = "is none of `day`, `user`, `kind` and `model`";
            return Err(InvalidField::new("by", reason).into());
        }
        let filter = self.filter(query)?;
        let items = self.store.usage(admin.scope(), &filter, query.by)?;
        Ok(report(filter, items))
    }

    /// What all tenants spent.
    ///
    /// # Errors
    /// When the span has no day or more than 366, or the store fails.
    pub fn all(&self, _: &Superuser, query: &UsageQuery) -> Result<UsageReport, UsageError> {
        let filter = self.filter(query)?;
        let items = self.store.usage_of_all(&filter, query.by)?;
        Ok(report(filter, items))
    }

    fn filter(&self, query: &UsageQuery) -> Result<UsageFilter, InvalidField> {
        let until = query
            .until
            .map_or_else(|| self.clock.now().unix_day() + 1, Timestamp::unix_day);
        let from = query
            .from
            .map_or_else(|| month_of(until - 1), Timestamp::unix_day);
        if until <= from {
            return Err(InvalidField::new("until", "is not after `from`"));
        }
        if until - from > MAX_DAYS {
            return Err(InvalidField::new("until", "is more than 366 days after `from`"));
        }
        let begin = |day| Timestamp::from_unix_day(day).map_err(|_| InvalidField::new("until", "is no day"));
        Ok(UsageFilter {
            from: begin(from)?,
            until: begin(until)?,
            user: query.user,
        })
    }
}

impl fmt::Debug for UsageReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageReports").finish_non_exhaustive()
    }
}

fn report(filter: UsageFilter, items: Vec<UsageSum>) -> UsageReport {
    let mut total = UsageTotals::default();
    for item in &items {
        total.merge(item.totals);
    }
    UsageReport { filter, total, items }
}

/// The first day of the month in which `day` lies.
fn month_of(day: i64) -> i64 {
    let date = Timestamp::from_unix_day(day).map(|at| at.to_offset_date_time().date());
    date.map_or(day, |date| day + 1 - i64::from(date.day()))
}

#[cfg(test)]
mod tests {
    use tenantry_domain::ManualClock;
    use tenantry_tenant_store::MemoryStore;

    use super::*;

    const DAY: i64 = 86_400_000_000;
    /// 2026-11-23T12:00:00Z.
    const NOON: i64 = 20_780 * DAY + DAY / 2;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(micros).unwrap()
    }

    fn span(from: Option<i64>, until: Option<i64>) -> Result<[String; 2], InvalidField> {
        let clock = Arc::new(ManualClock::new(at(NOON)));
        let reports = UsageReports::new(Arc::new(MemoryStore::new()), clock);
        let query = UsageQuery {
            from: from.map(|day| at(day * DAY + 5)),
            until: until.map(|day| at(day * DAY + 5)),
            by: UsageGroup::Day,
            user: None,
        };
        let filter = reports.filter(&query)?;
        Ok([filter.from, filter.until].map(|at| at.to_string()))
    }

    #[test]
    fn without_days_it_is_this_month_with_today() {
        let expected = ["2026-11-01T00:00:00Z", "2026-11-24T00:00:00Z"].map(str::to_owned);
        assert_eq!(span(None, None), Ok(expected));
    }

    #[test]
    fn without_a_first_day_it_is_the_month_of_the_last() {
        // 2026-11-01 as the day after the last: all of October.
        let expected = ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"].map(str::to_owned);
        assert_eq!(span(None, Some(20_758)), Ok(expected));
    }

    #[test]
    fn a_span_has_a_day_at_least_and_a_year_at_most() {
        assert!(span(Some(20_780), Some(20_781)).is_ok());
        assert!(span(Some(20_000), Some(20_366)).is_ok());
        for (from, until) in [(20_780, 20_780), (20_781, 20_780), (20_000, 20_367)] {
            assert_eq!(span(Some(from), Some(until)).unwrap_err().field, "until");
        }
        assert!(span(Some(20_781), None).is_err(), "a month that has not begun");
    }
}
