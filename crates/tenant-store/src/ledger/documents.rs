use tenantry_domain::{AuditEvent, DocumentId, DocumentState, Job, JobId, JobKind, JobState, Timestamp};

use super::{DocumentRecord, JobRecord, Ledger, audit, schedule};
use crate::{StoreError, Submission, SubmitOutcome, Submitted};

/// What a document's failure says when its first version was cancelled.
pub(super) const CANCELLED: &str = "cancelled";

/// See [`crate::DocumentStore::submit`].
pub(crate) fn submit<L: Ledger>(
    ledger: &mut L,
    submission: &Submission,
) -> Result<Told<Submitted>, L::Error> {
    let submitted = take_in(ledger, submission)?;
    let event = audit::submitted(&submitted);
    Ok((submitted, event))
}

fn take_in<L: Ledger>(ledger: &mut L, submission: &Submission) -> Result<Submitted, L::Error> {
    let Some(record) = ledger.document_of(submission.external_id.as_deref(), submission.hash)? else {
        if ledger.document(submission.document)?.is_some() {
            return Err(StoreError::IdTaken.into());
        }
        let record = DocumentRecord::begin(submission);
        refuse_taken(ledger, submission.job)?;
        ledger.add_document(&record)?;
        return add_ingest(ledger, submission, record, SubmitOutcome::New);
    };
    let unfinished = ledger.unfinished_jobs(record.document.id)?;
    if let Some(same) = same_submission(ledger, &record, &unfinished, submission)? {
        // A submission that is made twice names the file that the job still reads.
        let reads = same
            .making
            .is_some_and(|making| making.incoming.source == submission.source);
        if !reads {
            ledger.remove_source(submission.source)?;
        }
        return Ok(Submitted {
            document: record.document,
            job: same.job,
            outcome: SubmitOutcome::Unchanged,
        });
    }
    refuse_taken(ledger, submission.job)?;
    for job in unfinished {
        request_end(ledger, job, submission.at)?;
    }
    let record = next_version(record, submission);
    ledger.save_document(&record)?;
    add_ingest(ledger, submission, record, SubmitOutcome::Replacement)
}

fn refuse_taken<L: Ledger>(ledger: &mut L, job: JobId) -> Result<(), L::Error> {
    match ledger.job(job)? {
        Some(_) => Err(StoreError::IdTaken.into()),
        None => Ok(()),
    }
}

fn next_version(mut record: DocumentRecord, submission: &Submission) -> DocumentRecord {
    record.latest = record.latest.saturating_add(1);
    if record.document.version == 0 {
        record.restate(submission);
    }
    record.document.updated_at = submission.at;
    record
}

fn add_ingest<L: Ledger>(
    ledger: &mut L,
    submission: &Submission,
    record: DocumentRecord,
    outcome: SubmitOutcome,
) -> Result<Submitted, L::Error> {
    let job = JobRecord::ingest(submission, &record);
    ledger.add_job(&job)?;
    schedule(ledger)?;
    Ok(Submitted {
        document: record.document,
        job: job.job,
        outcome,
    })
}

/// The job that does, or did, what the submission asks for.
fn same_submission<L: Ledger>(
    ledger: &mut L,
    record: &DocumentRecord,
    unfinished: &[JobRecord],
    submission: &Submission,
) -> Result<Option<JobRecord>, L::Error> {
    let is_of = |job: &JobRecord| job.making.as_ref().is_some_and(|making| making.is_of(submission));
    if let Some(last) = unfinished.last() {
        return Ok((!last.cancel_requested && is_of(last)).then(|| last.clone()));
    }
    let document = &record.document;
    if document.state != DocumentState::Ready {
        return Ok(None);
    }
    let job = ledger.job_of_version(document.id, document.version)?;
    Ok(job.filter(is_of))
}

/// Ends a job that no worker has begun, and asks for the end of one that may have left traces. Gives the job as it is then.
fn request_end<L: Ledger>(
    ledger: &mut L,
    mut record: JobRecord,
    at: Timestamp,
) -> Result<JobRecord, L::Error> {
    if record.has_published() || record.cancel_requested || record.job.kind == JobKind::Remove {
        return Ok(record);
    }
    if record.begun {
        record.cancel_requested = true;
        record.job.updated_at = at;
        if record.job.state == JobState::Queued {
            // Nothing but the traces is to be removed: no reason to wait.
            record.job.not_before = record.job.not_before.min(at);
        }
        ledger.save_job(&record)?;
        Ok(record)
    } else {
        end_now(ledger, record, at)
    }
}

fn end_now<L: Ledger>(ledger: &mut L, mut record: JobRecord, at: Timestamp) -> Result<JobRecord, L::Error> {
    if let Some(making) = &record.making {
        ledger.remove_source(making.incoming.source)?;
    }
    record.job.state = JobState::Cancelled;
    record.job.updated_at = at;
    ledger.save_job(&record)?;
    Ok(record)
}

/// What a step gives, with what is to be entered in the audit log where it changed something.
pub(crate) type Told<T> = (T, Option<AuditEvent>);

/// See [`crate::JobStore::cancel_job`].
pub(crate) fn cancel_job<L: Ledger>(
    ledger: &mut L,
    id: JobId,
    at: Timestamp,
) -> Result<Told<Option<Job>>, L::Error> {
    let Some(record) = ledger.job(id)? else {
        return Ok((None, None));
    };
    if record.job.state.is_over() {
        return Ok((Some(record.job), None));
    }
    let asked_before = record.cancel_requested;
    let record = request_end(ledger, record, at)?;
    if record.job.state.is_over() {
        fail_document(ledger, &record, CANCELLED, at)?;
    }
    schedule(ledger)?;
    let ends = record.job.state.is_over() || record.cancel_requested;
    let event = (ends && !asked_before).then(|| audit::cancelled(&record.job));
    Ok((Some(record.job), event))
}

/// Declares the job's document failed when it has no version that may be found and no other job makes one.
pub(super) fn fail_document<L: Ledger>(
    ledger: &mut L,
    ended: &JobRecord,
    why: &str,
    at: Timestamp,
) -> Result<(), L::Error> {
    let mut record = super::document_of_job(ledger, ended)?;
    let others = ledger.unfinished_jobs(ended.job.document)?;
    let is_made = others
        .iter()
        .any(|other| other.job.id != ended.job.id && !other.cancel_requested);
    if record.document.version == 0 && record.document.state != DocumentState::Deleting && !is_made {
        record.document.state = DocumentState::Failed;
        record.document.failure = Some(why.to_owned());
        record.document.updated_at = at;
        ledger.save_document(&record)?;
    }
    Ok(())
}

/// See [`crate::DocumentStore::remove_document`].
pub(crate) fn remove_document<L: Ledger>(
    ledger: &mut L,
    id: DocumentId,
    job: JobId,
    at: Timestamp,
) -> Result<Told<Option<Job>>, L::Error> {
    let Some(mut record) = ledger.document(id)? else {
        return Ok((None, None));
    };
    let unfinished = ledger.unfinished_jobs(id)?;
    if let Some(removal) = unfinished.iter().find(|job| job.job.kind == JobKind::Remove) {
        return Ok((Some(removal.job.clone()), None));
    }
    refuse_taken(ledger, job)?;
    for other in unfinished {
        // The removal takes every trace with it, so that a job which nobody holds need not be taken up for its own.
        if other.job.state == JobState::Queued {
            end_now(ledger, other, at)?;
        } else {
            request_end(ledger, other, at)?;
        }
    }
    record.document.state = DocumentState::Deleting;
    record.document.failure = None;
    record.document.updated_at = at;
    ledger.save_document(&record)?;
    let removal = JobRecord::removal(job, &record, at);
    ledger.add_job(&removal)?;
    schedule(ledger)?;
    let event = audit::removed(&removal.job);
    Ok((Some(removal.job), Some(event)))
}
