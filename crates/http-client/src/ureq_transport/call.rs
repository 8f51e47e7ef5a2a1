use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{Cancel, HttpError, Patience, RejectedUrl};

/// What a connection must know of the request it serves. ureq hands its connectors no word of the request, but runs
/// all of it on the calling thread: while a request is sent, its call is the thread's current one, and the connection
/// that serves it, fresh or pooled, adopts it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) cancel: Cancel,
    idle: Duration,
    /// What its reader allows besides.
    pub(super) patience: Patience,
    /// A connection was made for it, rather than taken from the pool.
    dialled: AtomicBool,
    /// A byte of the answer came.
    received: AtomicBool,
    /// The head of the answer came, so that from now on the idle deadline holds.
    headed: AtomicBool,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Call>>> = const { RefCell::new(None) };
}

/// Makes `call` the current one of this thread until the returned value is dropped.
pub(super) fn enter(call: &Arc<Call>) -> Entered {
    CURRENT.set(Some(call.clone()));
    Entered(())
}

/// The call that this thread is sending.
pub(super) fn current() -> Option<Arc<Call>> {
    CURRENT.with_borrow(Clone::clone)
}

pub(super) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Call {
    pub(super) fn new(cancel: Cancel, idle: Duration) -> Self {
        Self {
            cancel,
            idle,
            patience: Patience::new(),
            dialled: AtomicBool::new(false),
            received: AtomicBool::new(false),
            headed: AtomicBool::new(false),
        }
    }

    pub(super) fn dial(&self) {
        self.dialled.store(true, Ordering::Relaxed);
    }

    pub(super) fn receive(&self) {
        self.received.store(true, Ordering::Relaxed);
    }

    pub(super) fn head_is_there(&self) {
        self.headed.store(true, Ordering::Relaxed);
    }

    /// How long one read may take, once the body is read.
    pub(super) fn per_read(&self) -> Option<Duration> {
        let left = self.patience.left().unwrap_or(self.idle);
        self.headed.load(Ordering::Relaxed).then_some(self.idle.min(left))
    }

    /// Forgets the attempt that failed on a pooled connection.
    pub(super) fn start_again(&self) {
        self.dialled.store(false, Ordering::Relaxed);
    }

    /// Whether a pooled connection broke before a byte of the answer came: the peer had closed it while it was idle.
    pub(super) fn met_closed_connection(&self, error: &ureq::Error) -> bool {
        matches!(error, ureq::Error::Io(_))
            && !self.dialled.load(Ordering::Relaxed)
            && !self.received.load(Ordering::Relaxed)
            && !self.cancel.is_cancelled()
    }

    /// Says in our words why there is no answer, or no more of it.
    pub(super) fn explain(&self, error: ureq::Error) -> HttpError {
        if self.cancel.is_cancelled() {
            return HttpError::Cancelled;
        }
        match error {
            ureq::Error::Timeout(_) => HttpError::Timeout,
            ureq::Error::BodyExceedsLimit(limit) => HttpError::TooLarge { limit },
            ureq::Error::LargeResponseHeader(_, limit) => HttpError::TooLarge {
                limit: u64::try_from(limit).unwrap_or(u64::MAX),
            },
            ureq::Error::Http(error) => super::malformed(&error)
                .unwrap_or_else(|| HttpError::Protocol("the request cannot be written".into())),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => HttpError::Timeout,
            ureq::Error::Other(error) => match error.downcast::<RejectedUrl>() {
                Ok(rejected) => HttpError::Url(*rejected),
                Err(error) => self.broken(error),
            },
            error => self.broken(error.into()),
        }
    }

    fn broken(&self, error: Box<dyn Error + Send + Sync>) -> HttpError {
        if self.received.load(Ordering::Relaxed) {
            HttpError::Protocol(error)
        } else {
            HttpError::Connect(error)
        }
    }
}
