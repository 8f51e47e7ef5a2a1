use tenantry_domain::{Generation, Job, JobId, JobProgress, Page, Paged, Segment, TenantScope, Timestamp};

use super::FailingStore;
use crate::{
    Claim, ClaimedJob, Held, JobFilter, JobQueue, JobStore, Lease, Published, Settlement, StoreError,
    TextRead,
};

impl<S: JobStore> JobStore for FailingStore<S> {
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        self.reach("job")?.job(scope, id)
    }

    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError> {
        self.reach("jobs")?.jobs(scope, filter, page)
    }

    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError> {
        self.reach("cancel_job")?.cancel_job(scope, id, at)
    }
}

impl<S: JobQueue> JobQueue for FailingStore<S> {
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError> {
        self.reach("claim")?.claim(claim)
    }

    fn add_segments(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        segments: &[Segment],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("add_segments")?
            .add_segments(scope, lease, segments, now, lease_until)
    }

    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("text_read")?.text_read(scope, lease, read, now)
    }

    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("report")?
            .report(scope, lease, progress, now, lease_until)
    }

    fn publish(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        chunks: u32,
        written: &[Generation],
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.reach("publish")?.publish(scope, lease, chunks, written, now)
    }

    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.reach("settle")?.settle(scope, lease, settlement, now)
    }
}
