//! What every implementation of the crate's traits promises, as one function per promise; each panics when it is broken.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken promise ends the test that checks it"
)]

mod catalog;
pub mod filtering;
mod fixture;
mod isolation;
mod random;
pub mod reading;
mod records;
mod remote;
pub mod scopes;
pub mod searching;
mod store;
mod subject;
pub mod writing;

pub use catalog::{
    CatalogFixture, a_refused_key_is_unauthorized, an_index_is_found_by_its_name, an_unknown_index_is_none,
    every_index_is_listed, index_catalog,
};
pub use fixture::{chunk, document, embedding, hash, metadata, scope, version};
pub use isolation::isolation;
pub use random::Random;
pub use records::{
    ForeignRecord, a_filter_on_records_lets_through_what_it_matches, a_record_without_text_is_left_out,
    a_search_of_records_by_another_dimension_is_refused, foreign_index, foreign_records,
    only_records_of_the_namespace_are_found, record_index, records_bring_embeddings_where_asked_for,
    records_come_best_first_and_at_most_limit, title_and_page_are_the_record_s_own,
};
pub use remote::{
    opening_for_reading_changes_nothing, remote_stores, what_cannot_be_a_key_or_a_host_is_refused,
    what_is_stored_is_found_through_another_opening,
};
pub use store::{Capabilities, vector_store};
