use tenantry_domain::{DocumentState, Generation, JobKind, JobStage, JobState, Timestamp};

use super::documents::{CANCELLED, fail_document};
use super::work::held;
use super::{DocumentRecord, JobRecord, Ledger, Making, Versions, document_of_job, out_of_turn, schedule};
use crate::{Lease, Published, Settlement, TextRead};

/// See [`crate::JobQueue::publish`].
pub(crate) fn publish<L: Ledger>(
    ledger: &mut L,
    lease: &Lease,
    chunks: u32,
    written: &[Generation],
    now: Timestamp,
) -> Result<Published, L::Error> {
    let Some(mut record) = held(ledger, lease)? else {
        return Ok(Published::Lost);
    };
    if record.has_published() {
        return Ok(Published::Yes);
    }
    if record.cancel_requested {
        return Ok(Published::Cancelled);
    }
    let in_use = ledger.generations_in_use()?;
    if !in_use.iter().all(|generation| written.contains(generation)) {
        return Ok(Published::IndexesChanged);
    }
    let Some((making, read)) = text_of(&record) else {
        return Err(out_of_turn().into());
    };
    let mut document = document_of_job(ledger, &record)?;
    make_live(&mut document, making, read);
    document.document.version = record.job.version;
    document.document.chunks = chunks;
    document.document.updated_at = now;
    ledger.save_document(&document)?;
    ledger.remove_segments(record.job.document, Versions::AllBut(record.job.version))?;
    record.job.stage = JobStage::Cleaning;
    record.job.progress.chunks = chunks;
    record.job.updated_at = now;
    ledger.save_job(&record)?;
    Ok(Published::Yes)
}

fn text_of(record: &JobRecord) -> Option<(&Making, &TextRead)> {
    let making = record.making.as_ref()?;
    Some((making, making.read.as_ref()?))
}

fn make_live(record: &mut DocumentRecord, making: &Making, read: &TextRead) {
    record.format = read.format;
    record.segments = read.segments;
    let document = &mut record.document;
    document.title.clone_from(&read.title);
    document.media_type = read.media_type;
    document.metadata = making.incoming.metadata.clone();
    document.content_hash = making.hash;
    document.characters = read.characters;
    document.state = DocumentState::Ready;
    document.failure = None;
}

/// See [`crate::JobQueue::settle`].
pub(crate) fn settle<L: Ledger>(
    ledger: &mut L,
    lease: &Lease,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool, L::Error> {
    let Some(mut record) = held(ledger, lease)? else {
        return Ok(false);
    };
    record.claimed = None;
    record.job.updated_at = now;
    match settlement {
        Settlement::Yielded => {
            record.job.state = JobState::Queued;
            ledger.save_job(&record)?;
        }
        Settlement::Retry { not_before, reason } => {
            count_attempt(&mut record, reason);
            record.job.state = JobState::Queued;
            record.job.not_before = *not_before;
            ledger.save_job(&record)?;
        }
        Settlement::Failed { reason } => {
            count_attempt(&mut record, reason);
            record.job.state = JobState::Failed;
            give_up(ledger, &record, reason, now)?;
        }
        Settlement::Cancelled => {
            record.job.state = JobState::Cancelled;
            record.job.reason = None;
            give_up(ledger, &record, CANCELLED, now)?;
        }
        Settlement::Done => finish(ledger, record)?,
    }
    schedule(ledger)?;
    Ok(true)
}

fn count_attempt(record: &mut JobRecord, reason: &str) {
    record.job.attempts = record.job.attempts.saturating_add(1);
    record.job.reason = Some(reason.to_owned());
}

/// Ends a job without what it was to make.
fn give_up<L: Ledger>(ledger: &mut L, record: &JobRecord, why: &str, now: Timestamp) -> Result<(), L::Error> {
    ledger.save_job(record)?;
    if let Some(making) = &record.making {
        ledger.remove_source(making.incoming.source)?;
        if !record.has_published() {
            ledger.remove_segments(record.job.document, Versions::Only(record.job.version))?;
        }
    }
    fail_document(ledger, record, why, now)
}

fn finish<L: Ledger>(ledger: &mut L, mut record: JobRecord) -> Result<(), L::Error> {
    if record.job.kind == JobKind::Remove {
        return ledger.delete_document(record.job.document);
    }
    // A job that is done before its version may be found would leave its document unfinished for ever.
    if !record.has_published() {
        return Err(out_of_turn().into());
    }
    record.job.state = JobState::Done;
    record.job.reason = None;
    ledger.save_job(&record)
}
