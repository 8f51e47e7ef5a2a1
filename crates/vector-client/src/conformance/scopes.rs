//! Whose chunks are seen.

use super::fixture::{chunk, document, embedding, hash, version};
use super::random::hostile_texts;
use super::store::Capabilities;
use super::subject::{EAST, NORTH, Subject, hybrid, texts, top};
use crate::{VectorQuery, VectorStore};

/// An index that was never written has no matches, no chunks, and comes into being by no question.
pub fn an_index_without_chunks_has_no_matches(store: &dyn VectorStore) {
    let nobody = Subject::emptied(store, "conformance-nobody");
    for _ in 0..2 {
        assert_eq!(nobody.by_embedding(&NORTH, 10), []);
        assert_eq!(nobody.count(), 0);
        assert_eq!(nobody.contents(), []);
        let reused = store.embeddings(nobody.index(), document(1), &[hash("apples")]);
        assert_eq!(reused.expect("answered").len(), 0);
        nobody.put(version(1, 1), &[]);
    }
}

/// Two tenants with equal document ids, versions and ordinals never see, replace or remove each other's chunks.
pub fn a_tenant_sees_its_own_chunks_alone(store: &dyn VectorStore) {
    let ours = Subject::emptied(store, "conformance-a");
    let theirs = Subject::emptied(store, "conformance-a-b");
    ours.put(version(1, 1), &[chunk(0, "our secret recipe", Some(&NORTH))]);
    let their_chunks = [
        chunk(0, "their secret recipe", Some(&NORTH)),
        chunk(1, "their secret plan", Some(&EAST)),
    ];
    theirs.put(version(1, 1), &their_chunks);
    assert_eq!(texts(&ours.all()), ["our secret recipe"]);
    assert_eq!(ours.count(), 1);
    ours.remove(version(1, 1));
    assert_eq!(ours.all(), []);
    assert_eq!(theirs.all().len(), 2);
    store.clear(ours.index()).expect("cleared");
    assert_eq!(theirs.all().len(), 2);
    assert_eq!(theirs.contents().len(), 1);
}

/// A tenant's generations are as far apart as two tenants.
pub fn a_generation_has_its_own_chunks(store: &dyn VectorStore) {
    let first = Subject::emptied(store, "conformance-generations");
    let second = Subject::generation(store, "conformance-generations", 2);
    let twelfth = Subject::generation(store, "conformance-generations", 12);
    first.put(version(1, 1), &[chunk(0, "old apples", Some(&NORTH))]);
    second.put(version(1, 1), &[chunk(0, "new apples", Some(&EAST))]);
    assert_eq!(texts(&first.all()), ["old apples"]);
    assert_eq!(texts(&second.all()), ["new apples"]);
    assert_eq!(twelfth.all(), []);
    second.remove(version(1, 1));
    assert_eq!((first.count(), second.count()), (1, 0));
    twelfth.put(version(1, 1), &[chunk(0, "newest apples", Some(&NORTH))]);
    store.clear(second.index()).expect("cleared");
    store.clear(first.index()).expect("cleared");
    assert_eq!(first.all(), []);
    assert_eq!(texts(&twelfth.all()), ["newest apples"]);
}

/// Quotes, operators, NUL, emoji, half a statement and 100 kB are words to search for: no failure, and no other tenant's
/// chunks.
pub fn hostile_text_is_words_and_nothing_else(store: &dyn VectorStore, capabilities: Capabilities) {
    let ours = Subject::emptied(store, "conformance-hostile");
    let theirs = Subject::emptied(store, "conformance-victim");
    let required = capabilities.embeddings_required;
    let values = required.then_some(NORTH.as_slice());
    theirs.put(version(1, 1), &[chunk(0, "victim's secret", values)]);
    ours.put(version(1, 1), &[chunk(0, "a harmless apple", values)]);
    let wanted = embedding(&NORTH);
    for text in hostile_texts() {
        let query = VectorQuery {
            embedding: required.then_some(&wanted),
            ..VectorQuery::words(&text, top(100))
        };
        let found = ours.search(query);
        let harmless = |text: &str| text == "a harmless apple";
        assert!(found.iter().all(|found| harmless(&found.chunk.text)), "{found:?}");
        assert_eq!(theirs.count(), 1);
    }
    // A service bounds what it keeps beside a vector, so the longest are searched for only.
    for (n, text) in (0..).zip(hostile_texts().iter().filter(|text| text.len() < 10_000)) {
        let mut hostile = chunk(n, text, Some(&NORTH));
        hostile.context.clone_from(text);
        hostile.chunk.headings = vec![text.clone(), String::new()];
        // U+0000 is refused at the edge of the service; a store need not keep it.
        if !text.contains('\0') {
            ours.put(version(2, 1), &[hostile.clone()]);
            let found = ours.search(hybrid(text, &wanted, 1_000));
            let stored = found
                .iter()
                .find(|found| found.of == version(2, 1) && found.chunk.ordinal == n);
            assert_eq!(stored.map(|found| &found.chunk), Some(&hostile.chunk));
        }
    }
    let found = theirs.search(hybrid("secret", &wanted, 1_000));
    assert_eq!(texts(&found), ["victim's secret"]);
}
