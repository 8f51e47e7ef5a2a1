use actix_web::{HttpMessage, HttpRequest};
use tenantry_domain::RequestOrigin;

use super::RequestId;

/// Where a request comes from: its id, and the address of its client.
pub(crate) fn origin(request: &HttpRequest) -> RequestOrigin {
    let id = request.extensions().get::<RequestId>().map(RequestId::to_string);
    RequestOrigin {
        request: id,
        address: request.peer_addr().map(|peer| peer.ip().to_canonical()),
    }
}
