use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Ends a request from another thread by closing its socket; clones share one signal.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    sockets: Vec<TcpStream>,
}

impl Cancel {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes the sockets of the request, so that a blocked read returns at once.
    pub fn cancel(&self) {
        let sockets = {
            let mut state = self.lock();
            state.cancelled = true;
            std::mem::take(&mut state.sockets)
        };
        for socket in sockets {
            // A socket that the peer has closed meanwhile has nothing left to shut.
            drop(socket.shutdown(Shutdown::Both));
        }
    }

    /// Whether the signal was raised.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Adds a socket to close; it is closed at once when the signal was raised before.
    pub fn watch(&self, socket: TcpStream) {
        let mut state = self.lock();
        if state.cancelled {
            drop(socket.shutdown(Shutdown::Both));
        } else {
            state.sockets.push(socket);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
