use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What to do when a [`Cancellation`] is cancelled; runs at most once, on the cancelling thread.
pub type OnCancel = Box<dyn FnOnce() + Send>;

/// A signal, shared by clones, that the reader of an answer has left and the work for it may stop.
///
/// # Examples
/// ```
/// let cancellation = tenantry_domain::Cancellation::new();
/// let worker = cancellation.clone();
/// cancellation.cancel();
/// assert!(worker.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct Cancellation(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    hooks: Vec<OnCancel>,
}

impl Cancellation {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the signal and runs every hook; a second call does nothing.
    pub fn cancel(&self) {
        let hooks = {
            let mut state = self.lock();
            state.cancelled = true;
            std::mem::take(&mut state.hooks)
        };
        for hook in hooks {
            hook();
        }
    }

    /// Whether the signal was raised.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Runs `hook` when the signal is raised, at once if it already was.
    pub fn on_cancel(&self, hook: OnCancel) {
        let mut state = self.lock();
        if state.cancelled {
            drop(state);
            hook();
        } else {
            state.hooks.push(hook);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_hook_runs_exactly_once_whether_set_before_or_after() {
        let runs = Arc::new(AtomicUsize::new(0));
        let hook = |runs: &Arc<AtomicUsize>| -> OnCancel {
            let runs = runs.clone();
            Box::new(move || {
                runs.fetch_add(1, Ordering::SeqCst);
            })
        };
        let cancellation = Cancellation::new();
        cancellation.on_cancel(hook(&runs));
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        cancellation.cancel();
        cancellation.cancel();
        cancellation.on_cancel(hook(&runs));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}
