#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "formats")]
mod charset;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(feature = "formats")]
mod detect;
mod error;
mod extractor;
#[cfg(feature = "formats")]
mod formats;
#[cfg(feature = "formats")]
mod in_process;
#[cfg(feature = "formats")]
mod input;
mod limits;
#[cfg(feature = "formats")]
mod markdown;
mod memory;
#[cfg(feature = "formats")]
mod out;
#[cfg(feature = "formats")]
mod package;
#[cfg(all(unix, feature = "sandbox"))]
pub mod sandbox;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(feature = "formats")]
mod xml;

pub use error::{Bound, ExtractError};
pub use extractor::{Extracted, Extractor, FileHint, Piece, Sink};
#[cfg(feature = "formats")]
pub use in_process::InProcessExtractor;
pub use limits::Limits;
pub use memory::MemoryExtractor;
#[cfg(all(unix, feature = "sandbox"))]
pub use sandbox::{ProcessExtractor, ProcessLimits};
