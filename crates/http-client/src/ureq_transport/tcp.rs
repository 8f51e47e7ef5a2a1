use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::time::Duration as Until;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::SmallBuffers;
use super::call::{self, Call};
use crate::Watch;

/// A TCP connection that the current call can close and whose reads keep its idle deadline.
pub(super) struct Tcp {
    socket: Arc<TcpStream>,
    buffers: SmallBuffers,
    /// What the socket was told last, so that it is told again only what is new.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    serving: Option<(Arc<Call>, Watch)>,
}

impl Tcp {
    pub(super) fn new(socket: Arc<TcpStream>, buffers: SmallBuffers, call: Option<Arc<Call>>) -> Self {
        let mut connection = Self {
            socket,
            buffers,
            read_timeout: None,
            write_timeout: None,
            serving: None,
        };
        if let Some(call) = call {
            connection.serve(call);
        }
        connection
    }

    fn serve(&mut self, call: Arc<Call>) {
        if self
            .serving
            .as_ref()
            .is_some_and(|(serving, _)| Arc::ptr_eq(serving, &call))
        {
            return;
        }
        // Weak, so that a connection that is dropped closes at once, whatever becomes of the signal.
        let socket = Arc::downgrade(&self.socket);
        let watch = call.cancel.watch(move || {
            if let Some(socket) = socket.upgrade() {
                // An error means that it is closed already.
                drop(socket.shutdown(Shutdown::Both));
            }
        });
        self.serving = Some((call, watch));
    }
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(call) = call::current() {
            self.serve(call);
        }
        let timeout = timeout.for_write();
        let left = left(timeout, Duration::ZERO)?;
        if left != self.write_timeout {
            self.socket.set_write_timeout(left)?;
            self.write_timeout = left;
        }
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        (&*self.socket)
            .write_all(output)
            .map_err(|error| failure(error, timeout))
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        if let Some(longest) = self.serving.as_ref().and_then(|(call, _)| call.per_read()) {
            timeout.per_read = Some(Until::Exact(longest));
        }
        let timeout = timeout.for_read();
        self.buffers.only_read();
        let started = Instant::now();
        let mut passed = Duration::ZERO;
        loop {
            let left = left(timeout, passed)?;
            if left != self.read_timeout {
                self.socket.set_read_timeout(left)?;
                self.read_timeout = left;
            }
            match (&*self.socket).read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => passed = started.elapsed(),
                Err(error) => return Err(failure(error, timeout)),
            }
        }
    }

    /// ureq asks before it puts a connection into the pool and again when it takes it out: in between no call may
    /// close it. A connection that has something to say without being asked is not open.
    fn is_open(&mut self) -> bool {
        self.serving = None;
        self.buffers.idle();
        let quiet = || {
            self.socket.set_nonblocking(true)?;
            let peeked = self.socket.peek(&mut [0]);
            self.socket.set_nonblocking(false)?;
            Ok::<_, io::Error>(matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock))
        };
        quiet().unwrap_or(false)
    }
}

/// What is left of a timeout; `None` when there is none.
fn left(timeout: NextTimeout, passed: Duration) -> Result<Option<Duration>, Error> {
    let Until::Exact(after) = timeout.after else {
        return Ok(None);
    };
    let left = after.saturating_sub(passed);
    if left.is_zero() {
        Err(Error::Timeout(timeout.reason))
    } else {
        Ok(Some(left))
    }
}

fn failure(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp")
            .field("peer", &self.socket.peer_addr().ok())
            .finish_non_exhaustive()
    }
}
