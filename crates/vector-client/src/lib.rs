#![doc = include_str!("../README.md")]

mod catalog;
mod error;
mod store;

pub use catalog::{IndexCatalog, IndexDescription, Metric};
pub use error::VectorError;
pub use store::{IndexedChunk, Match, VectorQuery, VectorStore};
