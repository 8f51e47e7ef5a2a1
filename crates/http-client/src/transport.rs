use std::sync::Arc;

use crate::{Cancel, HttpError, Request, Response, StreamResponse};

/// Sends requests to upstreams under Tenantry's limits: no redirects, no proxy from the environment, every
/// deadline kept, bodies bounded, hosts checked right before sending.
///
/// # Examples
/// ```
/// use tenantry_http_client::{HttpError, Method, Request, Transport, Trust};
///
/// /// Whether an upstream of the operator is up.
/// fn is_up(transport: &dyn Transport, url: url::Url) -> Result<bool, HttpError> {
///     Ok(transport.send(&Request::new(Method::Get, url, Trust::Operator))?.is_success())
/// }
/// ```
pub trait Transport: Send + Sync {
    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// When no whole answer came; see [`HttpError`]. A status of 400 or above is an answer, not an error.
    fn send(&self, request: &Request) -> Result<Response, HttpError>;

    /// Sends `request` and returns as soon as the answer's head is there. Raising `cancel` closes the socket, before
    /// the head and while the body is read.
    ///
    /// # Errors
    /// When no head came; see [`HttpError`].
    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.as_ref().send(request)
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        self.as_ref().stream(request, cancel)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.as_ref().send(request)
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        self.as_ref().stream(request, cancel)
    }
}
