use std::fmt;
use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderName;

/// Names one request in its answer and in the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Rc<str>);

impl RequestId {
    /// The header that carries a request id in and out.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// The id that the client or a proxy chose, when it is harmless in a log; else a new one.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let given = request
            .headers()
            .get(Self::HEADER)
            .and_then(|id| id.to_str().ok());
        let sane = |id: &&str| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        Self(given.filter(sane).map_or_else(Self::random, Rc::from))
    }

    fn random() -> Rc<str> {
        let mut bytes = [0; 16];
        // Without random numbers a request still has an id, only not its own.
        let _ = getrandom::fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes)).into()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
