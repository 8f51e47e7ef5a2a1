//! What a search finds, in which order, and what it says of it.

use tenantry_domain::{Fusion, Metadata};

use super::fixture::{chunk, document, embedding, version};
use super::store::Capabilities;
use super::subject::{EAST, NORTH, Subject, UP, hybrid, texts, top};
use super::writing::assert_mismatch;
use crate::{VectorError, VectorQuery, VectorStore};

/// Version, ordinal, span, text, headings and page come back as they were written, and the cosine is told.
pub fn a_match_carries_the_chunk_as_it_was_stored(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-round-trip");
    let text = "Zoë's 猫 said \"Grüß Gott\" 😀\r\n\ttwice\u{7f}";
    let mut stored = chunk(u32::MAX, text, Some(&NORTH));
    stored.chunk.span.start = 4_000_000_000;
    stored.chunk.span.end = u32::MAX;
    stored.chunk.headings = ["", "1. \"Zoë\", or: [a]", "猫\n{}", "x > y"]
        .map(str::to_owned)
        .into();
    stored.chunk.page = Some(u32::MAX);
    stored.context.push_str("Zoë");
    subject.put(version(1, u32::MAX), std::slice::from_ref(&stored));
    let plain = chunk(0, "nothing above", Some(&EAST));
    subject.put(version(2, 1), std::slice::from_ref(&plain));
    let found = subject.all();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.of, &found.chunk, found.score.dense))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].0, found[0].1), (version(1, u32::MAX), &stored.chunk));
    assert_eq!((found[1].0, found[1].1), (version(2, 1), &plain.chunk));
    let cosine = found[0].2.expect("a dense search found it");
    assert!((cosine - 1.0).abs() < 1e-3, "{cosine}");
}

/// Matches come in falling score, never more than asked for, the nearest first.
pub fn at_most_limit_matches_come_best_first(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-order");
    let angles = [0.9_f32, 0.1, 0.5, 0.3, 0.7, 1.1];
    let at =
        |(n, angle): (u32, f32)| chunk(n, &format!("at {angle}"), Some(&[angle.cos(), angle.sin(), 0.0]));
    let chunks: Vec<_> = (0_u32..).zip(angles).map(at).collect();
    subject.put(version(1, 1), &chunks);
    let found = subject.by_embedding(&NORTH, 4);
    assert_eq!(texts(&found), ["at 0.1", "at 0.3", "at 0.5", "at 0.7"]);
    assert!(found.is_sorted_by(|a, b| a.score.score >= b.score.score));
    assert_eq!(subject.by_embedding(&NORTH, 1).len(), 1);
    assert_eq!(subject.by_embedding(&NORTH, 1_000).len(), 6);
}

/// Chunks of one score come by document, version and ordinal, whatever the order of writing.
pub fn ties_are_broken_by_version_and_ordinal(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-ties");
    let places = [
        (version(1, 2), 9),
        (version(1, 2), 10),
        (version(1, 10), 0),
        (version(2, 1), 0),
    ];
    for (of, ordinal) in places.into_iter().rev() {
        subject.put(of, &[chunk(ordinal, "same", Some(&NORTH))]);
    }
    let found = subject.by_embedding(&NORTH, 10);
    let order: Vec<_> = found
        .iter()
        .map(|found| (found.of, found.chunk.ordinal))
        .collect();
    assert_eq!(order, places);
}

/// Each match tells its place in the rankings that found it; the fused score is the score, 1 for what is first in every
/// ranking that was searched.
pub fn a_score_tells_its_ranks_and_lies_between_0_and_1(store: &dyn VectorStore, capabilities: Capabilities) {
    let subject = Subject::emptied(store, "conformance-ranks");
    let chunks = [
        chunk(0, "quinces, quinces and quinces", Some(&NORTH)),
        chunk(
            1,
            "quinces among so many other kinds of fruit",
            Some(&[0.9, 0.3, 0.0]),
        ),
        chunk(2, "bread", Some(&[0.5, 0.5, 0.0])),
    ];
    subject.put(version(1, 1), &chunks);
    for text in ["", "quinces"] {
        let found = subject.search(hybrid(text, &embedding(&NORTH), 10));
        assert_eq!(found.len(), 3, "{found:?}");
        let lexical = capabilities.lexical && !text.is_empty();
        assert!((found[0].score.score - 1.0).abs() < 1e-5, "{found:?}");
        for (rank, found) in (1..).zip(&found) {
            let parts = found.score;
            assert!((0.0..=1.0).contains(&parts.score), "{parts:?}");
            assert!((parts.score - parts.fused).abs() < f32::EPSILON, "{parts:?}");
            assert_eq!(parts.dense_rank, Some(rank));
            assert_eq!(
                parts.lexical_rank,
                (lexical && rank < 3).then_some(rank),
                "{parts:?}"
            );
            assert_eq!(parts.lexical.is_some(), parts.lexical_rank.is_some());
            assert_eq!((parts.dense.is_some(), parts.rerank), (true, None));
        }
    }
}

/// Matches bring the embedding that was stored, and only where the query asks for it.
pub fn a_match_brings_its_embedding_where_asked_for(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-values");
    let stored = [0.5, -2.0, 0.25];
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&stored))]);
    let wanted = embedding(&NORTH);
    let query = hybrid("apples", &wanted, 5);
    assert_eq!(subject.search(query)[0].embedding, None);
    let with = VectorQuery {
        with_embeddings: true,
        ..query
    };
    let found = subject.search(with);
    let found = found[0].embedding.as_ref().expect("it was asked for");
    let cosine = found.cosine(&embedding(&stored)).expect("of one dimension");
    assert!(cosine > 0.999_9, "{cosine}");
}

/// A query of another dimension is refused.
pub fn a_search_of_another_dimension_is_refused(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-query-dimension");
    subject.put(version(1, 1), &[chunk(0, "apples", Some(&NORTH))]);
    let wanted = embedding(&[1.0, 2.0]);
    let refused = store.search(subject.index(), hybrid("apples", &wanted, 5));
    assert_mismatch(&refused.expect_err("another dimension is refused"));
}

/// A store that knows words finds chunks by them without an embedding; another one asks for embeddings.
pub fn without_embeddings_chunks_are_found_by_their_words(
    store: &dyn VectorStore,
    capabilities: Capabilities,
) {
    let subject = Subject::emptied(store, "conformance-words");
    let query = VectorQuery::words("When is the refunds desk OPENS?", top(5));
    let required = capabilities.embeddings_required;
    let values = required.then_some(EAST.as_slice());
    let chunks = [
        chunk(0, "Refunds are paid within five days.", values),
        chunk(1, "The office opens at nine.", values),
        chunk(2, "Nothing to see here.", values),
    ];
    if required {
        let bare = [chunk(0, "bare", None)];
        let refused = store.upsert(subject.index(), version(1, 1), &Metadata::default(), &bare);
        assert!(
            matches!(refused, Err(VectorError::EmbeddingRequired)),
            "{refused:?}"
        );
    }
    subject.put(version(1, 1), &chunks);
    if !capabilities.lexical {
        let refused = store.search(subject.index(), query);
        assert!(
            matches!(refused, Err(VectorError::EmbeddingRequired)),
            "{refused:?}"
        );
        return;
    }
    let found = subject.search(query);
    assert_eq!(found.len(), 2, "{found:?}");
    for found in &found {
        assert!(found.chunk.ordinal < 2, "{found:?}");
        assert_eq!((found.score.dense, found.score.dense_rank), (None, None));
        assert!(found.score.lexical.is_some_and(|score| score > 0.0));
    }
    if !required {
        subject.put(version(3, 1), &[chunk(0, "Parking is free.", Some(&UP))]);
        let found = subject.search(hybrid("refunds", &embedding(&UP), 5));
        assert_eq!(
            found.len(),
            2,
            "one by its words, one by its embedding: {found:?}"
        );
    }
}

/// The query's fusion orders the matches: what the words say, or what the embeddings say.
pub fn weights_say_which_ranking_counts(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-weights");
    let chunks = [
        chunk(0, "plums", Some(&NORTH)),
        chunk(1, "apples", Some(&[0.1, 1.0, 0.0])),
        chunk(2, "bread", Some(&UP)),
    ];
    subject.put(version(1, 1), &chunks);
    let wanted = embedding(&NORTH);
    for (dense, lexical, first) in [(10.0, 0.1, "plums"), (0.1, 1.0, "apples"), (0.0, 1.0, "apples")] {
        let query = VectorQuery {
            fusion: Fusion::new(10.0, dense, lexical).expect("within the bounds"),
            ..hybrid("apples", &wanted, 5)
        };
        let found = subject.search(query);
        assert_eq!(found[0].chunk.text, first);
        assert_eq!(found.len(), if dense > 0.0 { 3 } else { 1 });
    }
}

/// Words that stand only above a chunk find it, and are not taken for its text.
pub fn the_context_is_searched_with_the_chunk(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-context");
    let mut below = chunk(0, "They are paid within five days.", Some(&NORTH));
    below.context.push_str("Terms of sale > Refunds");
    subject.put(
        version(1, 1),
        &[below, chunk(1, "The office opens at nine.", Some(&EAST))],
    );
    let found = subject.search(VectorQuery::words("refunds", top(5)));
    assert_eq!(texts(&found), ["They are paid within five days."]);
}

/// A word inside an unspaced clause finds it, also a word of one character.
pub fn chinese_and_japanese_are_found_by_parts_of_a_clause(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-cjk");
    subject.put(
        version(1, 1),
        &[chunk(0, "返金は五営業日以内に行われます。", Some(&NORTH))],
    );
    subject.put(version(2, 1), &[chunk(0, "办公室上午九点开门。", Some(&EAST))]);
    subject.put(version(3, 1), &[chunk(0, "The office opens at nine.", Some(&UP))]);
    for (text, wanted) in [
        ("返金はいつですか", 1),
        ("営業日", 1),
        ("办公室几点开门？", 2),
        ("门", 2),
    ] {
        let found = subject.search(VectorQuery::words(text, top(5)));
        let documents: Vec<_> = found.iter().map(|found| found.of.document).collect();
        assert_eq!(documents, [document(wanted)], "{text}");
    }
}
