//! Pinecone over its REST API (<https://docs.pinecone.io/reference/api>): one index may serve many tenants, each in
//! namespaces that begin with its id.

mod batch;
mod catalog;
mod external;
mod fault;
mod filter;
mod index;
mod listing;
mod metadata;
mod nearest;
mod options;
mod record;
mod store;
mod stores;
#[cfg(test)]
mod tests;
mod upstream;
mod wire;

pub use catalog::PineconeCatalog;
pub use external::PineconeRecordIndex;
pub use options::{InvalidPineconeOption, PineconeOptions};
pub use store::PineconeStore;
pub use stores::PineconeStores;
