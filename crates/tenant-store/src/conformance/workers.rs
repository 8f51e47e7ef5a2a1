//! What a [`JobQueue`](crate::JobQueue) must do for many workers at once, some of whom are lost on the way.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an obligation panics where the store fails it"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tenantry_domain::{
    DocumentState, Generation, Job, JobId, JobProgress, JobState, Page, TenantId, TenantScope, Timestamp,
};

use super::samples::{at, scope};
use super::work::{RecordStore, again, segment, submission, text_of};
use crate::{Claim, ClaimedJob, DocumentFilter, Held, JobFilter, Published, Settlement, Submission};

/// Ticks that a lease lasts: each claim is one tick of the clock.
const LEASE: i64 = 200;
/// Claims of one worker in a row that may find nothing while there is something to do: far longer than leases and retries.
const PATIENCE: u32 = 5_000;

/// Workers on one store, on a clock that their claims move.
struct Crew<'s, S> {
    store: &'s S,
    scopes: &'s [TenantScope],
    ticks: AtomicI64,
    /// Whether more jobs may be handed in.
    is_open: AtomicBool,
    /// How often a worker ended each job.
    ended: Mutex<BTreeMap<(TenantId, JobId), u32>>,
}

/// What comes next in a worker's life, the same in every run.
struct Fate(u64);

impl Fate {
    fn one_in(&mut self, n: u64) -> bool {
        // Marsaglia's xorshift, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.is_multiple_of(n)
    }
}

impl<S: RecordStore> Crew<'_, S> {
    fn now(&self) -> Timestamp {
        at(1_000 + self.ticks.load(Ordering::SeqCst))
    }

    fn until(&self) -> Timestamp {
        at(1_000 + self.ticks.load(Ordering::SeqCst) + LEASE)
    }

    fn work(&self, mut fate: Fate) {
        let mut idle = 0;
        loop {
            self.ticks.fetch_add(1, Ordering::SeqCst);
            let claim = Claim {
                tenant: None,
                now: self.now(),
                lease_until: self.until(),
            };
            let Some(claimed) = self.store.claim(&claim).unwrap() else {
                if self.is_over() {
                    return;
                }
                idle += 1;
                assert!(idle < PATIENCE, "a job was forgotten");
                std::thread::sleep(Duration::from_micros(200));
                continue;
            };
            idle = 0;
            let scope = self.scopes.iter().find(|scope| *scope.id() == claimed.tenant);
            if self.process(scope.unwrap(), &claimed, &mut fate).is_some() {
                let job = (claimed.tenant, claimed.job.id);
                *self.ended.lock().unwrap().entry(job).or_default() += 1;
            }
        }
    }

    fn is_over(&self) -> bool {
        let is_open = self.is_open.load(Ordering::SeqCst);
        let unfinished = [JobState::Queued, JobState::Running];
        !is_open
            && self.scopes.iter().all(|scope| {
                unfinished
                    .iter()
                    .all(|state| self.jobs(scope, Some(*state)).is_empty())
            })
    }

    fn jobs(&self, scope: &TenantScope, state: Option<JobState>) -> Vec<Job> {
        let filter = JobFilter {
            state,
            document: None,
        };
        let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
        self.store.jobs(scope, &filter, page).unwrap().items
    }

    /// Does a job, unless the worker is lost on the way, loses its lease, or gives the job back; `Some` when the job is over by it.
    fn process(&self, scope: &TenantScope, claimed: &ClaimedJob, fate: &mut Fate) -> Option<()> {
        let lease = &claimed.lease;
        let held = |held: Held| (held == Held::Yes).then_some(());
        let survives = |fate: &mut Fate| (!fate.one_in(6)).then_some(());
        survives(fate)?;
        if claimed.cancelled {
            let settled = self
                .store
                .settle(scope, lease, &Settlement::Cancelled, self.now());
            return settled.unwrap().then_some(());
        }
        if claimed.incoming.as_ref()?.format.is_none() {
            let text = [segment(0, 0, "text")];
            held(
                self.store
                    .add_segments(scope, lease, &text, self.now(), self.until())
                    .unwrap(),
            )?;
            survives(fate)?;
            held(
                self.store
                    .text_read(scope, lease, &text_of("title", 1), self.now())
                    .unwrap(),
            )?;
            survives(fate)?;
        }
        let progress = JobProgress::default();
        held(
            self.store
                .report(scope, lease, &progress, self.now(), self.until())
                .unwrap(),
        )?;
        if fate.one_in(5) {
            let settlement = if fate.one_in(2) {
                Settlement::Yielded
            } else {
                Settlement::Retry {
                    not_before: self.until(),
                    reason: "not now".into(),
                }
            };
            self.store.settle(scope, lease, &settlement, self.now()).unwrap();
            return None;
        }
        let published = self
            .store
            .publish(scope, lease, 1, &[Generation::FIRST], self.now())
            .unwrap();
        (published == Published::Yes).then_some(())?;
        survives(fate)?;
        let settled = self.store.settle(scope, lease, &Settlement::Done, self.now());
        settled.unwrap().then_some(())
    }
}

/// Among many workers, of whom any may be lost at any step, every job ends once and none is forgotten; of the versions that are handed in
/// meanwhile the last is found in the end.
pub fn every_job_ends_once_and_none_is_forgotten<S: RecordStore>(store: &S) {
    let scopes = ["a", "b", "c"].map(|id| scope(store, id));
    let submissions: Vec<_> = (0..8)
        .map(|n| Submission {
            external_id: Some(format!("document {n}")),
            ..submission(&format!("Owls {n}"), n)
        })
        .collect();
    for scope in &scopes {
        for submission in &submissions {
            store.submit(scope, submission).unwrap();
        }
    }
    let crew = Crew {
        store,
        scopes: &scopes,
        ticks: AtomicI64::new(0),
        is_open: AtomicBool::new(true),
        ended: Mutex::default(),
    };
    std::thread::scope(|threads| {
        for seed in 1..5 {
            let crew = &crew;
            threads.spawn(move || crew.work(Fate(0x9e37_79b9_7f4a_7c15 ^ seed)));
        }
        for (submission, seconds) in submissions.iter().step_by(2).zip(100..) {
            for scope in &scopes {
                let next = Submission {
                    title: Some("again".into()),
                    ..again(submission, seconds)
                };
                store.submit(scope, &next).unwrap();
            }
        }
        crew.is_open.store(false, Ordering::SeqCst);
    });
    check(&crew, submissions.len());
}

fn check<S: RecordStore>(crew: &Crew<'_, S>, documents: usize) {
    let ended = crew.ended.lock().unwrap();
    assert!(ended.values().all(|times| *times == 1), "{ended:?}");
    for scope in crew.scopes {
        let jobs = crew.jobs(scope, None);
        assert_eq!(jobs.len(), documents + documents / 2);
        for job in &jobs {
            match job.state {
                JobState::Done => assert!(ended.contains_key(&(scope.id().clone(), job.id)), "{job:?}"),
                // By a worker, or by the submission after it.
                JobState::Cancelled => {}
                other => panic!("a job ended {other}"),
            }
        }
        let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
        let listed = crew
            .store
            .documents(scope, &DocumentFilter::default(), page)
            .unwrap();
        assert_eq!(listed.items.len(), documents);
        for document in listed.items {
            let of_document = jobs.iter().filter(|job| job.document == document.id);
            let last = of_document.max_by_key(|job| job.version).unwrap();
            assert_eq!(document.state, DocumentState::Ready);
            assert_eq!(document.version, last.version);
            assert_eq!(last.state, JobState::Done);
        }
    }
}
