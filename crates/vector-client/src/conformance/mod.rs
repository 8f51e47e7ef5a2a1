//! What every implementation of the crate's traits promises, as one function per promise; each panics when it is broken.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken promise ends the test that checks it"
)]

mod catalog;
mod fixture;
mod remote;
mod store;

pub use catalog::{
    CatalogFixture, a_refused_key_is_unauthorized, an_index_is_found_by_its_name, an_unknown_index_is_none,
    every_index_is_listed, index_catalog,
};
pub use fixture::{chunk, document, embedding, scope};
pub use remote::{
    remote_stores, what_cannot_be_a_key_or_a_host_is_refused, what_is_stored_is_found_through_another_opening,
};
pub use store::{
    Capabilities, a_match_carries_the_chunk_as_it_was_stored, a_search_of_another_dimension_is_refused,
    a_tenant_sees_its_own_chunks_alone, a_tenant_without_chunks_has_no_matches,
    at_most_limit_matches_come_best_first, chinese_and_japanese_are_found_by_parts_of_a_clause,
    clearing_forgets_everything_and_the_dimension_too, embeddings_of_another_dimension_are_refused,
    hostile_text_is_words_and_nothing_else, removing_a_document_removes_all_of_it_and_nothing_else,
    removing_what_is_not_there_is_no_failure, ties_are_broken_by_document_and_ordinal, vector_store,
    without_embeddings_chunks_are_found_by_their_words, writing_a_chunk_again_replaces_it,
};
