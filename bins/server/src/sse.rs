//! Answers that come piece by piece, as server-sent events (WHATWG HTML, section 9.2).

mod feed;

use std::convert::Infallible;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;
use serde::Serialize;

pub(crate) use feed::{Feeder, feed};

/// How many events may wait for a slow reader before the work waits too: more than what comes from a model in one piece.
pub(crate) const WAITING: usize = 64;
/// What goes out first, together with the answer's head.
pub(crate) const OPENING: &[u8] = b": open\n\n";
/// What shows that the answer lives.
pub(crate) const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// An event of that name; its data is one line of JSON.
pub(crate) fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// An event without a name, as the API of `OpenAI` has them; its data is one line of JSON.
pub(crate) fn data(data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("data: {data}\n\n").into()
}

/// The answer whose body those events are.
pub(crate) fn answer(events: impl Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CONNECTION, "keep-alive"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events)
}
