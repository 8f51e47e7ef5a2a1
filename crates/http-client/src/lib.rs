#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cancel;
mod error;
mod message;
mod transport;

pub use cancel::Cancel;
pub use error::{BoxError, HttpError, RejectedUrl};
pub use message::{Deadlines, Header, Method, Request, Response, StreamResponse, Trust};
pub use transport::Transport;
