use tenantry_domain::{Dimension, Embedding, TenantScope, TopK};

use super::fixture::{chunk, document, embedding, scope};
use crate::{IndexedChunk, Match, VectorError, VectorQuery, VectorStore};

/// What kind of store is checked.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// Whether it finds chunks by their words; one that does not needs embeddings, always of three numbers here.
    pub lexical: bool,
}

/// Checks every promise of [`VectorStore`], with tenants of the suite's own, which it clears first.
pub fn vector_store(store: &dyn VectorStore, capabilities: Capabilities) {
    a_tenant_without_chunks_has_no_matches(store);
    a_match_carries_the_chunk_as_it_was_stored(store);
    a_tenant_sees_its_own_chunks_alone(store);
    writing_a_chunk_again_replaces_it(store);
    removing_a_document_removes_all_of_it_and_nothing_else(store);
    removing_what_is_not_there_is_no_failure(store);
    clearing_forgets_everything_and_the_dimension_too(store, capabilities);
    at_most_limit_matches_come_best_first(store);
    ties_are_broken_by_document_and_ordinal(store);
    embeddings_of_another_dimension_are_refused(store);
    a_search_of_another_dimension_is_refused(store);
    without_embeddings_chunks_are_found_by_their_words(store, capabilities);
    hostile_text_is_words_and_nothing_else(store, capabilities);
    if capabilities.lexical {
        chinese_and_japanese_are_found_by_parts_of_a_clause(store);
    }
}

const NORTH: [f32; 3] = [1.0, 0.0, 0.0];
const EAST: [f32; 3] = [0.0, 1.0, 0.0];
const UP: [f32; 3] = [0.0, 0.0, 1.0];

/// A tenant that was never written has no matches, no chunks, and comes into being by neither question.
pub fn a_tenant_without_chunks_has_no_matches(store: &dyn VectorStore) {
    let nobody = emptied(store, "conformance-nobody");
    assert_eq!(by_embedding(store, &nobody, &NORTH, 10), []);
    assert_eq!(store.count(&nobody).expect("counted"), 0);
    store.upsert(&nobody, &[]).expect("writing nothing is no failure");
    assert_eq!(store.count(&nobody).expect("counted"), 0);
}

/// Ordinal, span and text come back as they were written, and the cosine is told.
pub fn a_match_carries_the_chunk_as_it_was_stored(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-round-trip");
    let mut stored = chunk(
        document(1),
        u32::MAX,
        "Zoë's 猫 said \"Grüß Gott\" 😀\r\n\ttwice\u{7f}",
        Some(&NORTH),
    );
    stored.chunk.span.start = 4_000_000_000;
    stored.chunk.span.end = u32::MAX;
    put(store, &tenant, std::slice::from_ref(&stored));
    let found = by_embedding(store, &tenant, &NORTH, 10);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].document, &found[0].chunk),
        (stored.document, &stored.chunk)
    );
    let cosine = found[0].score.dense.expect("a dense search found it");
    assert!((cosine - 1.0).abs() < 1e-3, "{cosine}");
}

/// Two tenants with equal document ids and ordinals never see, replace or remove each other's chunks.
pub fn a_tenant_sees_its_own_chunks_alone(store: &dyn VectorStore) {
    let (ours, theirs) = (emptied(store, "conformance-a"), emptied(store, "conformance-a-b"));
    put(
        store,
        &ours,
        &[chunk(document(1), 0, "our secret recipe", Some(&NORTH))],
    );
    put(
        store,
        &theirs,
        &[
            chunk(document(1), 0, "their secret recipe", Some(&NORTH)),
            chunk(document(1), 1, "their secret plan", Some(&EAST)),
        ],
    );
    assert_eq!(texts(&all(store, &ours)), ["our secret recipe"]);
    assert_eq!(store.count(&ours).expect("counted"), 1);
    store.remove_document(&ours, document(1)).expect("removed");
    assert_eq!(all(store, &ours), []);
    assert_eq!(all(store, &theirs).len(), 2);
    store.clear(&ours).expect("cleared");
    assert_eq!(all(store, &theirs).len(), 2);
}

/// A chunk of the same document and ordinal takes the place of the one before, in every ranking.
pub fn writing_a_chunk_again_replaces_it(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-replace");
    put(store, &tenant, &[chunk(document(1), 0, "apples", Some(&NORTH))]);
    for _ in 0..3 {
        put(store, &tenant, &[chunk(document(1), 0, "bananas", Some(&EAST))]);
    }
    assert_eq!(store.count(&tenant).expect("counted"), 1);
    let found = search(store, &tenant, "apples bananas", Some(&embedding(&EAST)), 10);
    assert_eq!(texts(&found), ["bananas"]);
    assert!(found[0].score.dense.is_some_and(|cosine| cosine > 0.9));
    let found = search(store, &tenant, "apples", Some(&embedding(&NORTH)), 10);
    assert!(
        found
            .iter()
            .all(|found| found.chunk.text == "bananas" && found.score.lexical.is_none()),
        "{found:?}"
    );
}

/// All chunks of a document go, however many there are, and no other document's.
pub fn removing_a_document_removes_all_of_it_and_nothing_else(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-remove");
    let many: Vec<_> = (0..250)
        .map(|n| chunk(document(1), n, "apples", Some(&NORTH)))
        .collect();
    put(store, &tenant, &many);
    put(store, &tenant, &[chunk(document(2), 0, "apples", Some(&NORTH))]);
    assert_eq!(store.count(&tenant).expect("counted"), 251);
    store.remove_document(&tenant, document(1)).expect("removed");
    let left = all(store, &tenant);
    assert_eq!(
        left.iter().map(|found| found.document).collect::<Vec<_>>(),
        [document(2)]
    );
    assert_eq!(store.count(&tenant).expect("counted"), 1);
}

/// Removing and clearing twice, or where nothing was written, is success.
pub fn removing_what_is_not_there_is_no_failure(store: &dyn VectorStore) {
    let tenant = scope("conformance-idempotent");
    for _ in 0..2 {
        store.clear(&tenant).expect("cleared");
        store.remove_document(&tenant, document(1)).expect("removed");
    }
    put(store, &tenant, &[chunk(document(1), 0, "apples", Some(&NORTH))]);
    for _ in 0..2 {
        store.remove_document(&tenant, document(1)).expect("removed");
        store.remove_document(&tenant, document(9)).expect("removed");
    }
    assert_eq!(all(store, &tenant), []);
}

/// After clearing nothing is found, and where the store has no fixed dimension another one may be written.
pub fn clearing_forgets_everything_and_the_dimension_too(
    store: &dyn VectorStore,
    capabilities: Capabilities,
) {
    let tenant = emptied(store, "conformance-clear");
    put(store, &tenant, &[chunk(document(1), 0, "apples", Some(&NORTH))]);
    store.clear(&tenant).expect("cleared");
    assert_eq!(all(store, &tenant), []);
    assert_eq!(store.count(&tenant).expect("counted"), 0);
    if capabilities.lexical {
        put(
            store,
            &tenant,
            &[chunk(document(1), 0, "pears", Some(&[1.0, 0.0]))],
        );
        assert_eq!(texts(&by_embedding(store, &tenant, &[1.0, 0.0], 10)), ["pears"]);
        store.clear(&tenant).expect("cleared");
    }
    put(store, &tenant, &[chunk(document(1), 0, "plums", Some(&NORTH))]);
    assert_eq!(texts(&all(store, &tenant)), ["plums"]);
}

/// Matches come in falling score, never more than asked for, the nearest first.
pub fn at_most_limit_matches_come_best_first(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-order");
    let angles = [0.9_f32, 0.1, 0.5, 0.3, 0.7, 1.1];
    let chunks: Vec<_> = (0_u32..)
        .zip(angles)
        .map(|(n, angle)| {
            chunk(
                document(1),
                n,
                &format!("at {angle}"),
                Some(&[angle.cos(), angle.sin(), 0.0]),
            )
        })
        .collect();
    put(store, &tenant, &chunks);
    let found = by_embedding(store, &tenant, &NORTH, 4);
    assert_eq!(texts(&found), ["at 0.1", "at 0.3", "at 0.5", "at 0.7"]);
    assert!(found.is_sorted_by(|a, b| a.score.score >= b.score.score));
    assert_eq!(by_embedding(store, &tenant, &NORTH, 1).len(), 1);
    assert_eq!(by_embedding(store, &tenant, &NORTH, 100).len(), 6);
}

/// Chunks of one score come by document, then by ordinal, whatever the order of writing.
pub fn ties_are_broken_by_document_and_ordinal(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-ties");
    put(
        store,
        &tenant,
        &[
            chunk(document(2), 0, "same", Some(&NORTH)),
            chunk(document(1), 10, "same", Some(&NORTH)),
            chunk(document(1), 9, "same", Some(&NORTH)),
        ],
    );
    let found = by_embedding(store, &tenant, &NORTH, 10);
    let order: Vec<_> = found
        .iter()
        .map(|found| (found.document, found.chunk.ordinal))
        .collect();
    assert_eq!(order, [(document(1), 9), (document(1), 10), (document(2), 0)]);
}

/// Embeddings of another dimension are refused by name of both, and nothing of the call is stored.
pub fn embeddings_of_another_dimension_are_refused(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-dimension");
    put(store, &tenant, &[chunk(document(1), 0, "apples", Some(&NORTH))]);
    let mixed = [
        chunk(document(2), 0, "pears", Some(&EAST)),
        chunk(document(2), 1, "plums", Some(&[1.0, 2.0])),
    ];
    let error = store
        .upsert(&tenant, &mixed)
        .expect_err("another dimension is refused");
    assert_mismatch(&error);
    assert_eq!(texts(&all(store, &tenant)), ["apples"]);
}

/// A query of another dimension is refused.
pub fn a_search_of_another_dimension_is_refused(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-query-dimension");
    put(store, &tenant, &[chunk(document(1), 0, "apples", Some(&NORTH))]);
    let wanted = embedding(&[1.0, 2.0]);
    let query = VectorQuery {
        text: "apples",
        embedding: Some(&wanted),
        limit: top(5),
    };
    let error = store
        .search(&tenant, query)
        .expect_err("another dimension is refused");
    assert_mismatch(&error);
}

/// A store that knows words finds chunks and queries without embeddings; another one asks for embeddings.
pub fn without_embeddings_chunks_are_found_by_their_words(
    store: &dyn VectorStore,
    capabilities: Capabilities,
) {
    let tenant = emptied(store, "conformance-words");
    let chunks = [
        chunk(document(1), 0, "Refunds are paid within five days.", None),
        chunk(document(1), 1, "The office opens at nine.", None),
        chunk(document(2), 0, "Nothing to see here.", None),
    ];
    let query = VectorQuery {
        text: "When is the refunds desk OPENS?",
        embedding: None,
        limit: top(5),
    };
    if !capabilities.lexical {
        let refused = [
            store.upsert(&tenant, &chunks),
            store.search(&tenant, query).map(drop),
        ];
        assert!(
            refused
                .iter()
                .all(|answer| matches!(answer, Err(VectorError::EmbeddingRequired))),
            "{refused:?}"
        );
        return;
    }
    put(store, &tenant, &chunks);
    let found = store.search(&tenant, query).expect("found");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|found| found.document == document(1)));
    assert!(found.iter().all(|found| found.score.dense.is_none()));
    assert!(
        found
            .iter()
            .all(|found| found.score.lexical.is_some_and(|score| score > 0.0))
    );
    put(
        store,
        &tenant,
        &[chunk(document(3), 0, "Parking is free.", Some(&UP))],
    );
    let found = search(store, &tenant, "refunds", Some(&embedding(&UP)), 5);
    assert_eq!(
        found.len(),
        2,
        "one by its words, one by its embedding: {found:?}"
    );
}

/// Quotes, operators, NUL, emoji, half a statement and 100 kB are words to search for: no failure, and no other tenant's
/// chunks.
pub fn hostile_text_is_words_and_nothing_else(store: &dyn VectorStore, capabilities: Capabilities) {
    let (ours, theirs) = (
        emptied(store, "conformance-hostile"),
        emptied(store, "conformance-victim"),
    );
    let values = |wanted: &'static [f32; 3]| (!capabilities.lexical).then_some(wanted.as_slice());
    put(
        store,
        &theirs,
        &[chunk(document(1), 0, "victim's secret", values(&NORTH))],
    );
    put(
        store,
        &ours,
        &[chunk(document(1), 0, "a harmless apple", values(&NORTH))],
    );
    let wanted = (!capabilities.lexical).then(|| embedding(&NORTH));
    for text in hostile_texts() {
        let query = VectorQuery {
            text: &text,
            embedding: wanted.as_ref(),
            limit: top(100),
        };
        let found = store
            .search(&ours, query)
            .unwrap_or_else(|error| panic!("{error:?} for {text:.80}"));
        assert!(
            found.iter().all(|found| found.chunk.text == "a harmless apple"),
            "{found:?}"
        );
        assert_eq!(store.count(&theirs).expect("counted"), 1);
    }
    // A service bounds what it keeps beside a vector, so the longest are searched for only.
    for (n, text) in (0..).zip(hostile_texts().iter().filter(|text| text.len() < 10_000)) {
        put(
            store,
            &ours,
            &[chunk(document(2), n, &text.replace('\0', ""), values(&EAST))],
        );
    }
    assert_eq!(
        texts(&search(store, &theirs, "secret", wanted.as_ref(), 100)),
        ["victim's secret"]
    );
}

/// A word inside an unspaced clause finds it, also a word of one character.
pub fn chinese_and_japanese_are_found_by_parts_of_a_clause(store: &dyn VectorStore) {
    let tenant = emptied(store, "conformance-cjk");
    put(
        store,
        &tenant,
        &[
            chunk(document(1), 0, "返金は五営業日以内に行われます。", None),
            chunk(document(2), 0, "办公室上午九点开门。", None),
        ],
    );
    for (text, wanted) in [
        ("返金はいつですか", 1),
        ("営業日", 1),
        ("办公室几点开门？", 2),
        ("门", 2),
    ] {
        let found = search(store, &tenant, text, None, 5);
        let documents: Vec<_> = found.iter().map(|found| found.document).collect();
        assert_eq!(documents, [document(wanted)], "{text}");
    }
}

fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\"",
        "'",
        "\"\"\"",
        "a\" OR \"secret",
        "'; DROP TABLE chunks; --",
        "secret*",
        "NEAR(a b)",
        "a AND",
        "NOT",
        "OR",
        "text:secret",
        "^secret",
        "{a b} : c",
        "-secret",
        "+secret",
        "(((",
        ")",
        "a\0b",
        "\0",
        "😀👩‍👩‍👧‍👦",
        "\u{202e}abc",
        "%' OR 1=1",
        "$1 ?1 :a @b",
        "\\",
        "${jndi:x}",
        "{\"$ne\":null}",
        "#",
        "../conformance-victim",
    ]
    .map(str::to_owned)
    .into();
    texts.push("\"".repeat(100_000));
    texts.push("word ".repeat(20_000));
    texts.push("x".repeat(100_000));
    texts.push((0..20_000).fold(String::new(), |text, n| text + &format!("w{n} ")));
    texts
}

fn assert_mismatch(error: &VectorError) {
    let (three, two) = (Dimension::new(3), Dimension::new(2));
    let VectorError::DimensionMismatch { expected, actual } = error else {
        panic!("{error:?}")
    };
    assert_eq!((Ok(*expected), Ok(*actual)), (three, two));
}

fn emptied(store: &dyn VectorStore, id: &str) -> TenantScope {
    let tenant = scope(id);
    store.clear(&tenant).expect("cleared");
    tenant
}

fn put(store: &dyn VectorStore, tenant: &TenantScope, chunks: &[IndexedChunk]) {
    store.upsert(tenant, chunks).expect("stored");
}

fn top(n: u16) -> TopK {
    TopK::new(n).expect("1 to 100")
}

fn search(
    store: &dyn VectorStore,
    tenant: &TenantScope,
    text: &str,
    wanted: Option<&Embedding>,
    limit: u16,
) -> Vec<Match> {
    store
        .search(
            tenant,
            VectorQuery {
                text,
                embedding: wanted,
                limit: top(limit),
            },
        )
        .expect("searched")
}

fn by_embedding(store: &dyn VectorStore, tenant: &TenantScope, values: &[f32], limit: u16) -> Vec<Match> {
    search(store, tenant, "", Some(&embedding(values)), limit)
}

fn all(store: &dyn VectorStore, tenant: &TenantScope) -> Vec<Match> {
    by_embedding(store, tenant, &NORTH, 100)
}

fn texts(matches: &[Match]) -> Vec<&str> {
    matches.iter().map(|found| found.chunk.text.as_str()).collect()
}
