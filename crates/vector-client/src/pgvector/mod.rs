//! Every tenant's chunks in the tenant's rows of one PostgreSQL: pgvector for embeddings, postings and BM25 for words.

mod connection;
mod dense;
mod facts;
mod fault;
mod filter;
mod graph;
mod guard;
mod lexical;
mod options;
mod passing;
mod read;
mod schema;
mod store;
mod vector;
mod words;
mod write;

pub use options::PgVectorOptions;
pub use store::PgVectorStore;
