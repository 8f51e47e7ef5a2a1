//! Answers that come piece by piece, as server-sent events (WHATWG HTML, section 9.2).

mod feed;

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream};
use serde::Serialize;
use tenantry_domain::{Cancellation, TenantScope};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep, timeout};

pub(crate) use feed::{Feeder, feed};

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::{CurrentTenant, RequestId};
use crate::limits::HttpSettings;
use crate::offload::Class;

/// How many events may wait for a slow reader before the work waits too.
const WAITING: usize = 16;
/// How many bytes are put together into one write.
const MAX_WRITE: usize = 64 * 1_024;
/// What goes out first, together with the answer's head.
const OPENING: &[u8] = b": open\n\n";
/// What shows that the answer lives.
const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// An event of that name; its data is one line of JSON.
pub(crate) fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

enum Piece {
    Event(Bytes),
    /// The one terminal event.
    End(Bytes),
}

/// The worker's end of an answer stream.
pub(crate) struct Outlet {
    pieces: mpsc::Sender<Piece>,
    opened: Option<oneshot::Sender<()>>,
    cancellation: Cancellation,
    runtime: Handle,
    stall_deadline: Duration,
    request_id: String,
}

impl Outlet {
    /// Begins the answer: from here on a failure is an event and no longer a status.
    pub(crate) fn open(&mut self) {
        if let Some(opened) = self.opened.take() {
            // Nobody listens when the client has gone, which the first event will tell.
            let _ = opened.send(());
        }
    }

    /// Raised when the client has gone.
    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Sends an event; breaks when the client has gone or takes nothing for too long.
    pub(crate) fn send(&self, event: Bytes) -> ControlFlow<()> {
        self.pass(Piece::Event(event))
    }

    fn pass(&self, piece: Piece) -> ControlFlow<()> {
        if self.cancellation.is_cancelled() {
            return ControlFlow::Break(());
        }
        let piece = match self.pieces.try_send(piece) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => return ControlFlow::Break(()),
            Err(TrySendError::Full(piece)) => piece,
        };
        let sending = timeout(self.stall_deadline, self.pieces.send(piece));
        if let Ok(Ok(())) = self.runtime.block_on(sending) {
            return ControlFlow::Continue(());
        }
        self.cancellation.cancel();
        ControlFlow::Break(())
    }

    /// Ends the answer with its last event, or with an error; before the beginning the error is given back.
    fn finish(self, end: Result<Bytes, ApiError>, scope: &TenantScope) -> Result<(), ApiError> {
        let end = match end {
            Err(error) if self.opened.is_some() => return Err(error),
            Err(error) => {
                error.report(&self.request_id, Some(scope.id().as_str()));
                event("error", &error.body(&self.request_id))
            }
            Ok(end) => end,
        };
        // A client that has gone needs no last event.
        let _ = self.pass(Piece::End(end));
        Ok(())
    }
}

/// Runs `work` for the tenant and streams what it sends. `work` opens the outlet once the request is sound; the answer's
/// head and a first comment go out at that moment. It gives the terminal event.
///
/// # Errors
/// When the tenant may not be used, no permit is free, or `work` fails before it opens the outlet.
pub(crate) async fn respond(
    tenant: CurrentTenant,
    settings: &HttpSettings,
    request_id: &RequestId,
    work: impl FnOnce(&App, &TenantScope, &mut Outlet) -> Result<Bytes, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let (pieces, waiting) = mpsc::channel(WAITING);
    let (opened, opening) = oneshot::channel();
    let gone = Gone(Cancellation::new());
    let mut outlet = Outlet {
        pieces,
        opened: Some(opened),
        cancellation: gone.0.clone(),
        runtime: Handle::current(),
        stall_deadline: settings.stall_deadline,
        request_id: request_id.to_string(),
    };
    let running = tenant.run(Class::Upstream, move |app, scope| {
        let end = work(app, scope, &mut outlet);
        outlet.finish(end, scope)
    });
    match select(pin!(running), opening).await {
        // Once open, the work goes on by itself and is not waited for.
        Either::Right((Ok(()), _)) => {}
        Either::Right((Err(_), running)) => running.await?,
        Either::Left((ended, _)) => ended?,
    }
    let events = Events {
        waiting,
        heartbeat: Box::pin(sleep(settings.heartbeat)),
        every: settings.heartbeat,
        state: State::New,
        request_id: request_id.to_string(),
        _gone: gone,
    };
    Ok(answer(events))
}

/// The answer whose body those events are.
fn answer(events: impl Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CONNECTION, "keep-alive"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events)
}

/// Raises the cancellation when it is dropped, that is, when the client has gone or the answer is complete.
struct Gone(Cancellation);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Ended,
}

/// The body of an answer stream.
struct Events {
    waiting: mpsc::Receiver<Piece>,
    heartbeat: Pin<Box<Sleep>>,
    every: Duration,
    state: State,
    request_id: String,
    _gone: Gone,
}

impl Events {
    /// Everything that is ready now, in one piece.
    fn ready(&mut self, cx: &mut Context<'_>) -> BytesMut {
        let mut write = BytesMut::new();
        if self.state == State::New {
            write.extend_from_slice(OPENING);
            self.state = State::Open;
        }
        while self.state == State::Open && write.len() < MAX_WRITE {
            match self.waiting.poll_recv(cx) {
                Poll::Ready(Some(Piece::Event(event))) => write.extend_from_slice(&event),
                Poll::Ready(Some(Piece::End(event))) => {
                    write.extend_from_slice(&event);
                    self.state = State::Ended;
                }
                // The work ended without a word: it panicked.
                Poll::Ready(None) => {
                    let error = ApiError::new(Code::InternalError);
                    error.report(&self.request_id, None);
                    write.extend_from_slice(&event("error", &error.body(&self.request_id)));
                    self.state = State::Ended;
                }
                Poll::Pending => break,
            }
        }
        write
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
            write.extend_from_slice(HEARTBEAT);
        }
        let next = Instant::now() + self.every;
        self.heartbeat.as_mut().reset(next);
        Poll::Ready(Some(Ok(write.freeze())))
    }
}
