use tenantry_domain::{Generation, Job, JobId, JobProgress, Page, Paged, Segment, TenantScope, Timestamp};

use super::FailingStore;
use crate::{
    Claim, ClaimedJob, Held, JobFilter, JobQueue, JobStore, Lease, Published, Settlement, StoreError,
    TextRead,
};

impl<S: JobStore> JobStore for FailingStore<S> {
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        self.call("job", |inner| inner.job(scope, id))
    }

    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError> {
        self.call("jobs", |inner| inner.jobs(scope, filter, page))
    }

    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError> {
        self.call("cancel_job", |inner| inner.cancel_job(scope, id, at))
    }
}

impl<S: JobQueue> JobQueue for FailingStore<S> {
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError> {
        self.call("claim", |inner| inner.claim(claim))
    }

    fn add_segments(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        segments: &[Segment],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.call("add_segments", |inner| {
            inner.add_segments(scope, lease, segments, now, lease_until)
        })
    }

    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        self.call("text_read", |inner| inner.text_read(scope, lease, read, now))
    }

    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.call("report", |inner| {
            inner.report(scope, lease, progress, now, lease_until)
        })
    }

    fn publish(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        chunks: u32,
        written: &[Generation],
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.call("publish", |inner| {
            inner.publish(scope, lease, chunks, written, now)
        })
    }

    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("settle", |inner| inner.settle(scope, lease, settlement, now))
    }
}
