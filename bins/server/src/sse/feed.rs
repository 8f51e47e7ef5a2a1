use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, BytesMut};
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{FutureExt, Stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

use super::{HEARTBEAT, OPENING, WAITING, answer, event};
use crate::error::{ApiError, Code};
use crate::extract::RequestId;
use crate::limits::HttpSettings;
use crate::offload::Offload;

/// Where the work behind a feed puts its events.
#[derive(Debug)]
pub(crate) struct Feeder(mpsc::Sender<Bytes>);

impl Feeder {
    /// Sends an event, and waits for as long as the reader is behind.
    pub(crate) async fn send(&self, event: Bytes) {
        // The receiver is dropped together with whoever sends.
        let _ = self.0.send(event).await;
    }
}

/// Streams the events of `work`, which gives the terminal one. The work is done while the answer is read and is dropped with it:
/// nothing runs on for a reader who has gone, and nothing is looked up for one who is behind. It ends early when the server stops.
pub(crate) fn feed<W, F>(
    offload: &Offload,
    settings: &HttpSettings,
    request_id: &RequestId,
    work: W,
) -> HttpResponse
where
    W: FnOnce(Feeder) -> F,
    F: Future<Output = Result<Bytes, ApiError>> + 'static,
{
    let (events, waiting) = mpsc::channel(WAITING);
    let (working, underway) = (work(Feeder(events)), offload.underway().clone());
    let working = async move {
        match select(pin!(working), pin!(underway.stopping())).await {
            Either::Left((end, _)) => end,
            Either::Right(_) => Err(ApiError::new(Code::ShuttingDown)),
        }
    };
    answer(Feed {
        work: Some(working.boxed_local()),
        waiting,
        heartbeat: Box::pin(sleep(settings.heartbeat)),
        every: settings.heartbeat,
        is_open: false,
        request_id: request_id.to_string(),
    })
}

/// The body of such an answer.
struct Feed {
    /// `None` once it has ended.
    work: Option<LocalBoxFuture<'static, Result<Bytes, ApiError>>>,
    waiting: mpsc::Receiver<Bytes>,
    heartbeat: Pin<Box<Sleep>>,
    every: Duration,
    is_open: bool,
    request_id: String,
}

impl Feed {
    /// Everything that is ready now, in one piece.
    fn ready(&mut self, cx: &mut Context<'_>) -> BytesMut {
        let mut write = BytesMut::new();
        if !self.is_open {
            write.extend_from_slice(OPENING);
            self.is_open = true;
        }
        let ended = self.work.as_mut().map(|work| work.poll_unpin(cx));
        while let Poll::Ready(Some(event)) = self.waiting.poll_recv(cx) {
            write.extend_from_slice(&event);
        }
        if let Some(Poll::Ready(end)) = ended {
            write.extend_from_slice(&self.terminal(end));
            self.work = None;
        }
        write
    }

    fn terminal(&self, end: Result<Bytes, ApiError>) -> Bytes {
        end.unwrap_or_else(|error| {
            error.report(&self.request_id, None);
            event("error", &error.body(&self.request_id))
        })
    }
}

impl Stream for Feed {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.work.is_none() {
            return Poll::Ready(None);
        }
        let mut write = self.ready(cx);
        if write.is_empty() {
            if self.heartbeat.poll_unpin(cx).is_pending() {
                return Poll::Pending;
            }
            write.extend_from_slice(HEARTBEAT);
        }
        let next = Instant::now() + self.every;
        self.heartbeat.as_mut().reset(next);
        Poll::Ready(Some(Ok(write.freeze())))
    }
}
