use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::Cancellation;
use tokio::sync::watch;

use super::OnLeave;
use crate::error::ApiError;

/// The order to stop a turn before its end, and why it was given; clones are one and the same.
#[derive(Clone)]
pub(super) struct Halt(Arc<State>);

struct State {
    cancellation: Cancellation,
    known: Mutex<Known>,
    raised: watch::Sender<bool>,
}

#[derive(Default)]
struct Known {
    has_left: bool,
    /// `None` until the turn has begun.
    on_leave: Option<OnLeave>,
    cause: Option<Cause>,
}

/// Why a turn is stopped.
#[derive(Debug)]
pub(super) enum Cause {
    /// Its client has left.
    Left,
    /// For what the client is told.
    Failed(ApiError),
}

/// Says that the client has left when it is dropped; at the end of a turn that changes nothing.
pub(super) struct Gone(pub(super) Halt);

impl Halt {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            cancellation: Cancellation::new(),
            known: Mutex::default(),
            raised: watch::Sender::new(false),
        }))
    }

    /// Raised together with this.
    pub(super) fn cancellation(&self) -> &Cancellation {
        &self.0.cancellation
    }

    /// What is done from now on when the client leaves, or has left already.
    pub(super) fn begin(&self, on_leave: OnLeave) {
        let has_left = {
            let mut known = self.known();
            known.on_leave = Some(on_leave);
            known.has_left
        };
        if has_left {
            self.left();
        }
    }

    /// The turn is over: that its client leaves is of no account any more.
    pub(super) fn end(&self) {
        self.known().on_leave = Some(OnLeave::Finish);
    }

    /// The client has left.
    pub(super) fn left(&self) {
        let is_over = {
            let mut known = self.known();
            known.has_left = true;
            known.on_leave == Some(OnLeave::Cancel)
        };
        if is_over {
            self.raise(Cause::Left);
        }
    }

    /// The turn may not go on. The first cause counts.
    pub(super) fn raise(&self, cause: Cause) {
        self.known().cause.get_or_insert(cause);
        // Outside of the lock, as it runs hooks of others.
        self.0.cancellation.cancel();
        self.0.raised.send_replace(true);
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.cancellation.is_cancelled()
    }

    /// Waits until it is raised.
    pub(super) async fn raised(&self) {
        // The sender lives in this very value, so that it cannot be gone.
        drop(self.0.raised.subscribe().wait_for(|raised| *raised).await);
    }

    /// Why it was raised, for the one who ends the turn.
    pub(super) fn take_cause(&self) -> Option<Cause> {
        self.known().cause.take()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.left();
    }
}

impl fmt::Debug for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halt")
            .field("raised", &self.is_raised())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_client_that_left_while_the_turn_began_stops_it_when_it_has() {
        let halt = Halt::new();
        halt.left();
        assert!(!halt.is_raised());
        halt.begin(OnLeave::Cancel);
        assert!(halt.is_raised());
        assert!(matches!(halt.take_cause(), Some(Cause::Left)));
    }

    #[test]
    fn the_end_of_an_answer_is_not_taken_for_its_clients_leaving() {
        let halt = Halt::new();
        halt.begin(OnLeave::Cancel);
        halt.end();
        drop(Gone(halt.clone()));
        assert!(!halt.is_raised());
    }

    #[test]
    fn a_turn_that_is_to_be_finished_is_stopped_by_others_alone() {
        let halt = Halt::new();
        halt.begin(OnLeave::Finish);
        drop(Gone(halt.clone()));
        assert!(!halt.is_raised());
        halt.raise(Cause::Failed(ApiError::new(Code::ShuttingDown)));
        halt.raise(Cause::Failed(ApiError::new(Code::Unauthenticated)));
        let Some(Cause::Failed(error)) = halt.take_cause() else {
            panic!("no cause")
        };
        assert_eq!(error.code(), Code::ShuttingDown);
    }
}
