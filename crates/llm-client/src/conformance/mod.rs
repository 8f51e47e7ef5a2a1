//! What every [`Embedder`](crate::Embedder), [`Reranker`](crate::Reranker), [`Completer`](crate::Completer) and
//! [`Providers`](crate::Providers) owes its callers, one function an obligation, each panicking where it is not kept.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken obligation is reported by a panic"
)]

mod completer;
mod embedder;
mod providers;
mod reranker;

pub use self::completer::{
    a_break_ends_the_answer, a_follow_up_is_rewritten_or_refused, a_prompt_without_passages_is_answered,
    a_raised_cancellation_ends_the_answer, an_answer_names_its_model, completer,
    every_kind_of_prompt_is_answered, nothing_is_left_of_an_answer, prompt, the_pieces_are_the_text,
};
pub use self::embedder::{
    all_embeddings_have_one_dimension, an_empty_text_is_refused, each_text_has_its_embedding_in_order,
    embedder, english_is_understood, many_texts_are_all_embedded, no_texts_give_no_embeddings,
    the_model_stays_the_same,
};
pub use self::providers::{
    an_address_that_is_not_allowed_is_refused, each_address_has_its_own_embeddings,
    each_address_is_answered_by_its_own_provider, providers,
};
pub use self::reranker::{
    an_empty_query_is_refused, each_passage_has_its_relevance_in_order, no_passages_have_no_relevance,
    reranker,
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Completer, ExtractiveCompleter, FailingCompleter, FallbackCompleter, LlmError, MemoryCompleter,
        MemoryEmbedder, MemoryProviders, MemoryReranker, ProviderAddress,
    };

    #[test]
    fn the_memory_embedder_conforms() {
        embedder(&MemoryEmbedder);
    }

    #[test]
    fn the_memory_reranker_conforms() {
        reranker(&MemoryReranker);
    }

    #[test]
    fn the_memory_completer_conforms() {
        completer(&MemoryCompleter::saying("Within 30 days [1]."));
        completer(&MemoryCompleter::saying("Within 30 days [1].").without_rewriting());
    }

    #[test]
    fn the_extractive_completer_conforms() {
        completer(&ExtractiveCompleter);
    }

    #[test]
    fn the_fallback_completer_conforms_by_its_first_model_and_by_a_later_one() {
        let memory = || -> Arc<dyn Completer> { Arc::new(MemoryCompleter::saying("Within 30 days [1].")) };
        let extractive = || -> Arc<dyn Completer> { Arc::new(ExtractiveCompleter) };
        let failing = || -> Arc<dyn Completer> {
            let down = || LlmError::Unavailable("scripted".into());
            Arc::new(FailingCompleter::at_once(down))
        };
        completer(&FallbackCompleter::new(memory(), vec![failing()]));
        completer(&FallbackCompleter::new(failing(), vec![memory()]));
        completer(&FallbackCompleter::new(
            failing(),
            vec![failing(), memory(), extractive()],
        ));
        completer(&FallbackCompleter::new(extractive(), Vec::new()));
        completer(&FallbackCompleter::new(extractive(), vec![memory()]));
    }

    #[test]
    fn the_memory_providers_conform() {
        let model = |text: &str| Arc::new(MemoryCompleter::saying(text));
        let subject = MemoryProviders::new()
            .with_completer("one.test", model("I am one.test."))
            .with_completer("other.test", model("I am other.test."))
            .with_embedder("one.test", Arc::new(MemoryEmbedder))
            .with_embedder("other.test", Arc::new(MemoryEmbedder));
        let address = |url: &str| ProviderAddress::of_tenant(url, None).unwrap();
        providers(
            &subject,
            &address("https://one.test/v1"),
            &address("https://other.test/v1"),
        );
        assert_eq!(subject.opened()[0].base_url, "https://one.test/v1");
        assert!(
            subject
                .opened()
                .iter()
                .all(|opened| opened.base_url.starts_with("https://"))
        );
    }
}
