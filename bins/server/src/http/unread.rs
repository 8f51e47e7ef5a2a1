use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A request's body, kept until the answer is sent. Of a chunked body that is dropped before, actix-http reads on without
/// an end; of one that is still there and was not read to its end, it closes the connection.
pub(super) struct Unread(Option<Rc<RefCell<Payload>>>);

impl Unread {
    pub(super) fn keep(request: &mut ServiceRequest) -> Self {
        let payload = request.parts_mut().1.take();
        if matches!(payload, Payload::None) {
            return Self(None);
        }
        let payload = Rc::new(RefCell::new(payload));
        let shared: Pin<Box<dyn Stream<Item = _>>> = Box::pin(Shared(payload.clone()));
        request.set_payload(shared.into());
        Self(Some(payload))
    }

    pub(super) fn until_sent(self, response: HttpResponse) -> HttpResponse {
        match self.0 {
            Some(payload) => response.map_body(|_, body| {
                BoxBody::new(Sent {
                    body,
                    _unread: payload,
                })
            }),
            None => response,
        }
    }
}

struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Sent {
    body: BoxBody,
    _unread: Rc<RefCell<Payload>>,
}

impl MessageBody for Sent {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}
