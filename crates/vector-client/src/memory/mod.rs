//! Implementations that keep everything in memory, for tests and for trying things.

mod bm25;
mod catalog;
mod store;

pub use catalog::MemoryIndexCatalog;
pub use store::MemoryVectorStore;
