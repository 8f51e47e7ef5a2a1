use std::sync::Arc;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::call::{self, Call};

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
