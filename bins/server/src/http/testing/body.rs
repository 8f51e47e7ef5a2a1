use std::future::poll_fn;
use std::pin::Pin;

use actix_web::body::MessageBody;
use actix_web::web::Bytes;

/// The next piece of an answer's body as it is written; `None` at its end.
pub(crate) async fn next(body: &mut (impl MessageBody + Unpin)) -> Option<Bytes> {
    let mut body = Pin::new(body);
    let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    piece.map(|piece| piece.ok().unwrap())
}

/// Reads until `wanted` was heard, and gives all that was.
pub(crate) async fn until(body: &mut (impl MessageBody + Unpin), wanted: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(wanted) {
        let piece = next(body).await;
        let piece = piece.unwrap_or_else(|| panic!("no {wanted:?} in {heard:?}"));
        heard.push_str(std::str::from_utf8(&piece).unwrap());
    }
    heard
}
