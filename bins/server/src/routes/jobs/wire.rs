use serde::Serialize;
use tenantry_domain::{Job, JobKind, JobState};
use utoipa::ToSchema;

/// A piece of work on a document, which goes on whatever happens to a server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Job)]
pub(in crate::routes) struct JobView {
    /// The job's id.
    id: String,
    /// The document that it works on.
    document_id: String,
    /// The version of the document that it makes.
    version: u32,
    /// `ingest` or `remove`.
    #[schema(example = "ingest")]
    kind: &'static str,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(example = "running")]
    state: &'static str,
    /// What it is busy with, or ended in: `extracting`, `indexing`, `cleaning` or `removing`.
    #[schema(example = "indexing")]
    stage: &'static str,
    /// How much of it is done, 0 to 100.
    percent: u8,
    /// How far it has come.
    counts: Counts,
    /// Why it failed, or why it is tried again.
    reason: Option<String>,
    /// How often it ended in a failure or with its server.
    attempts: u32,
    /// When it is tried again, while it waits for that.
    #[schema(format = DateTime)]
    not_before: String,
    /// When it was added.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    #[serde(skip)]
    over: bool,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = JobCounts)]
struct Counts {
    /// Characters of text that were read out of the file.
    characters: u32,
    /// Pieces that the text was cut into; 0 until it was read out.
    segments: u32,
    /// Of these, those that are indexed.
    segments_done: u32,
    /// Chunks that are stored.
    chunks: u32,
    /// Of these, those that had not changed and kept their embedding.
    reused: u32,
}

impl JobView {
    /// Whether nothing more will happen.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn is_removal(&self) -> bool {
        self.kind == JobKind::Remove.as_str()
    }

    /// The same job once it is done.
    pub(super) fn done(self) -> Self {
        Self {
            state: JobState::Done.as_str(),
            percent: 100,
            over: true,
            ..self
        }
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let percent = job.percent();
        Self {
            id: job.id.to_string(),
            document_id: job.document.to_string(),
            version: job.version,
            kind: job.kind.as_str(),
            state: job.state.as_str(),
            stage: job.stage.as_str(),
            percent,
            counts: Counts {
                characters: job.progress.characters,
                segments: job.progress.segments,
                segments_done: job.progress.segments_done,
                chunks: job.progress.chunks,
                reused: job.progress.reused,
            },
            reason: job.reason,
            attempts: job.attempts,
            not_before: job.not_before.to_string(),
            created_at: job.created_at.to_string(),
            updated_at: job.updated_at.to_string(),
            over: job.state.is_over(),
        }
    }
}
