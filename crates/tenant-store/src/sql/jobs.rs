use diesel::prelude::*;
use tenantry_domain::{
    Generation, Job, JobId, JobProgress, Page, Paged, Segment, TenantId, TenantScope, Timestamp,
};

use super::rows::JobRow;
use super::schema::{ingest_queue, jobs, tenants};
use super::{SqlStore, paged};
use crate::ledger;
use crate::text::Texts;
use crate::{
    Claim, ClaimedJob, Held, JobFilter, JobQueue, JobStore, Lease, Published, Settlement, StoreError,
    TextRead,
};

/// Tenants looked at between two looks at the queue.
const TURNS_AT_ONCE: u8 = 16;

impl JobStore for SqlStore {
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        let query = jobs::table
            .find((scope.id().as_str(), id.to_string()))
            .select(JobRow::as_select());
        self.in_scope(scope, |conn| query.first::<JobRow>(conn).optional())?
            .map(Job::try_from)
            .transpose()
    }

    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError> {
        let filtered = || {
            let mut listed = jobs::table
                .filter(jobs::tenant_id.eq(scope.id().as_str()))
                .into_boxed();
            if let Some(state) = filter.state {
                listed = listed.filter(jobs::state.eq(state.as_str()));
            }
            if let Some(document) = filter.document {
                listed = listed.filter(jobs::document_id.eq(document.to_string()));
            }
            listed
        };
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = filtered()
                .order((jobs::created_at.desc(), jobs::id.desc()))
                .select(JobRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<JobRow>(conn)?;
            Ok((rows, filtered().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError> {
        self.change_and_enter(scope, at, |ledger| ledger::cancel_job(ledger, id, at))
    }
}

/// What a tenant's turn came to.
enum Turn {
    Claimed(Box<ClaimedJob>),
    /// Nothing can be begun now; the queue says when to look again.
    Nothing,
    /// Another worker had the turn since the queue was read.
    Overtaken,
}

impl JobQueue for SqlStore {
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError> {
        let mut failure = None;
        while failure.is_none() {
            let turns = self.turns(claim)?;
            if turns.is_empty() {
                return Ok(None);
            }
            // A turn that came to nothing put the tenant off until later, and one that was overtaken gave another worker
            // something to do: the next look at the queue is another.
            for (tenant, served_at) in turns {
                let tenant = TenantId::parse(&tenant).map_err(|error| StoreError::Failed(error.into()))?;
                match self.take_turn(&tenant, served_at, claim) {
                    Ok(Turn::Claimed(job)) => return Ok(Some(*job)),
                    Ok(Turn::Nothing | Turn::Overtaken) => {}
                    Err(error) => {
                        self.put_last(&tenant, served_at, claim)?;
                        failure.get_or_insert(error);
                    }
                }
            }
        }
        failure.map_or(Ok(None), Err)
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
        self.change(scope.id(), |ledger| {
            ledger::add_segments(ledger, lease, segments, now, lease_until)
        })
    }

    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        read.refuse_nul()?;
        self.change(scope.id(), |ledger| ledger::text_read(ledger, lease, read, now))
    }

    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.change(scope.id(), |ledger| {
            ledger::report(ledger, lease, progress, now, lease_until)
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
        self.change(scope.id(), |ledger| {
            ledger::publish(ledger, lease, chunks, written, now)
        })
    }

    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        settlement.refuse_nul()?;
        self.change(scope.id(), |ledger| {
            ledger::settle(ledger, lease, settlement, now)
        })
    }
}

impl SqlStore {
    /// The active tenants that may have something to do, with when they had their last turn, the one served longest ago first. Read under
    /// the connection's own role: the queue names tenants and moments, nothing of theirs.
    fn turns(&self, claim: &Claim) -> Result<Vec<(String, i64)>, StoreError> {
        let mut due = ingest_queue::table
            .inner_join(tenants::table)
            .filter(tenants::is_active.eq(true))
            .filter(ingest_queue::due_at.le(claim.now.unix_micros()))
            .into_boxed();
        if let Some(tenant) = &claim.tenant {
            due = due.filter(ingest_queue::tenant_id.eq(tenant.as_str()));
        }
        let due = due
            .order((ingest_queue::served_at.asc(), ingest_queue::tenant_id.asc()))
            .limit(TURNS_AT_ONCE.into())
            .select((ingest_queue::tenant_id, ingest_queue::served_at));
        self.run(|conn| due.load(conn))
    }

    /// Lets a tenant whose turn failed have its next one after all others, which wait for what it cannot have.
    fn put_last(&self, tenant: &TenantId, served_at: i64, claim: &Claim) -> Result<(), StoreError> {
        let turn = ingest_queue::table
            .find(tenant.as_str())
            .filter(ingest_queue::served_at.eq(served_at));
        let last = ingest_queue::served_at.eq(claim.now.unix_micros());
        self.run(|conn| diesel::update(turn).set(last).execute(conn))
            .map(drop)
    }

    fn take_turn(&self, tenant: &TenantId, served_at: i64, claim: &Claim) -> Result<Turn, StoreError> {
        self.change(tenant, |ledger| {
            let served_now: i64 = ingest_queue::table
                .find(tenant.as_str())
                .select(ingest_queue::served_at)
                .first(ledger.conn)?;
            if served_now != served_at {
                return Ok(Turn::Overtaken);
            }
            let claimed = ledger::claim(ledger, tenant, claim)?;
            Ok(claimed.map_or(Turn::Nothing, |job| Turn::Claimed(Box::new(job))))
        })
    }
}
