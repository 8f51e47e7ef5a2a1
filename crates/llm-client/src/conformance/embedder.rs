use tenantry_domain::Embedding;

use crate::{Embedder, LlmError};

/// Runs every obligation of an [`Embedder`].
pub fn embedder(subject: &dyn Embedder) {
    no_texts_give_no_embeddings(subject);
    an_empty_text_is_refused(subject);
    each_text_has_its_embedding_in_order(subject);
    many_texts_are_all_embedded(subject);
    all_embeddings_have_one_dimension(subject);
    the_model_stays_the_same(subject);
    english_is_understood(subject);
}

/// No texts give no embeddings.
pub fn no_texts_give_no_embeddings(subject: &dyn Embedder) {
    assert_eq!(embed(subject, &[]), []);
}

/// An empty text is refused, also among others.
pub fn an_empty_text_is_refused(subject: &dyn Embedder) {
    for texts in [&[""][..], &["a", "", "b"]] {
        assert!(
            matches!(subject.embed(texts), Err(LlmError::Refused(_))),
            "{texts:?} was not refused"
        );
    }
}

/// Embeddings stand in the order of their texts, and a text has the same one wherever it stands.
pub fn each_text_has_its_embedding_in_order(subject: &dyn Embedder) {
    let both = embed(subject, &["refunds take a month", "ships leave on monday"]);
    let swapped = embed(subject, &["ships leave on monday", "refunds take a month"]);
    let [first, second] = both.as_slice() else {
        panic!("two texts gave {} embeddings", both.len())
    };
    let [other, one] = swapped.as_slice() else {
        panic!("two texts gave {} embeddings", swapped.len())
    };
    let near = |a: &Embedding, b: &Embedding| a.cosine(b).is_some_and(|cosine| cosine > 0.999);
    assert!(
        near(first, one) && near(second, other),
        "the order of the texts is lost"
    );
    assert!(!near(first, second), "different texts have one embedding");
}

/// More texts than one request of any provider takes are embedded all the same.
pub fn many_texts_are_all_embedded(subject: &dyn Embedder) {
    let texts = (0..600).map(|n| format!("text number {n}")).collect::<Vec<_>>();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(embed(subject, &texts).len(), texts.len());
}

/// All embeddings have one dimension, the one that was named before.
pub fn all_embeddings_have_one_dimension(subject: &dyn Embedder) {
    let named = subject.identity().dimension;
    let embeddings = embed(
        subject,
        &["a", "a much longer text with many more words in it", "日本語"],
    );
    let first = embeddings
        .first()
        .expect("three texts have embeddings")
        .dimension();
    assert!(embeddings.iter().all(|embedding| embedding.dimension() == first));
    assert!(
        named.is_none_or(|named| named == first),
        "the dimension is not the one that was named"
    );
}

/// The model is named, and is the same one before a call and after it; only its dimension may be learned.
pub fn the_model_stays_the_same(subject: &dyn Embedder) {
    let before = subject.identity();
    assert!(!before.provider.is_empty() && !before.name.is_empty());
    embed(subject, &["a"]);
    let after = subject.identity();
    assert!(
        after.is_same_space(&before),
        "{before} became {after} by embedding"
    );
}

/// A plain English sentence and a plain English word are understood.
pub fn english_is_understood(subject: &dyn Embedder) {
    for text in ["How long do refunds take?", "refunds"] {
        assert!(subject.understands(text), "{text:?} is not understood");
    }
}

pub(super) fn embed(subject: &dyn Embedder, texts: &[&str]) -> Vec<Embedding> {
    subject.embed(texts).expect("embeddings").embeddings
}
