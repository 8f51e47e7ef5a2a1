use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a body may go on being read, said by its reader while it reads: a stream that is alive may still have
/// nothing to say. Clones share one limit; a transport keeps it beside the deadlines of the request.
#[derive(Clone, Default)]
pub struct Patience(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    limit: Option<Limit>,
    /// Counts the limits, so that a body with a clock of its own sees when a new one begins.
    count: u64,
}

/// A limit that holds from a moment on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) number: u64,
    pub(crate) at_most: Duration,
    since: Instant,
}

impl Patience {
    /// Without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets reads go on for `at_most` from now on in all, after which they end with [`crate::HttpError::Timeout`]; an
    /// earlier limit is void.
    pub fn limit(&self, at_most: Duration) {
        let mut state = self.lock();
        state.count += 1;
        state.limit = Some(Limit {
            number: state.count,
            at_most,
            since: Instant::now(),
        });
    }

    /// Takes the limit away.
    pub fn lift(&self) {
        self.lock().limit = None;
    }

    pub(crate) fn current(&self) -> Option<Limit> {
        self.lock().limit
    }

    /// How long reads may still go on; zero when the limit has passed.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.current()
            .map(|limit| limit.at_most.saturating_sub(limit.since.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("left", &self.left()).finish()
    }
}
