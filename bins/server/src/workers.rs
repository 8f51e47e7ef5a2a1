//! The threads that do the jobs on documents.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use tenantry_domain::{BoxError, Cancellation, Clock, Job, TenantId};
use tenantry_retrieval::{Ingestor, Settled, Worked};
use tenantry_tenant_store::{Settlement, StoreError};

use crate::logging::chain;

/// How long a worker with nothing to do waits before it looks again: other servers hand in jobs too.
const IDLE: Duration = Duration::from_secs(1);
/// The longest pause while the record store does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Tells waiting workers that a job was handed in; clones are one and the same.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u64>,
    ringing: Condvar,
}

/// Threads that do jobs until they are stopped.
#[derive(Debug)]
pub struct Workers {
    stop: Cancellation,
    wake: Wake,
    crew: Arc<Crew>,
}

/// How many workers are still at work.
#[derive(Debug)]
struct Crew {
    working: Mutex<usize>,
    left: Condvar,
}

/// What one worker works with.
#[derive(Clone)]
struct Worker {
    ingestor: Arc<Ingestor>,
    tenant: Option<TenantId>,
    clock: Arc<dyn Clock>,
    stop: Cancellation,
    wake: Wake,
    store_is_down: Arc<AtomicBool>,
    crew: Arc<Crew>,
}

impl Wake {
    /// Has one waiting worker look for a job at once.
    pub fn wake(&self) {
        *self.rung() += 1;
        self.0.ringing.notify_one();
    }

    fn wake_all(&self) {
        *self.rung() += 1;
        self.0.ringing.notify_all();
    }

    fn count(&self) -> u64 {
        *self.rung()
    }

    /// Waits until it was rung more often than `count`, or that long.
    fn wait(&self, count: u64, longest: Duration) {
        let rung = self.rung();
        drop(
            self.0
                .ringing
                .wait_timeout_while(rung, longest, |rung| *rung == count),
        );
    }

    fn rung(&self) -> MutexGuard<'_, u64> {
        self.0.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workers {
    /// Starts `count` threads, for the jobs of `tenant` alone when one is named.
    ///
    /// # Errors
    /// When a thread cannot be started; those that were are stopped.
    pub fn start(
        ingestor: &Arc<Ingestor>,
        tenant: Option<&TenantId>,
        count: usize,
        wake: &Wake,
        clock: &Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let crew = Arc::new(Crew {
            working: Mutex::new(0),
            left: Condvar::new(),
        });
        let worker = Worker {
            ingestor: ingestor.clone(),
            tenant: tenant.cloned(),
            clock: clock.clone(),
            stop: Cancellation::new(),
            wake: wake.clone(),
            store_is_down: Arc::default(),
            crew: crew.clone(),
        };
        let workers = Self {
            stop: worker.stop.clone(),
            wake: wake.clone(),
            crew,
        };
        for number in 1..=count {
            let worker = worker.clone();
            *workers.crew.working() += 1;
            let started = thread::Builder::new()
                .name(format!("ingest-{number}"))
                .spawn(move || worker.run());
            if let Err(error) = started {
                *workers.crew.working() -= 1;
                workers.stopping().cancel();
                return Err(error);
            }
        }
        Ok(workers)
    }

    /// A signal that, once raised, has every worker give its job back at the next step.
    pub fn stopping(&self) -> Cancellation {
        let (stopping, stop, wake) = (Cancellation::new(), self.stop.clone(), self.wake.clone());
        stopping.on_cancel(Box::new(move || {
            stop.cancel();
            wake.wake_all();
        }));
        stopping
    }

    /// Stops the workers and waits for them at most that long. Who takes longer is left behind: its job goes on elsewhere, or
    /// after the next start, once its lease has ended.
    pub fn stop(self, longest: Duration) {
        self.stopping().cancel();
        let working = self.crew.working();
        let waited = self
            .crew
            .left
            .wait_timeout_while(working, longest, |working| *working > 0);
        let left_behind = *waited.unwrap_or_else(PoisonError::into_inner).0;
        if left_behind > 0 {
            log::warn!("{left_behind} jobs did not stop in time; they go on once their lease has ended");
        }
    }
}

impl Crew {
    fn working(&self) -> MutexGuard<'_, usize> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn run(&self) {
        let mut pause = IDLE;
        while !self.stop.is_cancelled() {
            let rung = self.wake.count();
            let turn = || self.ingestor.run_one(self.tenant.as_ref(), &self.stop);
            match catch_unwind(AssertUnwindSafe(turn)) {
                Ok(Ok(worked)) => {
                    pause = IDLE;
                    self.store_answers();
                    self.go_on(rung, worked);
                }
                Ok(Err(error)) => {
                    self.store_fails(&error);
                    self.rest(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(_) => {
                    log::error!("looking for a job panicked");
                    self.rest(LONGEST_PAUSE);
                }
            }
        }
        *self.crew.working() -= 1;
        self.crew.left.notify_all();
    }

    /// Tells what came of a turn, and waits when there was nothing to do since the bell had rung `rung` times.
    fn go_on(&self, rung: u64, worked: Worked) {
        match worked {
            Worked::Idle => self.wake.wait(rung, IDLE),
            Worked::Panicked { tenant, job } => {
                let about = about(&tenant, &job);
                log::error!("{about}: the work panicked; it is tried again once its lease has ended");
            }
            Worked::Did {
                tenant,
                job,
                settled,
                cause,
            } => self.tell(&tenant, &job, &settled, cause.as_ref()),
        }
    }

    /// Waits that long, whatever is handed in, unless the worker is stopped.
    fn rest(&self, pause: Duration) {
        let began = Instant::now();
        while !self.stop.is_cancelled() {
            let Some(left) = pause.checked_sub(began.elapsed()) else {
                return;
            };
            self.wake.wait(self.wake.count(), left);
        }
    }

    /// Says once, for all workers, that the store does not answer.
    fn store_fails(&self, error: &StoreError) {
        if !self.store_is_down.swap(true, Ordering::Relaxed) {
            log::error!("no jobs are done for now: {}", chain(error));
        }
    }

    fn store_answers(&self) {
        if self.store_is_down.swap(false, Ordering::Relaxed) {
            log::info!("jobs are done again");
        }
    }

    /// One line about a turn, without titles and texts.
    fn tell(&self, tenant: &TenantId, job: &Job, settled: &Settled, cause: Option<&BoxError>) {
        let micros = self
            .clock
            .now()
            .unix_micros()
            .saturating_sub(job.created_at.unix_micros());
        let seconds = micros / 1_000_000;
        let about = about(tenant, job);
        let cause = cause
            .map(|cause| format!(" ({})", chain(cause.as_ref())))
            .unwrap_or_default();
        match settled {
            Settled::Given(Settlement::Done) => {
                log::info!(
                    "{about}: {} done, {seconds} s after it was handed in{cause}",
                    job.kind
                );
            }
            Settled::Given(Settlement::Cancelled) => {
                log::info!("{about}: cancelled after {seconds} s{cause}");
            }
            Settled::Given(Settlement::Failed { reason }) => {
                log::info!("{about}: failed after {seconds} s: {reason}{cause}");
            }
            Settled::Given(Settlement::Retry { not_before, reason }) => {
                log::warn!("{about}: tried again at {not_before}: {reason}{cause}");
            }
            Settled::Given(Settlement::Yielded) => log::debug!("{about}: goes on in another turn{cause}"),
            Settled::Lost => log::warn!("{about}: another worker has it, or it is gone{cause}"),
        }
    }
}

fn about(tenant: &TenantId, job: &Job) -> String {
    format!("tenant {tenant}, job {}, document {}", job.id, job.document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_before_the_wait_is_not_lost() {
        let wake = Wake::default();
        let seen = wake.count();
        wake.clone().wake();
        let began = Instant::now();
        wake.wait(seen, Duration::from_mins(10));
        assert!(began.elapsed() < Duration::from_mins(5));
    }
}
