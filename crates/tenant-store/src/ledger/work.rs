use tenantry_domain::{DocumentState, JobId, JobProgress, JobStage, JobState, Segment, TenantId, Timestamp};

use super::{Claimed, JobRecord, Ledger, Versions, document_of_job, out_of_turn, schedule};
use crate::{Claim, ClaimedJob, Held, LOST_WORKER, Lease, TextRead};

/// Claims the tenant's next job; see [`crate::JobQueue::claim`].
pub(crate) fn claim<L: Ledger>(
    ledger: &mut L,
    tenant: &TenantId,
    claim: &Claim,
) -> Result<Option<ClaimedJob>, L::Error> {
    let Some(mut record) = ledger.claimable(claim.now)? else {
        // What could be begun but for its document waits for a job whose lease is one of the later moments.
        let next = ledger.next_moment(Some(claim.now))?;
        ledger.set_due(next)?;
        return Ok(None);
    };
    let lease = Lease {
        job: record.job.id,
        // 74 of the bits are random.
        token: JobId::generate(claim.now).to_string(),
    };
    take(&mut record, &lease, claim);
    ledger.save_job(&record)?;
    let mut document = document_of_job(ledger, &record)?;
    if record.job.stage == JobStage::Extracting
        && document.document.version == 0
        && document.document.state == DocumentState::Pending
        && !record.cancel_requested
    {
        document.document.state = DocumentState::Extracting;
        document.document.updated_at = claim.now;
        ledger.save_document(&document)?;
    }
    ledger.set_served(claim.now)?;
    schedule(ledger)?;
    Ok(Some(ClaimedJob {
        tenant: tenant.clone(),
        lease,
        cancelled: record.cancel_requested,
        live_version: document.live_version(),
        incoming: record.making.as_ref().map(super::Making::incoming),
        job: record.job,
    }))
}

fn take(record: &mut JobRecord, lease: &Lease, claim: &Claim) {
    let job = &mut record.job;
    if job.state == JobState::Running {
        job.attempts = job.attempts.saturating_add(1);
        job.reason = Some(LOST_WORKER.to_owned());
    }
    job.state = JobState::Running;
    job.updated_at = claim.now;
    record.begun = true;
    record.claimed = Some(Claimed {
        token: lease.token.clone(),
        until: claim.lease_until,
    });
}

/// The job, if it is still the worker's.
pub(super) fn held<L: Ledger>(ledger: &mut L, lease: &Lease) -> Result<Option<JobRecord>, L::Error> {
    let record = ledger.job(lease.job)?;
    Ok(record.filter(|record| {
        record.job.state == JobState::Running
            && record
                .claimed
                .as_ref()
                .is_some_and(|claimed| claimed.token == lease.token)
    }))
}

fn renew(record: &mut JobRecord, now: Timestamp, until: Timestamp) -> Held {
    record.job.updated_at = now;
    if let Some(claimed) = &mut record.claimed {
        claimed.until = until;
    }
    if record.cancel_requested {
        Held::Cancelled
    } else {
        Held::Yes
    }
}

/// See [`crate::JobQueue::add_segments`].
pub(crate) fn add_segments<L: Ledger>(
    ledger: &mut L,
    lease: &Lease,
    segments: &[Segment],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Held, L::Error> {
    let Some(mut record) = held(ledger, lease)? else {
        return Ok(Held::Lost);
    };
    let held = renew(&mut record, now, lease_until);
    if held == Held::Yes {
        if record.job.stage != JobStage::Extracting {
            return Err(out_of_turn().into());
        }
        let (document, version) = (record.job.document, record.job.version);
        if segments.iter().any(|segment| segment.ordinal == 0) {
            ledger.remove_segments(document, Versions::Only(version))?;
        }
        ledger.add_segments(document, version, segments)?;
    }
    ledger.save_job(&record)?;
    Ok(held)
}

/// See [`crate::JobQueue::text_read`].
pub(crate) fn text_read<L: Ledger>(
    ledger: &mut L,
    lease: &Lease,
    read: &TextRead,
    now: Timestamp,
) -> Result<Held, L::Error> {
    let Some(mut record) = held(ledger, lease)? else {
        return Ok(Held::Lost);
    };
    if record.cancel_requested {
        return Ok(Held::Cancelled);
    }
    let reading = matches!(record.job.stage, JobStage::Extracting | JobStage::Indexing);
    let Some(making) = record.making.as_mut().filter(|_| reading) else {
        return Err(out_of_turn().into());
    };
    making.read = Some(read.clone());
    let source = making.incoming.source;
    record.job.stage = JobStage::Indexing;
    record.job.progress.segments = read.segments;
    record.job.progress.characters = read.characters;
    record.job.updated_at = now;
    ledger.remove_source(source)?;
    ledger.save_job(&record)?;
    let mut document = document_of_job(ledger, &record)?;
    if document.document.version == 0 {
        document.document.state = DocumentState::Indexing;
        document.document.title.clone_from(&read.title);
        document.document.media_type = read.media_type;
        document.document.updated_at = now;
        ledger.save_document(&document)?;
    }
    Ok(Held::Yes)
}

/// See [`crate::JobQueue::report`].
pub(crate) fn report<L: Ledger>(
    ledger: &mut L,
    lease: &Lease,
    progress: &JobProgress,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Held, L::Error> {
    let Some(mut record) = held(ledger, lease)? else {
        return Ok(Held::Lost);
    };
    let held = renew(&mut record, now, lease_until);
    if held == Held::Yes {
        if progress.segments_done > record.job.progress.segments_done {
            record.job.attempts = 0;
            record.job.reason = None;
        }
        record.job.progress = *progress;
    }
    ledger.save_job(&record)?;
    Ok(held)
}
