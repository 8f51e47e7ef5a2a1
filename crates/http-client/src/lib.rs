#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod answer;
mod breaker;
mod cancel;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
mod headers;
mod memory;
mod message;
mod patience;
mod policy;
mod recorded;
mod retry;
mod sse;
#[cfg(any(test, feature = "testing"))]
mod stub;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use answer::{Answer, AnswerBody, Gate, Piece};
pub use breaker::{BreakerPolicy, Breaking, SystemTiming, Timing};
pub use cancel::{Cancel, Watch};
pub use error::{BoxError, HttpError, RejectedUrl};
pub use memory::MemoryTransport;
pub use message::{Deadlines, Header, Method, Request, Response, StreamResponse, Trust};
pub use patience::Patience;
pub use recorded::Recorded;
pub use retry::{Pacing, RetryPolicy, Retrying, SystemPacing};
pub use sse::{SseEvent, SseReader};
#[cfg(any(test, feature = "testing"))]
pub use stub::StubServer;
pub use transport::Transport;
#[cfg(feature = "ureq")]
pub use ureq_transport::UreqTransport;
