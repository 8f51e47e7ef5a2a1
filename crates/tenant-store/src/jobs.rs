use tenantry_domain::{
    DocumentId, Generation, Job, JobId, JobProgress, JobState, MediaType, Metadata, Page, Paged, Segment,
    SourceId, TenantId, TenantScope, TextFormat, Timestamp,
};

use crate::StoreError;

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only those of this state.
    pub state: Option<JobState>,
    /// Only those on this document.
    pub document: Option<DocumentId>,
}

/// Shows and cancels the jobs of one tenant.
pub trait JobStore: Send + Sync {
    /// The job of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError>;

    /// A page of the jobs that pass `filter`, newest first, of one moment the highest id first.
    ///
    /// # Errors
    /// When the store fails.
    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError>;

    /// Asks for the end of a job that takes a document in, and gives it as it is then; `None` when there is none of that id.
    ///
    /// One that was never begun is [`JobState::Cancelled`] at once. Of one that was, a worker removes the traces first. One that
    /// is over, has published its document, or is a removal is left as it is. A document whose first version is cancelled is failed,
    /// with `cancelled` as its failure.
    ///
    /// # Errors
    /// When the store fails.
    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError>;
}

/// A worker's wish for something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Only a job of this tenant.
    pub tenant: Option<TenantId>,
    /// The present.
    pub now: Timestamp,
    /// Until when the job is the worker's alone; another may take it from then on, so it has to be renewed.
    pub lease_until: Timestamp,
}

/// The right to work on a job, as long as it is renewed in time. It names a job and a random number, so that a worker who lost it
/// is told so at its next step and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// What tells this claim from every other.
    pub token: String,
}

/// A job that a worker has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedJob {
    /// Whose job it is.
    pub tenant: TenantId,
    /// The job.
    pub job: Job,
    /// The right to work on it.
    pub lease: Lease,
    /// Whether somebody asked for its end: then the traces are to be removed and the job settled as cancelled.
    pub cancelled: bool,
    /// The version that may be found, 0 when there is none: what is to be kept.
    pub live_version: u32,
    /// What is known of the version that it makes; `None` for a removal.
    pub incoming: Option<Incoming>,
}

/// What is known of a version that is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Where the file's bytes are, until its text was read out.
    pub source: SourceId,
    /// The file's name.
    pub file_name: Option<String>,
    /// What the client says the file is.
    pub declared: Option<MediaType>,
    /// The title that it will have: the client's, else the file's own, else its name.
    pub title: Option<String>,
    /// What the client says about the document.
    pub metadata: Metadata,
    /// How its text is written, once that was read out.
    pub format: Option<TextFormat>,
}

/// What was found when a file's text was read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRead {
    /// What the file really is.
    pub media_type: MediaType,
    /// How the text is written.
    pub format: TextFormat,
    /// The title to use.
    pub title: String,
    /// The text's length in code points.
    pub characters: u32,
    /// The number of segments, all of which were added.
    pub segments: u32,
}

/// Whether a worker may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// The job is still the worker's.
    Yes,
    /// It is, and somebody asked for its end.
    Cancelled,
    /// Another worker may have it by now, or it is gone; nothing was changed.
    Lost,
}

/// Whether a version may be found now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Published {
    /// It may.
    Yes,
    /// The tenant has another live or building index than those it was written to; nothing was changed.
    IndexesChanged,
    /// Somebody asked for the job's end; nothing was changed.
    Cancelled,
    /// The job is not the worker's any more; nothing was changed.
    Lost,
}

/// The [`tenantry_domain::Job::reason`] of a job that is begun once more because its lease ended.
pub const LOST_WORKER: &str = "the worker that had the job was lost";

/// How a worker gives a job back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// There is more to do, and others shall have their turn first.
    Yielded,
    /// It failed, and is to be tried again.
    Retry {
        /// When.
        not_before: Timestamp,
        /// Why it failed, in words for a person.
        reason: String,
    },
    /// It failed for good: the segments and the source of the version are removed, unless it may be found already, and a document
    /// without another version, of which no other job makes one, is failed for the same reason. The document of a removal stays
    /// [`tenantry_domain::DocumentState::Deleting`]; removing it again adds another job.
    Failed {
        /// Why, in words for a person.
        reason: String,
    },
    /// Its traces are removed, as somebody had asked; the rest as with [`Settlement::Failed`].
    Cancelled,
    /// It is done. A removal removes the document with all that belongs to it, its jobs included.
    Done,
}

/// Gives workers something to do: in turns among tenants, each job to one worker at a time, and never two on one document.
///
/// Jobs of inactive tenants wait. Among tenants that have a job to be done now, the one served longest ago is next; within a tenant the
/// job of the earliest `not_before`, which of a new job is when it was added, then the one of the lowest id. A running job whose lease has
/// ended is to be done again, with one more attempt counted. The jobs on a document are done in the order of its versions, also when an
/// earlier one waits for its next try: what it removes is never a later one's.
///
/// A worker who asks for a step out of its order (segments after the text was read, a version published before that, a job
/// done before its version may be found) gets [`StoreError::Failed`], and nothing is changed.
pub trait JobQueue: Send + Sync {
    /// The next job; `None` when there is none to be done now. A tenant whose records cannot be read does not stand in the way of the others.
    ///
    /// # Errors
    /// When the store fails, and nobody else has a job to be done now.
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError>;

    /// Adds segments of the version that the job makes; the segment of ordinal 0 first removes those of an earlier try. Renews the
    /// lease until `lease_until`; of a job whose end was asked for it does only that.
    ///
    /// # Errors
    /// When the store fails.
    fn add_segments(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        segments: &[Segment],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Declares the text read: moves the job to [`tenantry_domain::JobStage::Indexing`], a document without a version to
    /// [`tenantry_domain::DocumentState::Indexing`], and removes the source.
    ///
    /// # Errors
    /// When the store fails.
    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Keeps how far the job has come, unless its end was asked for, and renews the lease until `lease_until`. A segment more than before
    /// starts the count of attempts anew: a long text outlives many a short outage.
    ///
    /// # Errors
    /// When the store fails.
    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Makes the version the one that may be found, in one step: the document gets its title, type, metadata, hash and counts and is
    /// [`tenantry_domain::DocumentState::Ready`], the segments of other versions are removed, and the job moves to
    /// [`tenantry_domain::JobStage::Cleaning`]. `written` names the indexes that have its chunks. Said again of a version that may be found, it is
    /// [`Published::Yes`].
    ///
    /// # Errors
    /// When the store fails.
    fn publish(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        chunks: u32,
        written: &[Generation],
        now: Timestamp,
    ) -> Result<Published, StoreError>;

    /// Gives the job back. `false` when it is not the worker's any more; then nothing was changed.
    ///
    /// # Errors
    /// When the store fails.
    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
