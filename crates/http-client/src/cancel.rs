use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ends a request from another thread by closing its socket; clones share one signal.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    next: u64,
    hooks: Vec<(u64, Hook)>,
}

type Hook = Box<dyn Fn() + Send>;

impl Cancel {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes the sockets of the request, so that a blocked read returns at once; a second call does nothing.
    pub fn cancel(&self) {
        let mut state = self.0.lock();
        state.cancelled = true;
        // Under the lock: whoever forgets its watch meanwhile waits until its socket is closed, and so cannot hand
        // an open socket to the next request that this loop would then close.
        for (_, hook) in state.hooks.drain(..) {
            hook();
        }
        self.0.raised.notify_all();
    }

    /// Whether the signal was raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }

    /// Runs `hook` when the signal is raised, at once if it already was, unless the returned watch is dropped first.
    /// The hook must be short and must not touch this signal, whose lock is held.
    pub fn watch(&self, hook: impl Fn() + Send + 'static) -> Watch {
        let mut state = self.0.lock();
        let id = state.next;
        state.next += 1;
        if state.cancelled {
            hook();
        } else {
            state.hooks.push((id, Box::new(hook)));
        }
        Watch {
            shared: self.0.clone(),
            id,
        }
    }

    /// How many hooks are in place.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn watches(&self) -> usize {
        self.0.lock().hooks.len()
    }

    /// Sleeps until the signal is raised or `at_most` has passed; says whether it was raised.
    pub fn wait(&self, at_most: Duration) -> bool {
        let started = Instant::now();
        let mut state = self.0.lock();
        while !state.cancelled {
            let Some(left) = at_most
                .checked_sub(started.elapsed())
                .filter(|left| !left.is_zero())
            else {
                return false;
            };
            state = self
                .0
                .raised
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// Keeps a hook of a [`Cancel`] in place; dropping it takes the hook away.
#[must_use = "dropping the watch takes the hook away"]
pub struct Watch {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().hooks.retain(|(id, _)| *id != self.id);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counting(runs: &Arc<AtomicUsize>) -> impl Fn() + Send + 'static {
        let runs = runs.clone();
        move || {
            runs.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_hook_runs_once_whether_set_before_or_after() {
        let runs = Arc::new(AtomicUsize::new(0));
        let cancel = Cancel::new();
        let _before = cancel.watch(counting(&runs));
        cancel.cancel();
        cancel.cancel();
        let _after = cancel.watch(counting(&runs));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_dropped_watch_never_runs() {
        let runs = Arc::new(AtomicUsize::new(0));
        let cancel = Cancel::new();
        let kept = cancel.watch(counting(&runs));
        drop(cancel.watch(counting(&runs)));
        cancel.cancel();
        drop(kept);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_wait_ends_when_the_signal_is_raised() {
        let cancel = Cancel::new();
        assert!(!cancel.wait(Duration::from_millis(1)));
        let other = cancel.clone();
        let waiter = std::thread::spawn(move || other.wait(Duration::from_mins(10)));
        cancel.cancel();
        assert!(waiter.join().unwrap());
    }
}
