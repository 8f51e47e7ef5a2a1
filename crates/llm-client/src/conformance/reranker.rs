use crate::{LlmError, Reranker};

/// Runs every obligation of a [`Reranker`].
pub fn reranker(subject: &dyn Reranker) {
    no_passages_have_no_relevance(subject);
    an_empty_query_is_refused(subject);
    each_passage_has_its_relevance_in_order(subject);
}

/// No passages have no relevance.
pub fn no_passages_have_no_relevance(subject: &dyn Reranker) {
    assert!(!subject.model().is_empty());
    assert!(rerank(subject, "query", &[]).is_empty());
}

/// An empty query is refused, with passages and without.
pub fn an_empty_query_is_refused(subject: &dyn Reranker) {
    for passages in [&[][..], &["a"]] {
        assert!(
            matches!(subject.rerank("", passages), Err(LlmError::Refused(_))),
            "{passages:?} were ranked by nothing"
        );
    }
}

/// The relevance of a passage stands where the passage does, wherever that is; one that repeats the query has the most.
pub fn each_passage_has_its_relevance_in_order(subject: &dyn Reranker) {
    let passages = ["ships leave on monday", "refunds take a month", "the cat sleeps"];
    for at in 0..passages.len() {
        let mut passages = passages;
        passages.swap(1, at);
        let relevance = rerank(subject, "refunds take a month", &passages);
        assert_eq!(relevance.len(), passages.len());
        assert!(relevance.iter().all(|relevance| relevance.is_finite()));
        let best = relevance
            .iter()
            .enumerate()
            .max_by(|one, other| one.1.total_cmp(other.1));
        assert_eq!(best.map(|(at, _)| at), Some(at), "{relevance:?} of {passages:?}");
    }
}

fn rerank(subject: &dyn Reranker, query: &str, passages: &[&str]) -> Vec<f32> {
    subject.rerank(query, passages).expect("a relevance each")
}
