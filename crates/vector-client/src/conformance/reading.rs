//! What the store tells of its contents.

use std::collections::HashMap;

use tenantry_domain::{ChunkHash, DocumentId, Embedding};

use super::fixture::{chunk, document, embedding, hash, version};
use super::store::Capabilities;
use super::subject::{EAST, NORTH, Subject, UP};
use crate::{StoredVersion, VectorStore};

/// A hash that any of the document's versions has brings its embedding; one that none has is left out.
pub fn embeddings_are_found_by_hash_in_any_version(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-reuse");
    subject.put(
        version(1, 1),
        &[chunk(0, "apples", Some(&NORTH)), chunk(1, "pears", Some(&EAST))],
    );
    subject.put(
        version(1, 2),
        &[chunk(7, "plums", Some(&UP)), chunk(8, "pears", Some(&EAST))],
    );
    let asked = ["apples", "pears", "plums", "nuts"].map(hash);
    let found = reused(&subject, document(1), &asked);
    assert_eq!(found.len(), 3);
    for (text, values) in [("apples", NORTH), ("pears", EAST), ("plums", UP)] {
        let cosine = found[&hash(text)]
            .cosine(&embedding(&values))
            .expect("of one dimension");
        assert!(cosine > 0.999_9, "{text}: {cosine}");
    }
    assert_eq!(reused(&subject, document(1), &asked[3..]).len(), 0);
    assert_eq!(reused(&subject, document(1), &[]).len(), 0);
    subject.put(version(1, 2), &[chunk(7, "nuts", Some(&UP))]);
    store
        .remove(subject.index(), document(1), Some(2))
        .expect("removed");
    let mut left: Vec<_> = reused(&subject, document(1), &asked).into_keys().collect();
    left.sort_unstable();
    let mut expected = vec![hash("nuts"), hash("pears")];
    expected.sort_unstable();
    assert_eq!(left, expected);
}

/// No other document's, generation's or tenant's embeddings are given, whatever the hash.
pub fn embeddings_are_the_document_s_own(store: &dyn VectorStore) {
    let ours = Subject::emptied(store, "conformance-reuse-ours");
    let next = Subject::generation(store, "conformance-reuse-ours", 2);
    let theirs = Subject::emptied(store, "conformance-reuse-theirs");
    ours.put(version(2, 1), &[chunk(0, "apples", Some(&NORTH))]);
    next.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    theirs.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    assert_eq!(reused(&ours, document(1), &[hash("apples")]).len(), 0);
    assert_eq!(reused(&ours, document(2), &[hash("apples")]).len(), 1);
}

/// Each version is told once, in order, with its chunks and how many of them have an embedding.
pub fn contents_are_every_version_with_its_chunks(store: &dyn VectorStore, capabilities: Capabilities) {
    let subject = Subject::emptied(store, "conformance-contents");
    let many: Vec<_> = (0..120).map(|n| chunk(n, "apples", Some(&NORTH))).collect();
    subject.put(version(2, 10), &many);
    subject.put(version(2, 9), &many[..3]);
    subject.put(version(1, 1), &many[..2]);
    subject.put(version(1, 1), &many[1..4]);
    let stored = |of, chunks, embedded| StoredVersion { of, chunks, embedded };
    let mut expected = vec![
        stored(version(1, 1), 4, 4),
        stored(version(2, 9), 3, 3),
        stored(version(2, 10), 120, 120),
    ];
    assert_eq!(subject.contents(), expected);
    assert_eq!(subject.count(), 127);
    if !capabilities.embeddings_required {
        subject.put(
            version(1, 1),
            &[chunk(0, "apples", None), chunk(4, "apples", None)],
        );
        subject.put(version(3, 1), &[chunk(0, "apples", None)]);
        expected[0] = stored(version(1, 1), 5, 3);
        expected.push(stored(version(3, 1), 1, 0));
        assert_eq!(subject.contents(), expected);
        assert_eq!(reused(&subject, document(3), &[hash("apples")]).len(), 0);
        subject.remove(version(3, 1));
        expected.pop();
    }
    subject.remove(version(2, 9));
    expected.truncate(1);
    assert_eq!(subject.contents(), expected);
}

fn reused(
    subject: &Subject<'_>,
    document: DocumentId,
    hashes: &[ChunkHash],
) -> HashMap<ChunkHash, Embedding> {
    let answer = subject.store.embeddings(subject.index(), document, hashes);
    answer.expect("answered")
}
