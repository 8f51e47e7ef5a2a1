//! One SQLite file per index of a tenant: FTS5 for words, sqlite-vec for embeddings.
//!
//! Embeddings are kept twice: as sketches of one bit per number, which a flat scan compares by their differing bits, and
//! whole, to rank the nearest [`EmbeddedOptions::rescored`] exactly. Measured on one core of a shared 2-core machine,
//! 100,000 embeddings of 384 numbers, the best 50: sqlite-vec's `vec0` table 68 ms, `vec_distance_cosine` over a plain
//! column 92 ms, sketches with 2,000 rescored 21 ms. Of the exact best 10 of 20,000 paragraphs under all-MiniLM-L6-v2,
//! 2,000 rescored kept all and 400 kept 99.7 % (of the best 50: 99.9 % and 97.2 %). Plain tables also replace and delete
//! rows like any other table, and indexes of up to `rescored` chunks are searched exactly.
//!
//! Filters choose versions by their attributes, and both rankings go through the chunks of these alone. Measured as above with
//! ten chunks a version: where 90 %, 10 % and 1 % pass, the nearest take 33, 12 and 4 ms, and 24 ms without a filter; the
//! most relevant by words 22, 8 and 6 ms, and 8 ms without.

mod connection;
mod extension;
mod fault;
mod files;
mod filter;
mod load;
mod options;
mod read;
mod schema;
mod store;
mod tenant_file;
#[cfg(test)]
mod tests;
mod vectors;
mod write;

pub use options::EmbeddedOptions;
pub use store::EmbeddedVectorStore;
