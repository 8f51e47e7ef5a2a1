//! Pinecone over its REST API (<https://docs.pinecone.io/reference/api>): one index may serve many tenants, each in the
//! namespace of its id.

mod batch;
mod catalog;
mod fault;
mod options;
mod record;
mod store;
mod stores;
#[cfg(test)]
mod tests;
mod upstream;
mod wire;

pub use catalog::PineconeCatalog;
pub use options::{InvalidPineconeOption, PineconeOptions};
pub use store::PineconeStore;
pub use stores::PineconeStores;
