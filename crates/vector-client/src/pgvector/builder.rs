//! Builds graphs outside of the calls that want them, on a thread and a connection of its own. One graph of a database is built
//! at a time, whichever server does it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::patient;
use super::fault::Fault;
use super::graph::{Target, build, sweep};
use crate::VectorError;

/// How long to wait between two looks at whether another server has done building.
const PAUSE: Duration = Duration::from_secs(1);

/// One builder of a database. The number is this store's own: "pg graph" in ASCII.
const TRY_LOCK: &str = "pg_try_advisory_lock(8099005776321016936)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(8099005776321016936)";

/// Builds graphs one after the other, and removes those of indexes that are gone.
#[derive(Debug)]
pub(super) struct Graphs {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    memory_mb: u32,
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Task>,
    /// The indexes whose graph was asked for, so that each is asked for once.
    asked: HashSet<i64>,
    is_running: bool,
    is_closed: bool,
    failure: Option<VectorError>,
}

#[derive(Debug)]
enum Task {
    Build(Target),
    Sweep,
}

impl Graphs {
    pub(super) fn new(url: &str, memory_mb: u32) -> Self {
        let shared = Shared {
            url: url.to_owned(),
            memory_mb,
            state: Mutex::default(),
            idle: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Has the graph built unless that was asked for before.
    pub(super) fn want(&self, target: Target) {
        let mut state = self.shared.lock();
        if state.asked.insert(target.id) {
            self.run(&mut state, Task::Build(target));
        }
    }

    /// Has the graphs of indexes that are gone removed.
    pub(super) fn sweep(&self) {
        let mut state = self.shared.lock();
        self.run(&mut state, Task::Sweep);
    }

    /// Takes what failed since the last time.
    pub(super) fn failure(&self) -> Option<VectorError> {
        self.shared.lock().failure.take()
    }

    /// Waits until nothing is left to build, and tells what failed since the last time.
    pub(super) fn finish(&self) -> Result<(), VectorError> {
        let mut state = self.shared.lock();
        while state.is_running {
            state = self
                .shared
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.failure.take().map_or(Ok(()), Err)
    }

    fn run(&self, state: &mut State, task: Task) {
        state.queue.push_back(task);
        if state.is_running {
            return;
        }
        let shared = self.shared.clone();
        let started = thread::Builder::new()
            .name("pgvector-graphs".into())
            .spawn(move || shared.work());
        match started {
            Ok(_) => state.is_running = true,
            // The next one to ask tries again.
            Err(error) => {
                state.queue.clear();
                state.asked.clear();
                state.failure = Some(VectorError::Unavailable(error.into()));
            }
        }
    }
}

impl Drop for Graphs {
    /// What is being built goes on; the rest is asked for again by the next server.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.queue.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            let id = match &task {
                Task::Build(target) => Some(target.id),
                Task::Sweep => None,
            };
            if let Err(fault) = self.perform(task) {
                let error = VectorError::from(fault);
                let mut state = self.lock();
                // What may pass is asked for again; what the user may not do is not.
                if let Some(id) = id.filter(|_| error.is_transient()) {
                    state.asked.remove(&id);
                }
                state.failure = Some(error);
            }
        }
    }

    /// The next task; without one the thread ends.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        let task = state.queue.pop_front();
        if task.is_none() {
            state.is_running = false;
            self.idle.notify_all();
        }
        task
    }

    fn perform(&self, task: Task) -> Result<(), Fault> {
        let mut conn = patient(&self.url)?;
        // Not a lock that waits: building waits for every transaction that is open, and so for one that waits for the lock.
        while !diesel::select(sql::<Bool>(TRY_LOCK)).get_result::<bool>(&mut conn)? {
            if self.is_closed() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        let done = match task {
            Task::Build(target) => build(&mut conn, &target, self.memory_mb),
            Task::Sweep => sweep(&mut conn),
        };
        conn.batch_execute(UNLOCK)?;
        done
    }
}

impl std::fmt::Debug for Shared {
    /// Without the URL, which may have a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_not_told() {
        let graphs = Graphs::new("postgres://u:hunter2@127.0.0.1/x", 1);
        assert!(!format!("{graphs:?}").contains("hunter2"));
    }
}
