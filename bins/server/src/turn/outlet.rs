use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::future::{Either, select};
use tenantry_domain::Cancellation;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::course::Broken;
use super::halt::Halt;
use super::{Encoding, Phases};

/// Where a turn puts what it has for its client.
pub(crate) struct Outlet<T: Phases> {
    halt: Halt,
    /// `None` when the answer is given in one piece.
    stream: Option<Stream<T>>,
}

/// The turn's end of a stream of events.
pub(super) struct Stream<T: Phases> {
    pub(super) encoding: Box<dyn Encoding<T>>,
    /// `None` once nobody takes anything any more.
    pub(super) pieces: Option<mpsc::Sender<Bytes>>,
    pub(super) end: Option<oneshot::Sender<Bytes>>,
    /// Where the reader's side is driven.
    pub(super) runtime: Handle,
    pub(super) stall_deadline: Duration,
    pub(super) request_id: String,
}

impl<T: Phases> Outlet<T> {
    pub(super) fn new(halt: Halt, stream: Option<Stream<T>>) -> Self {
        Self { halt, stream }
    }

    /// Raised when the turn is to stop.
    pub(crate) fn cancellation(&self) -> &Cancellation {
        self.halt.cancellation()
    }

    /// Passes a part on, and waits for a reader who is behind; breaks when the turn is to stop. Once the client has left a turn
    /// that is to be finished, the parts are dropped.
    pub(crate) fn send(&mut self, part: T::Part<'_>) -> ControlFlow<()> {
        if self.halt.is_raised() {
            return ControlFlow::Break(());
        }
        let Some(Stream {
            encoding,
            pieces: Some(pieces),
            ..
        }) = &mut self.stream
        else {
            return ControlFlow::Continue(());
        };
        let events = encoding.part(part);
        if events.is_empty() {
            return ControlFlow::Continue(());
        }
        match pieces.try_send(events) {
            Ok(()) => ControlFlow::Continue(()),
            Err(TrySendError::Full(events)) => self.send_slowly(events),
            Err(TrySendError::Closed(_)) => self.nobody_reads(),
        }
    }

    fn send_slowly(&mut self, events: Bytes) -> ControlFlow<()> {
        let Some(Stream {
            pieces: Some(pieces),
            runtime,
            stall_deadline,
            ..
        }) = &self.stream
        else {
            return ControlFlow::Continue(());
        };
        let sending = async {
            let sending = pin!(timeout(*stall_deadline, pieces.send(events)));
            match select(sending, pin!(self.halt.raised())).await {
                Either::Left((sent, _)) => matches!(sent, Ok(Ok(()))),
                Either::Right(_) => true,
            }
        };
        if !runtime.block_on(sending) {
            return self.nobody_reads();
        }
        self.go_on()
    }

    /// A reader who takes nothing for so long has left too.
    fn nobody_reads(&mut self) -> ControlFlow<()> {
        if let Some(stream) = &mut self.stream {
            stream.pieces = None;
        }
        self.halt.left();
        self.go_on()
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.halt.is_raised() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Sends the one terminal event, when this is a stream.
    pub(super) fn end(&mut self, answer: Result<T::Answer, Broken<T::Answer>>) {
        let Some(stream) = &mut self.stream else { return };
        // The events that wait come before it.
        stream.pieces = None;
        let event = match answer {
            Ok(answer) => stream.encoding.end(answer),
            Err(Broken { error, kept }) => stream.encoding.error(&error, &stream.request_id, kept),
        };
        if let Some(end) = stream.end.take() {
            // A client that has left needs no last event.
            let _ = end.send(event);
        }
    }
}
