use crate::names::names;
use crate::{DocumentId, JobId, Timestamp};

/// A name that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind, state or stage of a job")]
pub struct ParseJobError;

names! {
    /// What a job does.
    JobKind, ParseJobError:
    /// Takes a document, or the next version of one, into search.
    Ingest = "ingest",
    /// Removes a document with everything that belongs to it.
    Remove = "remove",
}

names! {
    /// Whether a job is waiting, being done, or over.
    JobState, ParseJobError:
    /// It waits for a worker.
    Queued = "queued",
    /// A worker holds it.
    Running = "running",
    /// It was done.
    Done = "done",
    /// It was given up; the job says why.
    Failed = "failed",
    /// Somebody cancelled it.
    Cancelled = "cancelled",
}

names! {
    /// What a job is busy with.
    JobStage, ParseJobError:
    /// Reading the text out of the file.
    Extracting = "extracting",
    /// Splitting, embedding and writing the chunks.
    Indexing = "indexing",
    /// The document is ready; what the version before it left is being removed.
    Cleaning = "cleaning",
    /// Removing a document.
    Removing = "removing",
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// How far a job has come within its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobProgress {
    /// Segments of the text that are indexed.
    pub segments_done: u32,
    /// Segments of the text; 0 until the text was read out.
    pub segments: u32,
    /// Chunks that are stored.
    pub chunks: u32,
    /// Of those, the ones whose embedding was taken over from the version before.
    pub reused: u32,
    /// Characters of text that were read out so far.
    pub characters: u32,
}

/// A piece of work on one document that survives whoever does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's id.
    pub id: JobId,
    /// The document that it works on.
    pub document: DocumentId,
    /// The version that it makes; of a removal, the last one.
    pub version: u32,
    /// What it does.
    pub kind: JobKind,
    /// Whether it waits, runs or is over.
    pub state: JobState,
    /// What it is busy with, or ended in.
    pub stage: JobStage,
    /// How far it has come.
    pub progress: JobProgress,
    /// Why it failed, or why it is tried again, in words for a person.
    pub reason: Option<String>,
    /// How often it was begun and ended in a failure or a lost worker since its last segment was done.
    pub attempts: u32,
    /// When it is tried again, while it waits for that.
    pub not_before: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Job {
    /// How much of it is done, 0 to 100; 100 only when it is done. Reading out the text counts for a tenth.
    pub fn percent(&self) -> u8 {
        let JobProgress {
            segments_done,
            segments,
            ..
        } = self.progress;
        match (self.state, self.stage) {
            (JobState::Done, _) => 100,
            (_, JobStage::Extracting | JobStage::Removing) => 0,
            (_, JobStage::Cleaning) => 99,
            (_, JobStage::Indexing) => {
                let indexed = u64::from(segments_done) * 89 / u64::from(segments.max(1));
                u8::try_from(10 + indexed.min(89)).unwrap_or(99)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for stage in JobStage::ALL {
            assert_eq!(stage.as_str().parse(), Ok(*stage));
        }
        assert_eq!("Queued".parse::<JobState>(), Err(ParseJobError));
    }

    #[test]
    fn a_percentage_grows_with_the_work() {
        let at = Timestamp::from_unix_micros(0).unwrap();
        let mut job = Job {
            id: JobId::generate(at),
            document: DocumentId::generate(at),
            version: 1,
            kind: JobKind::Ingest,
            state: JobState::Running,
            stage: JobStage::Extracting,
            progress: JobProgress::default(),
            reason: None,
            attempts: 0,
            not_before: at,
            created_at: at,
            updated_at: at,
        };
        assert_eq!(job.percent(), 0);
        job.stage = JobStage::Indexing;
        job.progress.segments = 4;
        assert_eq!(job.percent(), 10);
        job.progress.segments_done = 2;
        assert_eq!(job.percent(), 54);
        job.progress.segments_done = 4;
        assert_eq!(job.percent(), 99);
        job.state = JobState::Done;
        assert_eq!(job.percent(), 100);
    }
}
