use std::io::{self, Read};
use std::sync::Arc;

use ureq::BodyReader;

use super::call::Call;
use crate::{HttpError, Patience};

/// The body of an answer under its size limit, whose errors are ours.
pub(super) struct Body {
    reader: BodyReader<'static>,
    expected: usize,
    call: Arc<Call>,
}

impl Body {
    /// # Errors
    /// When the answer names a length above `limit`.
    pub(super) fn new(body: ureq::Body, limit: u64, call: Arc<Call>) -> Result<Self, HttpError> {
        let expected = body.content_length().unwrap_or_default();
        if expected > limit {
            return Err(HttpError::TooLarge { limit });
        }
        // A length is a claim: memory is set aside for a modest one only.
        let expected = usize::try_from(expected.min(1 << 16)).unwrap_or_default();
        Ok(Self {
            reader: body.into_with_config().limit(limit).reader(),
            expected,
            call,
        })
    }

    /// What bounds its reads besides the deadlines of the request.
    pub(super) fn patience(&self) -> Patience {
        self.call.patience.clone()
    }

    /// How many bytes to set aside for it.
    pub(super) fn expected(&self) -> usize {
        self.expected
    }
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Also where the rest has come already; and a body that ends with its connection looks whole when the socket
        // was closed by the signal.
        let read = self.reader.read(buf);
        if self.call.cancel.is_cancelled() {
            return Err(HttpError::Cancelled.into());
        }
        read.map_err(|error| self.call.explain(error.into()).into())
    }
}
