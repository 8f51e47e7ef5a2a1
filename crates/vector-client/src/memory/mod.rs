//! Implementations that keep everything in memory, for tests and for trying things.

mod bm25;
mod catalog;
mod records;
mod remote;
mod store;

pub use catalog::MemoryIndexCatalog;
pub use records::MemoryRecordIndex;
pub use remote::MemoryRemoteStores;
pub use store::MemoryVectorStore;
