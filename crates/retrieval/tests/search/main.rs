//! Searches and answers on documents that were put into the stores chunk by chunk.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod answers;
mod external;
mod isolation;
mod library;
mod search;
