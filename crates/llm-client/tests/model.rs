//! What holds with the trained model, which `scripts/test-local-model` fetches for the tests.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use tenantry_domain::{Dimension, Embedding};
use tenantry_llm_client::{Embedder, LocalEmbedder, conformance};

#[expect(
    clippy::disallowed_methods,
    reason = "who runs the suite says where the model is"
)]
fn open() -> LocalEmbedder {
    let folder = std::env::var_os("TEST_MODEL_DIR").map(PathBuf::from);
    assert!(
        folder.is_some(),
        "TEST_MODEL_DIR is not set: run scripts/test-local-model"
    );
    LocalEmbedder::open(&folder.unwrap()).unwrap()
}

fn model() -> &'static LocalEmbedder {
    static MODEL: OnceLock<LocalEmbedder> = OnceLock::new();
    MODEL.get_or_init(open)
}

fn check_understood(text: &str, expected: bool) {
    assert_eq!(model().understands(text), expected, "{text:?}");
}

#[test]
fn the_embedder_conforms() {
    conformance::embedder(model());
}

#[test]
fn the_fetched_model_has_the_plain_name() {
    let identity = model().identity();
    assert_eq!(identity.provider, "local");
    assert_eq!(identity.name, "all-MiniLM-L6-v2");
    assert_eq!(identity.dimension, Dimension::new(384).ok());
}

/// `recorded.json` holds what onnxruntime 1.32 and tokenizers 0.23 make of our own texts, with the same two files.
#[test]
fn tokens_and_vectors_are_those_of_the_reference() {
    let model = model();
    let recorded: Vec<Value> = serde_json::from_str(include_str!("model/recorded.json")).unwrap();
    let mut vectors = 0;
    for case in &recorded {
        let times = usize::try_from(case["times"].as_u64().unwrap()).unwrap();
        let text = case["text"].as_str().unwrap().repeat(times);
        let embedded = model.embed(&[&text]).unwrap();
        // What stands beyond the model's length is not read.
        let read = case["tokens"].as_u64().map(|tokens| tokens.min(256));
        assert_eq!(embedded.tokens, read, "{text:?}");
        if case["vector"].is_null() {
            continue;
        }
        let expected: Vec<f32> = serde_json::from_value(case["vector"].clone()).unwrap();
        let cosine = embedded
            .embeddings
            .first()
            .unwrap()
            .cosine(&Embedding::new(expected).unwrap());
        assert!(cosine.unwrap() > 0.999, "{cosine:?} for {text:?}");
        vectors += 1;
    }
    assert_eq!(vectors, 6);
}

#[test]
fn a_text_has_one_vector_whatever_stands_beside_it_and_whoever_asks() {
    let model = model();
    let alone = model.embed(&["refunds take a month"]).unwrap();
    let long = "ships leave on monday ".repeat(60);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let both = model.embed(&[&long, "refunds take a month"]).unwrap();
                assert_eq!(both.embeddings.last(), alone.embeddings.first());
            });
        }
    });
}

#[test]
fn what_means_the_same_is_near() {
    let texts = [
        "How do I get my money back?",
        "Refunds are paid within thirty days.",
        "The office is closed on Sundays.",
    ];
    let embeddings = model().embed(&texts).unwrap().embeddings;
    let [question, answer, other] = embeddings.try_into().unwrap();
    assert!(question.cosine(&answer) > question.cosine(&other));
}

#[test]
fn english_queries_are_understood() {
    for query in include_str!("model/english.txt").lines() {
        check_understood(query, true);
    }
}

/// A miss here is a search that goes on by words alone, which rare words find best.
#[test]
fn an_english_query_without_a_common_word_may_be_left_to_lexical_search() {
    check_understood("bronchoalveolar lavage eosinophils", false);
    check_understood("photosynthesis chlorophyll", false);
    check_understood("myocardial infarction", false);
    check_understood("troubleshoot dishwasher E24", false);
}

#[test]
fn queries_in_other_languages_are_not_understood() {
    for query in include_str!("model/foreign.txt").lines() {
        check_understood(query, false);
    }
}

/// Nothing tells one word from a rare English one, nor short words that English has, too.
#[test]
fn a_foreign_query_that_looks_like_english_passes() {
    check_understood("Datenschutz", true);
    check_understood("jam buka toko", true);
}

#[test]
fn code_is_understood_where_it_reads_as_english_and_identifiers_are_not() {
    check_understood("SELECT name FROM users WHERE is_active", true);
    check_understood("NullPointerException at line 42", true);
    check_understood("what is ORD-2024-00012345", true);
    check_understood("ORD-2024-00012345", false);
    check_understood("550e8400-e29b-41d4-a716-446655440000", false);
    check_understood("4006381333931", false);
}
