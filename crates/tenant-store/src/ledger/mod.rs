//! What becomes of documents, jobs, indexes, prompts, usage and the audit log: decided here once, for every store. A [`Ledger`] reads and writes the
//! records of one tenant, while nobody else writes that tenant's.

pub(crate) mod api_keys;
pub(crate) mod audit;
mod documents;
pub(crate) mod erasure;
pub(crate) mod identities;
mod indexes;
pub(crate) mod keys;
mod outcomes;
mod prompts;
mod records;
pub(crate) mod sessions;
pub(crate) mod throttle;
pub(crate) mod usage;
pub(crate) mod users;
mod work;

use tenantry_domain::{ContentHash, DocumentId, Generation, JobId, Segment, SourceId, Timestamp};

pub(crate) use self::documents::{Told, cancel_job, remove_document, submit};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::indexes::Entry;
pub(crate) use self::indexes::Indexes;
pub(crate) use self::outcomes::{publish, settle};
pub(crate) use self::prompts::PromptChange;
pub(crate) use self::records::{Claimed, DocumentRecord, JobRecord, Making};
pub(crate) use self::work::{add_segments, claim, report, text_read};

use crate::StoreError;

/// The records of one tenant, for one step that is made whole or not at all.
pub(crate) trait Ledger {
    /// Why a record was not read or written.
    type Error: From<StoreError>;

    /// The document of that id.
    fn document(&mut self, id: DocumentId) -> Result<Option<DocumentRecord>, Self::Error>;

    /// The document that a file belongs to: that of the name, else the nameless one of the hash; none that is being deleted.
    fn document_of(
        &mut self,
        external_id: Option<&str>,
        hash: ContentHash,
    ) -> Result<Option<DocumentRecord>, Self::Error>;

    /// Adds a document whose id is free.
    fn add_document(&mut self, record: &DocumentRecord) -> Result<(), Self::Error>;

    /// Replaces a document.
    fn save_document(&mut self, record: &DocumentRecord) -> Result<(), Self::Error>;

    /// Removes a document with its segments, its jobs and their sources.
    fn delete_document(&mut self, id: DocumentId) -> Result<(), Self::Error>;

    /// The job of that id.
    fn job(&mut self, id: JobId) -> Result<Option<JobRecord>, Self::Error>;

    /// The jobs on a document that are not over, the oldest version first.
    fn unfinished_jobs(&mut self, document: DocumentId) -> Result<Vec<JobRecord>, Self::Error>;

    /// The job that makes, or made, that version.
    fn job_of_version(
        &mut self,
        document: DocumentId,
        version: u32,
    ) -> Result<Option<JobRecord>, Self::Error>;

    /// Adds a job whose id is free.
    fn add_job(&mut self, record: &JobRecord) -> Result<(), Self::Error>;

    /// Replaces a job.
    fn save_job(&mut self, record: &JobRecord) -> Result<(), Self::Error>;

    /// The job that is next at `now`: of those that wait and may be begun, and those whose lease has ended, on documents that no other
    /// worker is busy with and of which no earlier version is to be finished first, the one of the earliest [`tenantry_domain::Job::not_before`], then of the lowest id.
    fn claimable(&mut self, now: Timestamp) -> Result<Option<JobRecord>, Self::Error>;

    /// The earliest moment, after `after` when that is given, at which a job may be begun or its lease ends.
    fn next_moment(&mut self, after: Option<Timestamp>) -> Result<Option<Timestamp>, Self::Error>;

    /// Sets when workers are to look at this tenant next.
    fn set_due(&mut self, due: Option<Timestamp>) -> Result<(), Self::Error>;

    /// Keeps when the tenant had its last turn.
    fn set_served(&mut self, at: Timestamp) -> Result<(), Self::Error>;

    /// Removes the bytes of a file.
    fn remove_source(&mut self, source: SourceId) -> Result<(), Self::Error>;

    /// Adds segments of a version.
    fn add_segments(
        &mut self,
        document: DocumentId,
        version: u32,
        segments: &[Segment],
    ) -> Result<(), Self::Error>;

    /// Removes segments of a document.
    fn remove_segments(&mut self, document: DocumentId, which: Versions) -> Result<(), Self::Error>;

    /// The generations of the live index and the one that is being built.
    fn generations_in_use(&mut self) -> Result<Vec<Generation>, Self::Error>;
}

/// Which versions' segments are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    /// Those of one.
    Only(u32),
    /// Those of every other.
    AllBut(u32),
}

/// The steps of a job were asked for out of their order.
#[derive(Debug, thiserror::Error)]
#[error("the job is not at the stage for that step")]
struct OutOfTurn;

/// A job names a document that is not there.
#[derive(Debug, thiserror::Error)]
#[error("a job names a document that is not there")]
struct NoDocument;

fn out_of_turn() -> StoreError {
    StoreError::Failed(OutOfTurn.into())
}

/// The document that a job works on.
fn document_of_job<L: Ledger>(ledger: &mut L, record: &JobRecord) -> Result<DocumentRecord, L::Error> {
    let document = ledger.document(record.job.document)?;
    Ok(document.ok_or_else(|| StoreError::Failed(NoDocument.into()))?)
}

/// Tells workers when to look at the tenant next; belongs to every step that changes when a job may be begun.
fn schedule<L: Ledger>(ledger: &mut L) -> Result<(), L::Error> {
    let next = ledger.next_moment(None)?;
    ledger.set_due(next)
}
