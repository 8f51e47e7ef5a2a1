//! From a bad answer to what the caller can act on.
//!
//! Pinecone's control plane says `{"status":404,"error":{"code":"NOT_FOUND","message":".."}}`, its data plane
//! `{"code":5,"message":"..","details":[]}` (a gRPC status), a refused key may be plain text, and a gateway before it
//! answers in HTML.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tenantry_http_client::Response;

use crate::VectorError;

/// The gRPC status for what is not there (<https://grpc.io/docs/guides/status-codes/>).
const NOT_FOUND: u64 = 5;

/// The longest message that is kept, in characters.
const MAX_MESSAGE: usize = 300;

/// What Pinecone said; for logs, never for clients.
#[derive(Debug, thiserror::Error)]
#[error("pinecone answered {status}: {message} (request id {request_id})")]
struct PineconeError {
    status: u16,
    message: String,
    request_id: String,
}

/// What an answer of status 300 or above means.
pub(super) fn of(response: &Response, api_key: &SecretString) -> VectorError {
    let request_id = response
        .header("x-pinecone-request-id")
        .or_else(|| response.header("x-request-id"));
    let said = PineconeError {
        status: response.status,
        message: printable(&message(response), api_key),
        request_id: printable(request_id.unwrap_or("none"), api_key),
    };
    let source = said.into();
    match response.status {
        401 | 403 => VectorError::Unauthorized(source),
        404 => VectorError::UnknownIndex(source),
        429 => VectorError::RateLimited {
            retry_after: response.retry_after(),
            source,
        },
        408 | 500.. => VectorError::Unavailable(source),
        _ => VectorError::Refused(source),
    }
}

/// Whether the answer says that the namespace was never written, or was deleted; a host that does not know the index
/// answers 404 in another form.
pub(super) fn is_missing_namespace(response: &Response) -> bool {
    let body = body(response);
    response.status == 404
        && (body.get("code").and_then(Value::as_u64) == Some(NOT_FOUND)
            || body.pointer("/error/code").and_then(Value::as_str) == Some("NOT_FOUND"))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn message(response: &Response) -> String {
    let body = body(response);
    let known = ["/error/message", "/message", "/detail", "/description", "/error"];
    match known.iter().find_map(|place| body.pointer(place)?.as_str()) {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(&response.body).into_owned(),
    }
}

/// At most [`MAX_MESSAGE`] characters in one line, without the key where an answer repeats it.
fn printable(text: &str, api_key: &SecretString) -> String {
    let text = text.replace(api_key.expose_secret(), "[api key]");
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect::<String>()
        .trim()
        .to_owned()
}
