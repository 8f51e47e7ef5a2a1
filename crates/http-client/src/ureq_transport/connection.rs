use std::fmt;
use std::sync::{Arc, Weak};

use ureq::Error;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, Connector, NextTimeout, ShutdownHandle, TcpConnector, Transport,
};

use super::call::{self, Call};
use crate::Watch;

type Tcp = <TcpConnector as Connector<()>>::Out;

/// A TCP connection that the current call can close and whose reads keep its idle deadline.
pub(super) struct Watched {
    inner: Tcp,
    socket: Option<Weak<dyn ShutdownHandle>>,
    serving: Option<(Arc<Call>, Watch)>,
}

impl Watched {
    pub(super) fn new(inner: Tcp, socket: Option<Weak<dyn ShutdownHandle>>, call: Option<Arc<Call>>) -> Self {
        let mut watched = Self {
            inner,
            socket,
            serving: None,
        };
        if let Some(call) = call {
            watched.serve(call);
        }
        watched
    }

    fn serve(&mut self, call: Arc<Call>) {
        if self
            .serving
            .as_ref()
            .is_some_and(|(serving, _)| Arc::ptr_eq(serving, &call))
        {
            return;
        }
        let socket = self.socket.clone();
        let watch = call.cancel.watch(move || {
            if let Some(socket) = socket.as_ref().and_then(Weak::upgrade) {
                socket.shutdown();
            }
        });
        self.serving = Some((call, watch));
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(call) = call::current() {
            self.serve(call);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        if let Some(patience) = self.serving.as_ref().and_then(|(call, _)| call.patience()) {
            timeout.per_read = Some(Duration::Exact(patience));
        }
        self.inner.await_input(timeout)
    }

    /// ureq asks before it puts a connection into the pool and again when it takes it out: in between no call may
    /// close it.
    fn is_open(&mut self) -> bool {
        self.serving = None;
        self.inner.is_open()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// A connection, above TLS where there is any, that notes when a byte of an answer comes: what TLS says for itself,
/// as that it closes, is no answer.
#[derive(Debug)]
pub(super) struct Heard<T> {
    inner: T,
    serving: Option<Arc<Call>>,
}

impl<T> Heard<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, serving: None }
    }
}

impl<T: Transport> Transport for Heard<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(call) = call::current() {
            self.serving = Some(call);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let came = self.inner.await_input(timeout)?;
        if let Some(call) = self.serving.as_ref().filter(|_| came) {
            call.receive();
        }
        Ok(came)
    }

    fn is_open(&mut self) -> bool {
        self.serving = None;
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
