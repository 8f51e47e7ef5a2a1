#![doc = include_str!("../README.md")]

mod catalog;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod fusion;
mod hybrid;
mod matching;
mod memory;
#[cfg(feature = "pgvector")]
mod pgvector;
#[cfg(feature = "pinecone")]
mod pinecone;
mod records;
mod remote;
mod store;
mod terms;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use catalog::{IndexCatalog, IndexDescription, Metric};
#[cfg(feature = "embedded")]
pub use embedded::{EmbeddedOptions, EmbeddedVectorStore};
pub use error::VectorError;
pub use hybrid::HybridStore;
pub use matching::{matched_terms, word_overlap};
pub use memory::{MemoryIndexCatalog, MemoryRecordIndex, MemoryRemoteStores, MemoryVectorStore};
#[cfg(feature = "pgvector")]
pub use pgvector::{PgVectorOptions, PgVectorStore};
#[cfg(feature = "pinecone")]
pub use pinecone::{
    InvalidPineconeOption, PineconeCatalog, PineconeOptions, PineconeRecordIndex, PineconeStore,
    PineconeStores,
};
pub use records::{Record, RecordIndex, RecordQuery};
pub use remote::RemoteStores;
pub use store::{IndexedChunk, Match, StoredVersion, VectorQuery, VectorStore};
