use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tenantry_domain::RequestOrigin;
use tenantry_retrieval::Client;

use super::{RequestId, shared};
use crate::error::ApiError;
use crate::limits::HttpSettings;

/// Whom each proxy was asked by, as all of them write it.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from: its id, and the address of its client.
pub(crate) fn origin(request: &HttpRequest) -> RequestOrigin {
    let id = request.extensions().get::<RequestId>().map(RequestId::to_string);
    let peer = request.peer_addr().map(|peer| peer.ip());
    let settings = shared::<HttpSettings>(request).ok();
    let address = peer.zip(settings).map(|(peer, settings)| {
        let lines = request.headers().get_all(FORWARDED_FOR);
        // A line that is no text is one that no proxy has written: it ends the chain.
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
        settings.trusted_proxies.client(peer, lines.into_iter())
    });
    RequestOrigin { request: id, address }
}

/// Somebody who need not be known: where the request comes from, and what the program calls itself.
#[derive(Debug)]
pub(crate) struct Anybody(pub(crate) Client);

impl FromRequest for Anybody {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.headers().get(header::USER_AGENT);
        let name = name.and_then(|name| name.to_str().ok()).map(str::to_owned);
        let origin = origin(request);
        ready(Ok(Self(Client { origin, name })))
    }
}
