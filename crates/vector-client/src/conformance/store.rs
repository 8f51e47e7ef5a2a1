use super::{filtering, reading, scopes, searching, writing};
use crate::VectorStore;

/// What kind of store is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it finds chunks by their words.
    pub lexical: bool,
    /// Whether every chunk must have an embedding, always of three numbers here.
    pub embeddings_required: bool,
}

impl Capabilities {
    /// It finds by words and by embedding, and takes chunks that have only words.
    pub const HYBRID: Self = Self {
        lexical: true,
        embeddings_required: false,
    };
    /// It finds by embedding alone.
    pub const DENSE: Self = Self {
        lexical: false,
        embeddings_required: true,
    };
}

/// Checks every promise of [`VectorStore`] but isolation under random calls, with tenants of the suite's own, which it
/// clears first.
pub fn vector_store(store: &dyn VectorStore, capabilities: Capabilities) {
    scopes::an_index_without_chunks_has_no_matches(store);
    scopes::a_tenant_sees_its_own_chunks_alone(store);
    scopes::a_generation_has_its_own_chunks(store);
    scopes::hostile_text_is_words_and_nothing_else(store, capabilities);

    writing::writing_a_chunk_again_replaces_it(store);
    writing::versions_of_a_document_stand_beside_each_other(store);
    writing::removing_a_document_removes_all_of_it_and_nothing_else(store);
    writing::removing_keeps_the_version_to_keep(store);
    writing::removing_what_is_not_there_is_no_failure(store);
    writing::clearing_forgets_everything_and_the_dimension_too(store, capabilities);
    writing::embeddings_of_another_dimension_are_refused(store);

    searching::a_match_carries_the_chunk_as_it_was_stored(store);
    searching::at_most_limit_matches_come_best_first(store);
    searching::ties_are_broken_by_version_and_ordinal(store);
    searching::a_score_tells_its_ranks_and_lies_between_0_and_1(store, capabilities);
    searching::a_match_brings_its_embedding_where_asked_for(store);
    searching::a_search_of_another_dimension_is_refused(store);
    searching::without_embeddings_chunks_are_found_by_their_words(store, capabilities);
    if capabilities.lexical {
        searching::weights_say_which_ranking_counts(store);
        searching::the_context_is_searched_with_the_chunk(store);
        searching::chinese_and_japanese_are_found_by_parts_of_a_clause(store);
    }

    filtering::every_operator_lets_through_what_it_matches(store, capabilities);
    filtering::random_filters_let_through_what_they_match(store, capabilities, 1);
    filtering::a_filter_finds_the_one_among_many(store, capabilities);
    filtering::the_largest_filter_is_answered(store, capabilities);
    filtering::metadata_is_the_version_s_own(store);

    reading::embeddings_are_found_by_hash_in_any_version(store);
    reading::embeddings_are_the_document_s_own(store);
    reading::contents_are_every_version_with_its_chunks(store, capabilities);
}
