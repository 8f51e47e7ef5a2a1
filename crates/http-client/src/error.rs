use std::io::ErrorKind;
use std::time::Duration;

/// The cause of a failure that a caller cannot act on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a URL is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectedUrl {
    /// Neither `http` nor `https`, or without a host.
    #[error("the url is not http or https with a host")]
    Scheme,
    /// `http` where only `https` is allowed.
    #[error("the url is not https")]
    NotHttps,
    /// The URL carries a user name or a password.
    #[error("the url carries credentials")]
    Credentials,
    /// The host is not below the suffix that was asked for.
    #[error("the host does not belong to the service")]
    ForeignHost,
    /// It has characters that cannot stand in a request line.
    #[error("the url cannot be written in a request")]
    Malformed,
    /// The host resolves to a loopback, private, link-local or otherwise special address.
    #[error("the host has no public address")]
    NotPublic,
}

/// Why no answer came; an answer with a bad status is an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The request was not sent because of its URL.
    #[error("the url is refused")]
    Url(#[from] RejectedUrl),
    /// A header has characters that HTTP does not allow; its value is not repeated here.
    #[error("the header {0} has a value that cannot be sent")]
    Header(&'static str),
    /// The host was not found, refused the connection, or the connection broke before an answer.
    #[error("no connection")]
    Connect(#[source] BoxError),
    /// A deadline passed.
    #[error("no answer in time")]
    Timeout,
    /// The answer is larger than the request allows.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The request's limit in bytes.
        limit: u64,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The upstream failed again and again and is left alone for a while; nothing was sent. See [`crate::Breaking`].
    #[error("the upstream failed repeatedly and is left alone for a while")]
    CircuitOpen {
        /// How long until it may be asked again.
        retry_after: Duration,
    },
    /// The answer is not HTTP, or broke in the middle.
    #[error("the answer is broken")]
    Protocol(#[source] BoxError),
}

impl HttpError {
    /// The error that a body of a [`crate::StreamResponse`] carries; any other one means that the answer broke off.
    pub fn from_io(error: std::io::Error) -> Self {
        error
            .downcast::<Self>()
            .unwrap_or_else(|error| Self::Protocol(error.into()))
    }

    /// Whether the same request may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout | Self::Protocol(_) | Self::CircuitOpen { .. } => true,
            Self::Url(_) | Self::Header(_) | Self::TooLarge { .. } | Self::Cancelled => false,
        }
    }
}

impl From<HttpError> for std::io::Error {
    fn from(error: HttpError) -> Self {
        let kind = match &error {
            HttpError::Timeout => ErrorKind::TimedOut,
            HttpError::Cancelled => ErrorKind::ConnectionAborted,
            HttpError::Connect(_) | HttpError::CircuitOpen { .. } => ErrorKind::NotConnected,
            HttpError::TooLarge { .. } | HttpError::Protocol(_) => ErrorKind::InvalidData,
            HttpError::Url(_) | HttpError::Header(_) => ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
