use std::cmp::Reverse;

use tenantry_domain::{
    Generation, Job, JobId, JobProgress, Page, Paged, Segment, TenantId, TenantScope, Timestamp,
};

use super::{MemoryStore, Records, paged};
use crate::ledger;
use crate::text::Texts;
use crate::{
    Claim, ClaimedJob, Held, JobFilter, JobQueue, JobStore, Lease, Published, Settlement, StoreError,
    TextRead,
};

impl JobStore for MemoryStore {
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        let records = self.records();
        let found = records.jobs.get(&(scope.id().clone(), id));
        Ok(found.map(|record| record.job.clone()))
    }

    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError> {
        let records = self.records();
        let mut jobs: Vec<_> = records
            .jobs_of(scope.id())
            .map(|record| &record.job)
            .filter(|job| filter.state.is_none_or(|state| job.state == state))
            .filter(|job| filter.document.is_none_or(|document| job.document == document))
            .collect();
        jobs.sort_by_key(|job| Reverse((job.created_at, job.id)));
        Ok(paged(&jobs, page))
    }

    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError> {
        let mut records = self.records();
        let told = ledger::cancel_job(&mut records.ledger(scope.id()), id, at)?;
        Ok(records.entered(scope, told, at))
    }
}

impl JobQueue for MemoryStore {
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError> {
        let mut records = self.records();
        for tenant in tenants_in_turn(&records, claim) {
            let claimed = ledger::claim(&mut records.ledger(&tenant), &tenant, claim)?;
            if claimed.is_some() {
                return Ok(claimed);
            }
        }
        Ok(None)
    }

    fn add_segments(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        segments: &[Segment],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        segments.iter().try_for_each(Texts::refuse_nul)?;
        ledger::add_segments(
            &mut self.records().ledger(scope.id()),
            lease,
            segments,
            now,
            lease_until,
        )
    }

    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        read.refuse_nul()?;
        ledger::text_read(&mut self.records().ledger(scope.id()), lease, read, now)
    }

    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        let mut records = self.records();
        ledger::report(&mut records.ledger(scope.id()), lease, progress, now, lease_until)
    }

    fn publish(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        chunks: u32,
        written: &[Generation],
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let mut records = self.records();
        ledger::publish(&mut records.ledger(scope.id()), lease, chunks, written, now)
    }

    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        settlement.refuse_nul()?;
        ledger::settle(&mut self.records().ledger(scope.id()), lease, settlement, now)
    }
}

/// The active tenants that may have something to do, the one served longest ago first.
fn tenants_in_turn(records: &Records, claim: &Claim) -> Vec<TenantId> {
    let is_active = |id: &TenantId| records.tenants.get(id).is_some_and(|tenant| tenant.is_active);
    let mut turns: Vec<_> = records
        .queue
        .iter()
        .filter(|(_, turn)| turn.due.is_some_and(|due| due <= claim.now))
        .filter(|(id, _)| claim.tenant.as_ref().is_none_or(|only| only == *id) && is_active(id))
        .map(|(id, turn)| (turn.served, id.clone()))
        .collect();
    turns.sort();
    turns.into_iter().map(|(_, id)| id).collect()
}
