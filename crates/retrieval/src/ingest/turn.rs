use std::cell::Cell;
use std::time::Duration;

use tenantry_domain::{BoxError, Cancellation, Job, JobKind, JobStage, TenantScope, TextFormat, Timestamp};
use tenantry_tenant_store::{ClaimedJob, Incoming, Settlement, StoreError};

use super::failure::{Failure, Halt, PATIENT_ATTEMPTS, backoff, worn_out};
use super::hold::Hold;
use super::reading::Text;
use super::{IndexError, Ingestor, Settled};
use crate::CollectionError;

/// A worker's turn at a job.
pub(super) struct Turn<'a> {
    pub(super) ingestor: &'a Ingestor,
    pub(super) scope: &'a TenantScope,
    pub(super) claimed: &'a ClaimedJob,
    pub(super) hold: &'a Hold<'a>,
    stop: &'a Cancellation,
    began: Timestamp,
    stage: Cell<JobStage>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        ingestor: &'a Ingestor,
        scope: &'a TenantScope,
        claimed: &'a ClaimedJob,
        hold: &'a Hold<'a>,
        stop: &'a Cancellation,
    ) -> Self {
        Self {
            ingestor,
            scope,
            claimed,
            hold,
            stop,
            began: ingestor.parts.clock.now(),
            stage: Cell::new(claimed.job.stage),
        }
    }

    /// Does as much as the turn allows and gives the job back, with what went wrong.
    pub(super) fn take(&self) -> Result<(Settled, Option<BoxError>), StoreError> {
        let (settlement, cause) = match self.work() {
            Ok(settlement) => (settlement, None),
            Err(Halt::Lost) => return Ok((Settled::Lost, None)),
            Err(Halt::Yield) => (Settlement::Yielded, None),
            Err(Halt::Cancelled) => self.undo(Settlement::Cancelled),
            Err(Halt::Failed(failure)) => self.answer_to(failure),
            Err(Halt::Unclear(error)) => {
                let reason = error.to_string();
                let job = self.job();
                let settlement = if job.attempts < PATIENT_ATTEMPTS {
                    self.retry_after(backoff(&job), reason)
                } else {
                    // It may be published after all, so that nothing is removed.
                    Settlement::Failed { reason }
                };
                (settlement, Some(error.into()))
            }
        };
        let settled = if self.hold.settle(&settlement)? {
            Settled::Given(settlement)
        } else {
            Settled::Lost
        };
        Ok((settled, cause))
    }

    /// Whether the turn may go on.
    pub(super) fn check(&self) -> Result<(), Halt> {
        self.hold.check()?;
        if self.stop.is_cancelled() {
            return Err(Halt::Yield);
        }
        Ok(())
    }

    pub(super) fn slice_is_over(&self, segments: u32) -> bool {
        let options = &self.ingestor.options;
        let now = self.ingestor.parts.clock.now();
        segments >= options.slice_segments || now.since(self.began).unwrap_or_default() >= options.slice_time
    }

    fn work(&self) -> Result<Settlement, Halt> {
        let job = &self.claimed.job;
        if job.kind == JobKind::Remove {
            self.remove(None)?;
            return Ok(Settlement::Done);
        }
        if self.stage.get() != JobStage::Cleaning {
            if self.claimed.cancelled {
                return Err(Halt::Cancelled);
            }
            if let Some(failure) = worn_out(job) {
                return Err(Halt::Failed(failure));
            }
            self.make_version()?;
            self.stage.set(JobStage::Cleaning);
        }
        // The first version leaves nothing behind that could be removed.
        if job.version > 1 {
            self.remove(Some(job.version))?;
        }
        Ok(Settlement::Done)
    }

    fn make_version(&self) -> Result<(), Halt> {
        let Some(incoming) = &self.claimed.incoming else {
            return Err(StoreError::Failed("the job has no version to make".into()).into());
        };
        let text = if self.stage.get() == JobStage::Extracting {
            let text = self.read(incoming)?;
            self.stage.set(JobStage::Indexing);
            text
        } else {
            self.text_of(incoming)
        };
        self.index(incoming, &text)
    }

    /// What an earlier turn read.
    fn text_of(&self, incoming: &Incoming) -> Text {
        Text {
            title: incoming.title.clone().unwrap_or_default(),
            format: incoming.format.unwrap_or(TextFormat::Plain),
            segments: self.claimed.job.progress.segments,
        }
    }

    /// Removes the document's chunks, but those of version `keep`, from every index.
    fn remove(&self, keep: Option<u32>) -> Result<(), Failure> {
        let collection = match self.ingestor.parts.collections.own(self.scope) {
            // The index is another tool's by now; the words of what it had before are still here.
            Err(CollectionError::ReadOnly) => self.ingestor.parts.collections.here(self.scope)?,
            opened => opened?,
        };
        for index in collection.all() {
            collection
                .store
                .remove(
                    self.scope.index(index.generation),
                    self.claimed.job.document,
                    keep,
                )
                .map_err(IndexError::from)?;
        }
        Ok(())
    }

    /// How the job is given back after `failure`.
    fn answer_to(&self, failure: Failure) -> (Settlement, Option<BoxError>) {
        let reason = failure.reason();
        if let Some(settlement) = self.retry(&failure, reason.clone()) {
            return (settlement, failure.into_cause());
        }
        // What is found is found: what the version before left is removed when index and records are compared.
        if self.stage.get() == JobStage::Cleaning {
            return (Settlement::Done, failure.into_cause());
        }
        let (settlement, trouble) = self.undo(Settlement::Failed { reason });
        (settlement, failure.into_cause().or(trouble))
    }

    /// `settlement`, once the traces of the version are removed.
    fn undo(&self, settlement: Settlement) -> (Settlement, Option<BoxError>) {
        // Nothing is written before the text was read.
        if self.stage.get() == JobStage::Extracting {
            return (settlement, None);
        }
        let live = self.claimed.live_version;
        let Err(trouble) = self.remove((live > 0).then_some(live)) else {
            return (settlement, None);
        };
        let reason = match &settlement {
            Settlement::Failed { reason } => reason.clone(),
            _ => trouble.reason(),
        };
        // After the last attempt the job ends nevertheless.
        let settlement = self.retry(&trouble, reason).unwrap_or(settlement);
        (settlement, trouble.into_cause())
    }

    /// The job, its attempts as the queue counts them by now: those since it came further.
    fn job(&self) -> Job {
        let mut job = self.claimed.job.clone();
        if self.hold.progress().segments_done > job.progress.segments_done {
            job.attempts = 0;
        }
        job
    }

    fn retry(&self, failure: &Failure, reason: String) -> Option<Settlement> {
        let pause = failure.pause(&self.job())?;
        Some(self.retry_after(pause, reason))
    }

    fn retry_after(&self, pause: Duration, reason: String) -> Settlement {
        Settlement::Retry {
            not_before: self.ingestor.parts.clock.now().saturating_add(pause),
            reason,
        }
    }
}
