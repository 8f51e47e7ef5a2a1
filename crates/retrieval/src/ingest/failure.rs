use std::time::Duration;

use tenantry_domain::{BoxError, Job, JobKind, JobStage};
use tenantry_extraction::{Bound, ExtractError};
use tenantry_llm_client::LlmError;
use tenantry_tenant_store::{LOST_WORKER, StoreError};
use tenantry_vector_client::VectorError;

use super::IndexError;
use crate::CollectionError;

/// How often something is tried that may work a moment later: for about a quarter of an hour.
const ATTEMPTS: u32 = 10;
/// How often something is tried that somebody must repair first: for a day.
pub(super) const PATIENT_ATTEMPTS: u32 = 288;
/// How often a server may stop while it reads a file before the file is to blame.
const STOPS: u32 = 5;
/// The pause before the second attempt; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that is not asked for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The longest pause that a provider may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Why a turn ended before the job did.
#[derive(Debug)]
pub(super) enum Halt {
    /// The job is not the worker's any more.
    Lost,
    /// Somebody asked for its end.
    Cancelled,
    /// Others shall have their turn, or the worker is to stop.
    Yield,
    /// Something went wrong.
    Failed(Failure),
    /// The store failed while the version was published, and may have done it: only another look tells.
    Unclear(StoreError),
}

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    Extract(ExtractError),
    Index(IndexError),
    /// The text has no readable character.
    NoText,
    /// The text is longer than the limit.
    TooLong(u32),
    /// It was tried too often; in words for a person.
    WornOut(String),
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Another try, not before that time.
    Wait(Duration),
    /// Somebody has to repair something that is not of the file: a key, a quota, a setting.
    Repair,
    /// Nothing.
    Nothing,
}

impl<E: Into<IndexError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Index(error.into())
    }
}

impl<E: Into<Failure>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Failure {
    /// The reason, in words for a person: what a provider said is no part of it.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Extract(error) => error.to_string(),
            Self::Index(IndexError::Embed(error)) => format!("the text could not be embedded: {error}"),
            Self::Index(error) => error.to_string(),
            Self::NoText => "the file has no readable text".into(),
            Self::TooLong(max) => ExtractError::TooLarge(Bound::Text(u64::from(*max))).to_string(),
            Self::WornOut(reason) => reason.clone(),
        }
    }

    /// The error behind, for the log.
    pub(super) fn into_cause(self) -> Option<BoxError> {
        match self {
            Self::Extract(error) => Some(error.into()),
            Self::Index(error) => Some(error.into()),
            Self::NoText | Self::TooLong(_) | Self::WornOut(_) => None,
        }
    }

    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Extract(error) if error.is_transient() => Remedy::Wait(Duration::ZERO),
            Self::Index(error) => of_index(error),
            Self::Extract(_) | Self::NoText | Self::TooLong(_) | Self::WornOut(_) => Remedy::Nothing,
        }
    }

    /// When the job is to be tried again, if it is.
    pub(super) fn pause(&self, job: &Job) -> Option<Duration> {
        // A removal is owed, however long it takes.
        let limit = |limit| {
            if job.kind == JobKind::Remove {
                u32::MAX
            } else {
                limit
            }
        };
        match self.remedy() {
            Remedy::Wait(asked) if job.attempts < limit(ATTEMPTS) => {
                Some(backoff(job).max(asked.min(LONGEST_ASKED)))
            }
            Remedy::Repair if job.attempts < limit(PATIENT_ATTEMPTS) => Some(LONGEST_PAUSE),
            Remedy::Nothing if job.kind == JobKind::Remove => Some(LONGEST_PAUSE),
            Remedy::Wait(_) | Remedy::Repair | Remedy::Nothing => None,
        }
    }
}

/// Why a job is not begun once more, when its workers were lost too often.
pub(super) fn worn_out(job: &Job) -> Option<Failure> {
    let (limit, doing) = match job.stage {
        JobStage::Extracting => (STOPS, "reading"),
        JobStage::Indexing => (ATTEMPTS, "indexing"),
        // What is found is found, and a removal is owed.
        JobStage::Cleaning | JobStage::Removing => return None,
    };
    let lost = job.reason.as_deref() == Some(LOST_WORKER) && job.attempts >= limit;
    lost.then(|| {
        let attempts = job.attempts;
        Failure::WornOut(format!(
            "the server stopped {attempts} times while {doing} this file"
        ))
    })
}

fn of_index(error: &IndexError) -> Remedy {
    match error {
        IndexError::Collection(error) => of_collection(error),
        IndexError::Mismatch(_) => Remedy::Repair,
        IndexError::Embed(error) => of_llm(error),
        IndexError::Vector(error) => of_vector(error),
        IndexError::Store(error) => of_store(error),
    }
}

fn of_collection(error: &CollectionError) -> Remedy {
    match error {
        CollectionError::SealedKey(_) | CollectionError::Rejected(_) => Remedy::Repair,
        CollectionError::Pending => Remedy::Wait(Duration::ZERO),
        CollectionError::ReadOnly => Remedy::Nothing,
        CollectionError::Vector(error) => of_vector(error),
        CollectionError::Store(error) => of_store(error),
    }
}

fn of_llm(error: &LlmError) -> Remedy {
    match error {
        LlmError::RateLimited { retry_after, .. } => Remedy::Wait(retry_after.unwrap_or_default()),
        LlmError::Unauthorized(_) | LlmError::QuotaExceeded(_) | LlmError::UnknownModel(_) => Remedy::Repair,
        LlmError::TooLong(_) | LlmError::Refused(_) => Remedy::Nothing,
        // What is not understood may come from a proxy on the way.
        _ => Remedy::Wait(Duration::ZERO),
    }
}

fn of_vector(error: &VectorError) -> Remedy {
    match error {
        VectorError::RateLimited { retry_after, .. } => Remedy::Wait(retry_after.unwrap_or_default()),
        VectorError::Unauthorized(_)
        | VectorError::UnknownIndex(_)
        | VectorError::EmbeddingRequired
        | VectorError::DimensionMismatch { .. } => Remedy::Repair,
        VectorError::Refused(_) => Remedy::Nothing,
        _ => Remedy::Wait(Duration::ZERO),
    }
}

fn of_store(error: &StoreError) -> Remedy {
    match error {
        StoreError::UnknownTenant => Remedy::Nothing,
        _ => Remedy::Wait(Duration::ZERO),
    }
}

/// One second doubling to five minutes, each a quarter shorter to a quarter longer, so that jobs that failed together do not
/// come back together.
pub(super) fn backoff(job: &Job) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(job.attempts.min(16)).unwrap_or(u32::MAX));
    let pause = doubled.min(LONGEST_PAUSE);
    // The job's id ends in random bits, which serve as well as fresh ones; the attempt picks among them.
    let bytes = job.id.as_uuid().into_bytes();
    let place = usize::try_from(job.attempts % 6).unwrap_or(0);
    let random = bytes.iter().rev().nth(place).copied().unwrap_or(128);
    pause.mul_f64(0.75 + f64::from(random) / 510.0)
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{DocumentId, JobId, JobProgress, JobState, Timestamp};

    use super::*;

    fn job(attempts: u32) -> Job {
        let at = Timestamp::from_unix_micros(0).unwrap();
        Job {
            id: JobId::generate(at),
            document: DocumentId::generate(at),
            version: 1,
            kind: JobKind::Ingest,
            state: JobState::Running,
            stage: JobStage::Extracting,
            progress: JobProgress::default(),
            reason: None,
            attempts,
            not_before: at,
            created_at: at,
            updated_at: at,
        }
    }

    fn rate_limited(asked: u64) -> Failure {
        Failure::from(LlmError::RateLimited {
            retry_after: Some(Duration::from_secs(asked)),
            source: "slow down".into(),
        })
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_end() {
        let outage = || Failure::from(VectorError::Unavailable("down".into()));
        for attempts in 0..ATTEMPTS {
            let expected = (1_u32 << attempts).min(300);
            let pause = outage().pause(&job(attempts)).unwrap().as_secs_f64() / f64::from(expected);
            assert!((0.75..=1.25).contains(&pause), "{attempts}: {pause}");
        }
        assert_eq!(outage().pause(&job(ATTEMPTS)), None);
    }

    #[test]
    fn jobs_that_failed_together_do_not_come_back_together() {
        let pauses: std::collections::HashSet<_> = (0..20).map(|_| backoff(&job(3))).collect();
        assert!(pauses.len() > 10);
    }

    #[test]
    fn a_provider_is_waited_for_as_long_as_it_asks_within_an_hour() {
        assert_eq!(rate_limited(90).pause(&job(0)), Some(Duration::from_secs(90)));
        assert_eq!(rate_limited(90_000).pause(&job(0)), Some(Duration::from_hours(1)));
    }

    #[test]
    fn what_somebody_must_repair_is_tried_for_a_day() {
        let quota = Failure::from(LlmError::QuotaExceeded("pay".into()));
        assert_eq!(quota.pause(&job(200)), Some(Duration::from_mins(5)));
        assert_eq!(quota.pause(&job(PATIENT_ATTEMPTS)), None);
    }

    #[test]
    fn a_bad_file_is_not_tried_again_and_a_removal_always_is() {
        let refused = Failure::from(VectorError::Refused("no".into()));
        assert_eq!(refused.pause(&job(0)), None);
        assert_eq!(Failure::NoText.pause(&job(0)), None);
        assert_eq!(Failure::Extract(ExtractError::Encrypted).pause(&job(0)), None);
        let removal = Job {
            kind: JobKind::Remove,
            ..job(100_000)
        };
        assert_eq!(refused.pause(&removal), Some(Duration::from_mins(5)));
    }

    #[test]
    fn a_file_that_stops_the_server_is_given_up() {
        let lost = |attempts| Job {
            reason: Some(LOST_WORKER.into()),
            ..job(attempts)
        };
        assert!(worn_out(&lost(STOPS - 1)).is_none());
        let reason = worn_out(&lost(STOPS)).map(|failure| failure.reason());
        assert_eq!(
            reason.as_deref(),
            Some("the server stopped 5 times while reading this file")
        );
        let retried = Job {
            reason: Some("the vector store is unavailable".into()),
            ..job(STOPS)
        };
        assert!(worn_out(&retried).is_none());
    }

    #[test]
    fn a_reason_never_repeats_what_a_provider_said() {
        let failure = Failure::from(LlmError::Unauthorized("key sk-secret is wrong".into()));
        assert_eq!(
            failure.reason(),
            "the text could not be embedded: the provider refused the api key"
        );
    }
}
