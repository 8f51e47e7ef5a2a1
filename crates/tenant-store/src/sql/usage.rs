use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_domain::{TenantId, TenantScope, UsageRecord};

use super::connection::AnyConnection;
use super::ledger::WorkError;
use super::rows::{SumRow, UsageRow};
use super::schema::usage_by_day;
use super::{SqlStore, dialect};
use crate::ledger::usage::{by_account, sums};
use crate::{StoreError, UsageFilter, UsageGroup, UsageStore, UsageSum};

impl UsageStore for SqlStore {
    fn add_usage(&self, scope: &TenantScope, records: &[UsageRecord]) -> Result<(), StoreError> {
        self.write(scope, |conn| add(conn, scope.id(), records))
    }

    fn usage(
        &self,
        scope: &TenantScope,
        filter: &UsageFilter,
        group: UsageGroup,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let rows = self.in_scope(scope, |conn| load(conn, Some(scope.id()), filter, group))?;
        read(rows, group)
    }

    fn usage_of_all(&self, filter: &UsageFilter, group: UsageGroup) -> Result<Vec<UsageSum>, StoreError> {
        let rows =
            self.run(|conn| dialect::as_operator(conn, "usage", |conn| load(conn, None, filter, group)))?;
        read(rows, group)
    }
}

/// Counts calls for the tenant, in a transaction that is bound to it; a call that cannot be counted fails the transaction.
pub(super) fn add(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    records: &[UsageRecord],
) -> Result<(), WorkError> {
    let rows: Vec<_> = by_account(records)?
        .into_iter()
        .map(|(account, totals)| UsageRow::new(tenant, account, totals))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    Ok(dialect::add_usage(conn, rows)?)
}

fn load(
    conn: &mut AnyConnection,
    tenant: Option<&TenantId>,
    filter: &UsageFilter,
    group: UsageGroup,
) -> QueryResult<Vec<SumRow>> {
    let days = filter.days();
    let mut counted = usage_by_day::table
        .group_by(sql::<Text>(column(group)))
        .select((
            sql::<Text>(&format!("CAST({} AS TEXT)", column(group))),
            (upper("calls"), lower("calls")),
            (upper("estimated_calls"), lower("estimated_calls")),
            (upper("prompt_tokens"), lower("prompt_tokens")),
            (upper("completion_tokens"), lower("completion_tokens")),
        ))
        .filter(usage_by_day::day.ge(days.start))
        .filter(usage_by_day::day.lt(days.end))
        .into_boxed();
    if let Some(tenant) = tenant {
        counted = counted.filter(usage_by_day::tenant_id.eq(tenant.as_str()));
    }
    if let Some(user) = filter.user {
        counted = counted.filter(usage_by_day::user_id.eq(user.to_string()));
    }
    counted.load(conn)
}

/// The halves of a column's sum, which is exact whatever the rows hold. Division rounds to zero, and no row is negative.
fn upper(column: &str) -> SqlLiteral<BigInt> {
    sql(&format!(
        "CAST(sum(usage_by_day.{column} / 4294967296) AS BIGINT)"
    ))
}

fn lower(column: &str) -> SqlLiteral<BigInt> {
    sql(&format!(
        "CAST(sum(usage_by_day.{column} % 4294967296) AS BIGINT)"
    ))
}

fn column(group: UsageGroup) -> &'static str {
    match group {
        UsageGroup::Tenant => "usage_by_day.tenant_id",
        UsageGroup::User => "usage_by_day.user_id",
        UsageGroup::Day => "usage_by_day.day",
        UsageGroup::Kind => "usage_by_day.kind",
        UsageGroup::Model => "usage_by_day.model",
    }
}

fn read(rows: Vec<SumRow>, group: UsageGroup) -> Result<Vec<UsageSum>, StoreError> {
    let groups = rows.into_iter().map(|row| row.read(group));
    // Sorted here and not by the database, whose order of texts may be a language's.
    Ok(sums(groups.collect::<Result<_, _>>()?))
}
