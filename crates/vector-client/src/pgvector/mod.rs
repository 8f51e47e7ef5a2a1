//! Every tenant's chunks in the tenant's rows of one PostgreSQL: pgvector for embeddings, postings and BM25 for words.
//!
//! The tables are this store's own and not among the migrations of the records, which must run on servers without pgvector.
//!
//! Words are looked up in a table of postings. A `tsvector` under a GIN index is smaller, but its operator `@@` is not
//! leakproof, and under row-level security PostgreSQL uses no index for such a one
//! (<https://www.postgresql.org/docs/current/rules-privileges.html>): every search would read every chunk. Measured on
//! PostgreSQL 18.4 and one core of a shared machine, 100,000 chunks of 80 words of one tenant: BM25 over the 20,000 postings
//! of six words 43 ms; a posting takes about 160 bytes with its key.
//!
//! Embeddings of small indexes are compared one by one through the key of the table: 10,000 of 384 numbers in 13 ms, and
//! exactly. Large ones have a graph, of which [`graph`] says more.

mod builder;
mod connection;
mod dense;
mod erase;
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
mod stored;
mod vector;
mod words;
mod write;

pub use options::PgVectorOptions;
pub use store::PgVectorStore;
