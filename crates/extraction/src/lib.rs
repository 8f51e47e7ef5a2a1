#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
mod extractor;
mod limits;
mod memory;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use error::{Bound, ExtractError};
pub use extractor::{Extracted, Extractor, FileHint, Piece, Sink};
pub use limits::Limits;
pub use memory::MemoryExtractor;
