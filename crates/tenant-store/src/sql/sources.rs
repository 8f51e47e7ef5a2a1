use diesel::prelude::*;
use tenantry_domain::{SourceId, TenantScope, Timestamp};

use super::SqlStore;
use super::ledger::{SqlLedger, UNFINISHED, WorkError};
use super::schema::{jobs, source_parts};
use crate::ledger::Ledger;
use crate::{SourceStore, StoreError};

impl SourceStore for SqlStore {
    fn add_part(
        &self,
        scope: &TenantScope,
        source: SourceId,
        place: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(scope.id(), |ledger| {
            let tenant = scope.id().as_str();
            let key = (tenant, source.to_string(), i64::from(place));
            diesel::delete(source_parts::table.find(key)).execute(ledger.conn)?;
            let row = (
                source_parts::tenant_id.eq(tenant),
                source_parts::source_id.eq(source.to_string()),
                source_parts::place.eq(i64::from(place)),
                source_parts::added_at.eq(at.unix_micros()),
                source_parts::bytes.eq(bytes),
            );
            diesel::insert_into(source_parts::table)
                .values(row)
                .execute(ledger.conn)?;
            Ok(())
        })
    }

    fn part(&self, scope: &TenantScope, source: SourceId, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let query = source_parts::table
            .find((scope.id().as_str(), source.to_string(), i64::from(place)))
            .select(source_parts::bytes);
        self.in_scope(scope, |conn| query.first(conn).optional())
    }

    fn remove_source(&self, scope: &TenantScope, source: SourceId) -> Result<(), StoreError> {
        self.change(scope.id(), |ledger| ledger.remove_source(source))
    }

    fn remove_abandoned(&self, scope: &TenantScope, before: Timestamp) -> Result<u64, StoreError> {
        self.change(scope.id(), |ledger| {
            remove_abandoned(ledger, before.unix_micros())
        })
    }
}

fn remove_abandoned(ledger: &mut SqlLedger<'_>, before: i64) -> Result<u64, WorkError> {
    let tenant = ledger.tenant.as_str();
    let parts = source_parts::table.filter(source_parts::tenant_id.eq(tenant));
    let read = jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::state.eq_any(UNFINISHED))
        .filter(jobs::source_id.is_not_null())
        .select(jobs::source_id.assume_not_null());
    let old: Vec<String> = parts
        .filter(source_parts::added_at.lt(before))
        .filter(source_parts::source_id.ne_all(read))
        .select(source_parts::source_id)
        .distinct()
        .load(ledger.conn)?;
    let mut removed = 0;
    for source in old {
        let newer = parts
            .filter(source_parts::source_id.eq(&source))
            .filter(source_parts::added_at.ge(before));
        let is_growing: i64 = newer.count().get_result(ledger.conn)?;
        if is_growing == 0 {
            diesel::delete(parts.filter(source_parts::source_id.eq(&source))).execute(ledger.conn)?;
            removed += 1;
        }
    }
    Ok(removed)
}
