use std::fmt;
use std::io::Read;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::headers::{header, retry_after};
use crate::{HttpError, Patience};

/// The methods that Tenantry's upstreams know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// The method as it stands in the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Who chose a URL, and so how far it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The operator set it in the environment: `http` and private addresses are allowed.
    Operator,
    /// A tenant or an upstream chose it: `https` only, and the address that is connected to must be public.
    Public {
        /// The host must be this domain or lie below it, as `pinecone.io`; `None` allows any host.
        domain: Option<String>,
    },
}

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the answer's head is there.
    pub first_byte: Duration,
    /// Between two reads of the body.
    pub idle: Duration,
    /// For all of it.
    pub total: Duration,
}

impl Default for Deadlines {
    /// 3 s to connect, 30 s to the first byte, 30 s between bytes, 300 s in total.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            total: Duration::from_mins(5),
        }
    }
}

/// A header's value.
#[derive(Debug, Clone)]
pub enum Header {
    /// May be logged.
    Plain(String),
    /// Must not be logged; sent after the prefix, as `Bearer `.
    Secret {
        /// What stands before the secret.
        prefix: &'static str,
        /// The secret.
        value: SecretString,
    },
}

impl Header {
    /// What is sent, the secret included.
    pub(crate) fn expose(&self) -> String {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Secret { prefix, value } => format!("{prefix}{}", value.expose_secret()),
        }
    }
}

/// One call to an upstream. `Debug` shows neither headers, query, user info nor the body.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL with its query.
    pub url: Url,
    /// Who chose the URL.
    pub trust: Trust,
    /// Headers by lower-case name.
    pub headers: Vec<(&'static str, Header)>,
    /// A JSON body; `None` sends none.
    pub body: Option<Vec<u8>>,
    /// Whether sending it twice does no harm, so that it may be sent again when no answer came.
    pub idempotent: bool,
    /// How long it may take.
    pub deadlines: Deadlines,
    /// Whether that is less than the upstream may well need, so that a timeout says nothing of it.
    pub hurried: bool,
    /// The largest answer in bytes, after which [`crate::HttpError::TooLarge`] ends it.
    pub max_answer: u64,
}

impl Request {
    /// The largest answer unless the caller says otherwise: 8 MiB.
    pub const DEFAULT_MAX_ANSWER: u64 = 8 << 20;

    /// A call without headers and body, under the default limits; `GET` and `DELETE` count as idempotent.
    pub fn new(method: Method, url: Url, trust: Trust) -> Self {
        Self {
            method,
            url,
            trust,
            headers: Vec::new(),
            body: None,
            idempotent: !matches!(method, Method::Post),
            deadlines: Deadlines::default(),
            hurried: false,
            max_answer: Self::DEFAULT_MAX_ANSWER,
        }
    }

    /// Adds a header that may be logged.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Header::Plain(value.into())));
        self
    }

    /// Adds a header that carries a secret.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, prefix: &'static str, value: SecretString) -> Self {
        self.headers.push((name, Header::Secret { prefix, value }));
        self
    }

    /// Marks a `POST` that does no harm when it is sent twice, as a query or an upsert.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sets how long the call may take.
    #[must_use]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Marks a call whose deadlines are shorter than the upstream may well need.
    #[must_use]
    pub fn hurried(mut self) -> Self {
        self.hurried = true;
        self
    }

    /// Sets the largest answer in bytes.
    #[must_use]
    pub fn max_answer(mut self, bytes: u64) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Sets the JSON body and its content type.
    ///
    /// # Errors
    /// When `body` cannot be written as JSON.
    pub fn json(mut self, body: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        self.body = Some(serde_json::to_vec(body)?);
        Ok(self.header("content-type", "application/json"))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// A whole answer, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers by lower-case name; values that are not visible ASCII are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// How long the upstream asks to wait before the next request, by `retry-after-ms` or `retry-after`.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// Whether the status is 200 to 299; a redirect is a failure.
    pub fn is_success(&self) -> bool {
        is_success(self.status)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer whose body is read while it comes.
pub struct StreamResponse {
    /// The status code.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body, under the request's idle and total deadlines and its size limit; what ends it early is an
    /// [`std::io::Error`] that carries an [`crate::HttpError`].
    pub body: Box<dyn Read + Send>,
    /// Bounds the reads of the body further while it is read.
    pub patience: Patience,
}

impl StreamResponse {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether the status is 200 to 299; a redirect is a failure.
    pub fn is_success(&self) -> bool {
        is_success(self.status)
    }

    /// Reads the rest, as of a refusal whose text is wanted.
    ///
    /// # Errors
    /// When the body breaks off, does not come in time, or is too large.
    pub fn whole(mut self) -> Result<Response, HttpError> {
        let mut body = Vec::new();
        self.body.read_to_end(&mut body).map_err(HttpError::from_io)?;
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
        })
    }
}

impl fmt::Debug for StreamResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamResponse")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}
