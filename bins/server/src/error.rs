//! The one error of the HTTP layer: a status, a stable code, a sentence, and a cause for the log alone.

mod accounts;
mod code;
mod from;
mod openai;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use tenantry_domain::BoxError;
use utoipa::ToSchema;

pub(crate) use code::Code;
pub(crate) use openai::{Dialect, OpenAiErrorBody};

/// After how many seconds a client may try again when nobody says otherwise.
const RETRY_AFTER: u64 = 2;
/// The longest that a client is asked to wait, whatever an upstream says.
const MAX_RETRY_AFTER: u64 = 300;

/// Why a request was not served. What the client is told of it is the code and the sentence; the cause stays here.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    sentence: Cow<'static, str>,
    about: Option<Box<str>>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    source: Option<BoxError>,
}

impl ApiError {
    pub(crate) fn new(code: Code) -> Self {
        Self {
            code,
            sentence: Cow::Borrowed(code.sentence()),
            about: None,
            header: None,
            source: None,
        }
    }

    /// With a sentence that says more; it is shown to the client, so it never holds what an upstream sent, and of what the client
    /// sent at most the names of keys.
    pub(crate) fn saying(mut self, sentence: impl Into<Cow<'static, str>>) -> Self {
        self.sentence = sentence.into();
        self
    }

    /// With the name of what the client sent that it is about.
    pub(crate) fn with_about(mut self, about: &str) -> Self {
        self.about = Some(about.into());
        self
    }

    /// With its cause, for the log.
    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn retry_after(self, wait: Option<Duration>) -> Self {
        match wait {
            Some(wait) => {
                let seconds = wait.as_millis().div_ceil(1_000);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                self.with(header::RETRY_AFTER, seconds.clamp(1, MAX_RETRY_AFTER).into())
            }
            None => self,
        }
    }

    /// For somebody who has to wait that long, however long it is.
    pub(crate) fn wait(self, wait: Duration) -> Self {
        let seconds = u64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        self.with(header::RETRY_AFTER, seconds.max(1).into())
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// For a question that names a conversation which is not the caller's, or none at all.
    pub(crate) fn unknown_conversation() -> Self {
        Self::not_found().saying("`conversation_id` is none of your conversations")
    }

    /// The address takes only `allowed`.
    pub(crate) fn method_not_allowed(allowed: HeaderValue) -> Self {
        Self::new(Code::MethodNotAllowed).with(header::ALLOW, allowed)
    }

    /// Whether there is nothing of that id.
    pub(crate) fn is_not_found(&self) -> bool {
        self.code == Code::NotFound
    }

    /// What went wrong.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The name of what the client sent that it is about, where that is known.
    pub(crate) fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// What the client is told.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody::new(self.code, &self.sentence, request_id)
    }

    /// Writes a failure of ours to the log, with its whole chain of causes; a client's mistake is not logged.
    pub(crate) fn report(&self, request_id: &str, tenant: Option<&str>) {
        let is_failure = !matches!(self.code, Code::Cancelled | Code::ShuttingDown);
        if self.code.status().is_server_error() && is_failure {
            let (code, tenant) = (self.code.as_str(), tenant.unwrap_or("-"));
            log::error!(
                "{code}: {chain} request_id={request_id} tenant={tenant}",
                chain = self.chain()
            );
        }
    }

    fn chain(&self) -> String {
        let mut chain = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        // A cause may quote an upstream: no line of it may pass for one of ours.
        chain.replace(char::is_control, " ")
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| {
            let source: &(dyn Error + 'static) = source;
            source
        })
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// The answer without a request id; `http::app` puts it in, and logs the error, because it alone knows the id.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        if let Some(header) = &self.header {
            response.insert_header((header.0.clone(), header.1.clone()));
        }
        response.json(self.body(""))
    }
}

/// Every error answer of the API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// A stable name to match on.
    #[schema(example = "not_found")]
    code: &'static str,
    /// A sentence for people; it may change.
    #[schema(example = "there is nothing at this address")]
    message: String,
    /// The request, as the server's log names it.
    request_id: String,
}

impl ErrorBody {
    pub(crate) fn new(code: Code, message: &str, request_id: &str) -> Self {
        Self {
            error: ErrorDetail {
                code: code.as_str(),
                message: message.to_owned(),
                request_id: request_id.to_owned(),
            },
        }
    }
}

/// The methods of an address as its `Allow` header lists them.
pub(crate) fn allow(methods: &[Method]) -> HeaderValue {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
