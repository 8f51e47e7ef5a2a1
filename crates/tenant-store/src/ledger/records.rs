use tenantry_domain::{
    ContentHash, Document, DocumentState, Job, JobKind, JobProgress, JobStage, JobState, MediaType,
    TextFormat, Timestamp,
};

use crate::{Incoming, Submission, TextRead};

/// A document with what only the store needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DocumentRecord {
    pub(crate) document: Document,
    /// The last version that was begun; no number is given twice.
    pub(crate) latest: u32,
    /// How the text that may be found is written.
    pub(crate) format: TextFormat,
    /// How many segments that text has.
    pub(crate) segments: u32,
}

/// A job with what only the store needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobRecord {
    pub(crate) job: Job,
    /// Whether a worker ever had it, so that it may have left traces.
    pub(crate) begun: bool,
    /// Whether somebody asked for its end.
    pub(crate) cancel_requested: bool,
    /// Who works on it.
    pub(crate) claimed: Option<Claimed>,
    /// What it makes; `None` for a removal.
    pub(crate) making: Option<Making>,
}

/// A worker's hold on a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) token: String,
    pub(crate) until: Timestamp,
}

/// A version on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Making {
    /// `None` for a document that was stored before hashes were kept.
    pub(crate) hash: Option<ContentHash>,
    /// The title that the client gave, if any: what tells one submission from the next.
    pub(crate) given_title: Option<String>,
    /// All but the format and the title that were read.
    pub(crate) incoming: Incoming,
    /// What was found in the file.
    pub(crate) read: Option<TextRead>,
}

impl DocumentRecord {
    /// A document that was handed in for the first time.
    pub(super) fn begin(submission: &Submission) -> Self {
        let mut record = Self {
            document: Document {
                id: submission.document,
                external_id: submission.external_id.clone(),
                title: String::new(),
                media_type: MediaType::PlainText,
                metadata: submission.metadata.clone(),
                content_hash: None,
                version: 0,
                state: DocumentState::Pending,
                failure: None,
                characters: 0,
                chunks: 0,
                created_at: submission.at,
                updated_at: submission.at,
            },
            latest: 1,
            format: TextFormat::Plain,
            segments: 0,
        };
        record.restate(submission);
        record
    }

    /// Takes over what is known so far of a version that is the document's first.
    pub(super) fn restate(&mut self, submission: &Submission) {
        let known = [&submission.title, &submission.file_name, &submission.external_id];
        let document = &mut self.document;
        document.title = known.into_iter().flatten().next().cloned().unwrap_or_default();
        let by_name = || submission.file_name.as_deref().and_then(MediaType::of_name);
        document.media_type = submission
            .declared
            .or_else(by_name)
            .unwrap_or(MediaType::PlainText);
        document.metadata = submission.metadata.clone();
        document.content_hash = Some(submission.hash);
        document.state = DocumentState::Pending;
        document.failure = None;
    }

    /// The version that may be found, 0 when there is none.
    pub(super) fn live_version(&self) -> u32 {
        match self.document.state {
            DocumentState::Deleting => 0,
            _ => self.document.version,
        }
    }
}

impl JobRecord {
    /// The job that takes a submission in.
    pub(super) fn ingest(submission: &Submission, document: &DocumentRecord) -> Self {
        let making = Making {
            hash: Some(submission.hash),
            given_title: submission.title.clone(),
            incoming: Incoming {
                source: submission.source,
                file_name: submission.file_name.clone(),
                declared: submission.declared,
                title: submission.title.clone(),
                metadata: submission.metadata.clone(),
                format: None,
            },
            read: None,
        };
        let job = Job {
            id: submission.job,
            kind: JobKind::Ingest,
            stage: JobStage::Extracting,
            ..queued(document, submission.at)
        };
        Self::new(job, Some(making))
    }

    /// The job that removes a document.
    pub(super) fn removal(id: tenantry_domain::JobId, document: &DocumentRecord, at: Timestamp) -> Self {
        let job = Job {
            id,
            kind: JobKind::Remove,
            stage: JobStage::Removing,
            ..queued(document, at)
        };
        Self::new(job, None)
    }

    fn new(job: Job, making: Option<Making>) -> Self {
        Self {
            job,
            begun: false,
            cancel_requested: false,
            claimed: None,
            making,
        }
    }

    /// Whether its version may be found already.
    pub(super) fn has_published(&self) -> bool {
        self.job.stage == JobStage::Cleaning
    }

    /// When it may be begun, or its lease ends; `None` when it is over.
    pub(crate) fn moment(&self) -> Option<Timestamp> {
        match (self.job.state, &self.claimed) {
            (JobState::Queued, _) => Some(self.job.not_before),
            (JobState::Running, Some(claimed)) => Some(claimed.until),
            _ => None,
        }
    }

    /// Whether a worker may be busy with it at `now`.
    pub(crate) fn is_leased(&self, now: Timestamp) -> bool {
        self.job.state == JobState::Running
            && self.claimed.as_ref().is_some_and(|claimed| claimed.until > now)
    }
}

fn queued(document: &DocumentRecord, at: Timestamp) -> Job {
    Job {
        id: tenantry_domain::JobId::from_uuid(uuid::Uuid::nil()),
        document: document.document.id,
        version: document.latest,
        kind: JobKind::Ingest,
        state: JobState::Queued,
        stage: JobStage::Extracting,
        progress: JobProgress::default(),
        reason: None,
        attempts: 0,
        not_before: at,
        created_at: at,
        updated_at: at,
    }
}

impl Making {
    /// Whether `submission` asks for what this makes already.
    pub(super) fn is_of(&self, submission: &Submission) -> bool {
        self.hash == Some(submission.hash)
            && self.given_title == submission.title
            && self.incoming.metadata == submission.metadata
    }

    /// What a worker is told.
    pub(super) fn incoming(&self) -> Incoming {
        let mut incoming = self.incoming.clone();
        if let Some(read) = &self.read {
            incoming.title = Some(read.title.clone());
            incoming.format = Some(read.format);
        }
        incoming
    }
}
