use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::web::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep};

use super::halt::Gone;
use crate::sse::{HEARTBEAT, OPENING};

/// How many bytes are put together into one write.
const MAX_WRITE: usize = 64 * 1_024;

/// The body of a streamed answer.
pub(super) struct Events {
    waiting: mpsc::Receiver<Bytes>,
    end: oneshot::Receiver<Bytes>,
    /// The terminal event of a turn that ends without one.
    failure: Bytes,
    heartbeat: Pin<Box<Sleep>>,
    every: Duration,
    state: State,
    _gone: Gone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Ended,
}

impl Events {
    pub(super) fn new(
        waiting: mpsc::Receiver<Bytes>,
        end: oneshot::Receiver<Bytes>,
        failure: Bytes,
        every: Duration,
        gone: Gone,
    ) -> Self {
        Self {
            waiting,
            end,
            failure,
            heartbeat: Box::pin(sleep(every)),
            every,
            state: State::New,
            _gone: gone,
        }
    }

    /// Everything that is ready now, in one piece.
    fn ready(&mut self, cx: &mut Context<'_>) -> Bytes {
        let mut write = BytesMut::new();
        if self.state == State::New {
            write.extend_from_slice(OPENING);
            self.state = State::Open;
        }
        while self.state == State::Open && write.len() < MAX_WRITE {
            match self.waiting.poll_recv(cx) {
                Poll::Ready(Some(events)) => write.extend_from_slice(&events),
                Poll::Ready(None) => {
                    let Poll::Ready(end) = self.end.poll_unpin(cx) else {
                        break;
                    };
                    write.extend_from_slice(end.as_ref().unwrap_or(&self.failure));
                    self.state = State::Ended;
                }
                Poll::Pending => break,
            }
        }
        write.freeze()
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        let mut write = self.ready(cx);
        if write.is_empty() {
            if self.heartbeat.poll_unpin(cx).is_pending() {
                return Poll::Pending;
            }
            write = Bytes::from_static(HEARTBEAT);
        }
        let next = Instant::now() + self.every;
        self.heartbeat.as_mut().reset(next);
        Poll::Ready(Some(Ok(write)))
    }
}
