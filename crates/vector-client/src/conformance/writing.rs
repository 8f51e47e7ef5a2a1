//! What stands in an index after it was written.

use tenantry_domain::Metadata;

use super::fixture::{chunk, embedding, version};
use super::store::Capabilities;
use super::subject::{EAST, NORTH, Subject, hybrid, texts};
use crate::{VectorError, VectorStore};

/// A chunk of the same version and ordinal takes the place of the one before, in every ranking.
pub fn writing_a_chunk_again_replaces_it(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-replace");
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    for _ in 0..3 {
        subject.put(version(1, 1), &[chunk(0, "bananas", Some(&EAST))]);
    }
    assert_eq!(subject.count(), 1);
    let found = subject.search(hybrid("apples bananas", &embedding(&EAST), 10));
    assert_eq!(texts(&found), ["bananas"]);
    assert!(found[0].score.dense.is_some_and(|cosine| cosine > 0.9));
    let found = subject.search(hybrid("apples", &embedding(&NORTH), 10));
    let new = |text: &str| text == "bananas";
    assert!(
        found
            .iter()
            .all(|found| new(&found.chunk.text) && found.score.lexical.is_none()),
        "{found:?}"
    );
}

/// Versions of one document do not replace each other's chunks, and each match names its own.
pub fn versions_of_a_document_stand_beside_each_other(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-versions");
    for n in [2, 1, u32::MAX] {
        subject.put(version(1, n), &[chunk(0, &format!("apples {n}"), Some(&NORTH))]);
    }
    assert_eq!(subject.count(), 3);
    let found = subject.all();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.of, found.chunk.text.as_str()))
        .collect();
    let expected = [
        (version(1, 1), "apples 1"),
        (version(1, 2), "apples 2"),
        (version(1, u32::MAX), "apples 4294967295"),
    ];
    assert_eq!(found, expected);
}

/// All chunks of all versions of a document go, however many there are, and no other document's.
pub fn removing_a_document_removes_all_of_it_and_nothing_else(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-remove");
    let many: Vec<_> = (0..250).map(|n| chunk(n, "apples", Some(&NORTH))).collect();
    subject.put(version(1, 1), &many);
    subject.put(version(1, 2), &many[..1]);
    subject.put(version(2, 1), &many[..1]);
    assert_eq!(subject.count(), 252);
    subject.remove(version(1, 1));
    let left = subject.search(hybrid("apples", &embedding(&NORTH), 1_000));
    assert_eq!(
        left.iter().map(|found| found.of).collect::<Vec<_>>(),
        [version(2, 1)]
    );
    assert_eq!(subject.count(), 1);
}

/// Of a document's versions the one to keep stays whole; when it was never written, none stays.
pub fn removing_keeps_the_version_to_keep(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-keep");
    let two = [chunk(0, "apples", Some(&NORTH)), chunk(1, "pears", Some(&EAST))];
    for of in [version(1, 1), version(1, 2), version(1, 10), version(2, 1)] {
        subject.put(of, &two);
    }
    let remove = |keep| {
        let removed = store.remove(subject.index(), version(1, 1).document, Some(keep));
        removed.expect("removed");
    };
    let left = || {
        subject
            .contents()
            .iter()
            .map(|stored| (stored.of, stored.chunks))
            .collect::<Vec<_>>()
    };
    remove(2);
    assert_eq!(left(), [(version(1, 2), 2), (version(2, 1), 2)]);
    assert_eq!(subject.all().len(), 4);
    remove(1);
    assert_eq!(left(), [(version(2, 1), 2)]);
}

/// Removing and clearing twice, or where nothing was written, is success.
pub fn removing_what_is_not_there_is_no_failure(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-idempotent");
    for _ in 0..2 {
        store.clear(subject.index()).expect("cleared");
        subject.remove(version(1, 1));
    }
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    for _ in 0..2 {
        subject.remove(version(1, 1));
        subject.remove(version(9, 1));
    }
    assert_eq!(subject.all(), []);
}

/// After clearing nothing is found, and where the store has no fixed dimension another one may be written.
pub fn clearing_forgets_everything_and_the_dimension_too(
    store: &dyn VectorStore,
    capabilities: Capabilities,
) {
    let subject = Subject::emptied(store, "conformance-clear");
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    store.clear(subject.index()).expect("cleared");
    assert_eq!(subject.all(), []);
    assert_eq!((subject.count(), subject.contents()), (0, Vec::new()));
    if !capabilities.embeddings_required {
        subject.put(version(1, 1), &[chunk(0, "pears", Some(&[1.0, 0.0]))]);
        assert_eq!(texts(&subject.by_embedding(&[1.0, 0.0], 10)), ["pears"]);
        store.clear(subject.index()).expect("cleared");
    }
    subject.put(version(1, 1), &[chunk(0, "plums", Some(&NORTH))]);
    assert_eq!(texts(&subject.all()), ["plums"]);
}

/// Embeddings of another dimension are refused by name of both, and nothing of the call is stored.
pub fn embeddings_of_another_dimension_are_refused(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-dimension");
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    let mixed = [
        chunk(0, "pears", Some(&EAST)),
        chunk(1, "plums", Some(&[1.0, 2.0])),
    ];
    let refused = store.upsert(subject.index(), version(2, 1), &Metadata::default(), &mixed);
    assert_mismatch(&refused.expect_err("another dimension is refused"));
    let found = subject.search(hybrid("pears plums", &embedding(&NORTH), 10));
    assert_eq!(texts(&found), ["apples"]);
}

pub(super) fn assert_mismatch(error: &VectorError) {
    let VectorError::DimensionMismatch { expected, actual } = error else {
        panic!("{error:?}")
    };
    assert_eq!((expected.get(), actual.get()), (3, 2));
}
