use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenantry_domain::{Clock, Generation, JobProgress, Segment, TenantScope, Timestamp};
use tenantry_tenant_store::{ClaimedJob, Held, JobQueue, Lease, Published, Settlement, StoreError, TextRead};

use super::IngestParts;
use super::failure::Halt;

/// A worker's hold on its job. Every step goes through here, so that the lease is renewed, and the steps of the thread that
/// renews it come between those of the work, never amid them.
pub(super) struct Hold<'a> {
    queue: &'a dyn JobQueue,
    clock: &'a dyn Clock,
    scope: &'a TenantScope,
    lease: &'a Lease,
    time: Duration,
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    progress: JobProgress,
    held: Held,
    ended: bool,
}

impl<'a> Hold<'a> {
    pub(super) fn new(
        parts: &'a IngestParts,
        scope: &'a TenantScope,
        claimed: &'a ClaimedJob,
        time: Duration,
    ) -> Self {
        let state = State {
            progress: claimed.job.progress,
            held: Held::Yes,
            ended: false,
        };
        Self {
            queue: parts.queue.as_ref(),
            clock: parts.clock.as_ref(),
            scope,
            lease: &claimed.lease,
            time,
            state: Mutex::new(state),
            ended: Condvar::new(),
        }
    }

    /// Renews the lease three times in its length until the work ends. This thread waits by the machine's time: what it
    /// guards against is work that takes long.
    pub(super) fn keep(&self) {
        let pause = self.time / 3;
        let mut state = self.lock();
        loop {
            let waited = self.ended.wait_timeout_while(state, pause, |state| !state.ended);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.ended || state.held == Held::Lost {
                return;
            }
            // A store that fails now may answer at the next step, which tells the worker.
            if let Ok(held) = self.renew(&state.progress) {
                state.held = held;
            }
        }
    }

    /// Ends [`Hold::keep`] when it goes, also in a panic.
    pub(super) fn ends_with_this(&self) -> Ends<'_, 'a> {
        Ends(self)
    }

    pub(super) fn progress(&self) -> JobProgress {
        self.lock().progress
    }

    /// Whether the work may go on, as far as is known.
    pub(super) fn check(&self) -> Result<(), Halt> {
        go_on(self.lock().held)
    }

    pub(super) fn report(&self, progress: JobProgress) -> Result<(), Halt> {
        self.step(|state| {
            let held = self.renew(&progress)?;
            state.progress = progress;
            Ok(held)
        })
    }

    pub(super) fn add_segments(&self, segments: &[Segment]) -> Result<(), Halt> {
        self.step(|_| {
            let (now, until) = self.now_and_until();
            self.queue
                .add_segments(self.scope, self.lease, segments, now, until)
        })
    }

    pub(super) fn text_read(&self, read: &TextRead) -> Result<(), Halt> {
        self.step(|state| {
            let held = self
                .queue
                .text_read(self.scope, self.lease, read, self.clock.now())?;
            state.progress = JobProgress {
                segments: read.segments,
                characters: read.characters,
                ..JobProgress::default()
            };
            Ok(held)
        })
    }

    /// Whether the version may be found now; `false` when indexes are missing.
    pub(super) fn publish(&self, chunks: u32, written: &[Generation]) -> Result<bool, Halt> {
        let state = self.lock();
        let now = self.clock.now();
        let published = self
            .queue
            .publish(self.scope, self.lease, chunks, written, now)
            .map_err(Halt::Unclear)?;
        drop(state);
        match published {
            Published::Yes => Ok(true),
            Published::IndexesChanged => Ok(false),
            Published::Cancelled => Err(Halt::Cancelled),
            Published::Lost => Err(Halt::Lost),
        }
    }

    /// Gives the job back; `false` when it is another's.
    pub(super) fn settle(&self, settlement: &Settlement) -> Result<bool, StoreError> {
        let mut state = self.lock();
        state.ended = true;
        self.ended.notify_all();
        self.queue
            .settle(self.scope, self.lease, settlement, self.clock.now())
    }

    fn step(&self, step: impl FnOnce(&mut State) -> Result<Held, StoreError>) -> Result<(), Halt> {
        let mut state = self.lock();
        go_on(state.held)?;
        let held = step(&mut state)?;
        state.held = held;
        go_on(held)
    }

    fn renew(&self, progress: &JobProgress) -> Result<Held, StoreError> {
        let (now, until) = self.now_and_until();
        self.queue.report(self.scope, self.lease, progress, now, until)
    }

    fn now_and_until(&self) -> (Timestamp, Timestamp) {
        let now = self.clock.now();
        (now, now.saturating_add(self.time))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn go_on(held: Held) -> Result<(), Halt> {
    match held {
        Held::Yes => Ok(()),
        Held::Cancelled => Err(Halt::Cancelled),
        Held::Lost => Err(Halt::Lost),
    }
}

/// Ends the renewing of a lease.
pub(super) struct Ends<'h, 'a>(&'h Hold<'a>);

impl Drop for Ends<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.ended.notify_all();
    }
}
