//! What a handler may ask of a request. A handler reaches a tenant's data through `CurrentTenant`, which names the permission that
//! it needs, or `CurrentAdmin`, and the administration through `SuperUser` alone: each is made of a genuine credential, and its one
//! method runs a use case.

mod arrival;
mod bearer;
mod body;
mod caller;
mod document;
mod filter;
mod keeping;
mod metadata;
mod origin;
mod params;
mod permission;
mod request_id;
mod strict;
mod value;

pub(crate) use bearer::LoggedTenant;
pub(crate) use body::{Body, Form, present};
pub(crate) use caller::Resolved;
pub use caller::{Current, CurrentAdmin, CurrentTenant, CurrentUser, Proof, SuperUser};
pub(crate) use document::{NewDocument, NewDocumentForm, NewDocumentJson};
pub(crate) use filter::filter;
pub(crate) use origin::Anybody;
pub(crate) use params::{PageParams, Params, PathId, PathIds};
pub use permission::{Chat, Ingest, Needs, Search};
pub(crate) use request_id::RequestId;
pub(crate) use strict::explain;
pub(crate) use value::Json;

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{HttpRequest, error::PayloadError};
use futures_util::StreamExt;

use crate::error::{ApiError, Code};
use crate::limits::HttpSettings;

/// What was put into the application when it was built.
pub(crate) fn shared<T: 'static>(request: &HttpRequest) -> Result<Data<T>, ApiError> {
    let shared = request.app_data::<Data<T>>();
    shared
        .cloned()
        .ok_or_else(|| ApiError::new(Code::InternalError).because(std::any::type_name::<T>()))
}

/// The one value of a header; `None` when it is missing, repeated or not ASCII.
fn only(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The length of the body, where the request tells it.
fn declared(request: &HttpRequest) -> Option<usize> {
    only(request, header::CONTENT_LENGTH)?.parse().ok()
}

/// Refuses a compressed body, whose length tells nothing of what it becomes.
fn uncoded(request: &HttpRequest) -> Result<(), ApiError> {
    let coded = request.headers().get(header::CONTENT_ENCODING);
    if coded.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ApiError::new(Code::UnsupportedMediaType).saying("the body must not be compressed"));
    }
    Ok(())
}

/// Reads a body of at most `limit` bytes that arrives within the deadline.
async fn collect(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let declared = declared(request);
    if declared.is_some_and(|length| length > limit) {
        return Err(ApiError::new(Code::PayloadTooLarge));
    }
    uncoded(request)?;
    let deadline: Duration = shared::<HttpSettings>(request)?.body_deadline;
    let reading = async move {
        let mut body = BytesMut::with_capacity(declared.unwrap_or(0));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(broken)?;
            if body.len() + chunk.len() > limit {
                return Err(ApiError::new(Code::PayloadTooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let read = tokio::time::timeout(deadline, reading).await;
    read.unwrap_or_else(|_| Err(ApiError::new(Code::RequestTimeout)))
}

fn broken(error: PayloadError) -> ApiError {
    ApiError::new(Code::BadRequest)
        .saying("the body broke off or is malformed")
        .because(error)
}
