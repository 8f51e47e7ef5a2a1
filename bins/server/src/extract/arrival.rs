use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{FutureExt, Stream};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::HttpSettings;

/// A body that is read as it comes: so long at most, and fast enough to have an end.
pub(super) struct Arriving {
    payload: Payload,
    left: usize,
    until: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl Arriving {
    /// At most `limit` bytes of `payload`, the first ones within `deadline`.
    pub(super) fn new(payload: Payload, limit: usize, deadline: Duration) -> Self {
        let until = Instant::now() + deadline;
        Self {
            payload,
            left: limit,
            until,
            deadline: Box::pin(sleep_until(until)),
        }
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes, PayloadError> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(PayloadError::Overflow)?;
        self.until += time_for(bytes.len());
        Ok(bytes)
    }
}

/// How much longer a body may take because of that many bytes.
fn time_for(bytes: usize) -> Duration {
    Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / HttpSettings::SLOWEST_UPLOAD
}

/// Whether a body broke off because it did not arrive in time.
pub(super) fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

impl Stream for Arriving {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.payload).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(self.count(bytes))),
            Poll::Ready(other) => Poll::Ready(other),
            Poll::Pending => {
                let until = self.until;
                if self.deadline.deadline() != until {
                    self.deadline.as_mut().reset(until);
                }
                self.deadline.poll_unpin(cx).map(|()| {
                    let late = io::Error::from(io::ErrorKind::TimedOut);
                    Some(Err(PayloadError::Io(late)))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_more_time_the_longer_it_is() {
        assert_eq!(time_for(0), Duration::ZERO);
        assert_eq!(time_for(64 << 10), Duration::from_millis(500));
        assert_eq!(time_for(32 << 20), Duration::from_secs(256));
    }
}
