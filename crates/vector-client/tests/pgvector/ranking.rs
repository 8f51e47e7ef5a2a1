use tenantry_domain::{Embedding, Generation};
use tenantry_vector_client::VectorStore;
use tenantry_vector_client::conformance::{chunk, embedding, scope, version};

use crate::database::Database;
use crate::{put, search, texts};

#[test]
fn words_are_found_by_their_stem_and_without_accents() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    put(
        &store,
        &tenant,
        1,
        &[
            chunk(0, "Refunds are being paid.", None),
            chunk(1, "Zoë's café", None),
            chunk(2, "to be or not to be", None),
        ],
    );
    let first = |text: &str| {
        search(&store, &tenant, text, None)
            .first()
            .map(|found| found.chunk.ordinal)
    };
    assert_eq!(first("refunded"), Some(0));
    assert_eq!(first("PAYING refund"), Some(0));
    assert_eq!(first("cafe"), Some(1));
    assert_eq!(first("CAFÉS"), Some(1));
    assert_eq!(first("to be or not to be"), Some(2));
    assert_eq!(first("nothing"), None);
}

#[test]
fn another_tenants_texts_do_not_touch_the_scores() {
    let database = Database::create();
    let store = database.store();
    let (ours, theirs) = (scope("ours"), scope("theirs"));
    let chunks = [
        chunk(0, "red apple", None),
        chunk(1, "red pear, green pear", None),
        chunk(2, "plum", None),
    ];
    put(&store, &ours, 1, &chunks);
    let before = search(&store, &ours, "red pear", None);
    let many: Vec<_> = (0..300)
        .map(|n| chunk(n, "pear pear pear tree", Some(&[1.0, 0.0])))
        .collect();
    put(&store, &theirs, 1, &many);
    assert_eq!(search(&store, &ours, "red pear", None), before);
    assert_eq!(texts(&before), ["red pear, green pear", "red apple"]);
}

#[test]
fn a_score_is_bm25_with_the_constants_of_fts5() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let chunks = [
        chunk(0, "red apple", None),
        chunk(1, "red pear, green pear", None),
        chunk(2, "plum", None),
    ];
    put(&store, &tenant, 1, &chunks);
    let found = search(&store, &tenant, "pear", None);
    let frequency = (2.5_f32 / 1.5).ln();
    let damping = 1.2 * (0.25 + 0.75 * 4.0 / (7.0 / 3.0));
    let expected = frequency * 2.0 * 2.2 / (2.0 + damping);
    assert!((found[0].score.lexical.unwrap() - expected).abs() < 1e-5);
    assert_eq!(found[0].score.lexical_rank, Some(1));
}

#[test]
fn a_word_that_most_chunks_of_a_large_index_have_is_left_out_unless_it_is_all_there_is() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let mut chunks: Vec<_> = (0..10_000).map(|n| chunk(n, "common", None)).collect();
    chunks.push(chunk(10_000, "rare", None));
    put(&store, &tenant, 1, &chunks);
    assert_eq!(texts(&search(&store, &tenant, "common rare", None)), ["rare"]);
    assert_eq!(search(&store, &tenant, "common", None).len(), 10);
}

#[test]
fn more_chunks_than_one_transaction_takes_are_stored_replaced_and_removed() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let index = tenant.index(Generation::FIRST);
    let many = |word: &str| -> Vec<_> {
        (0..1_200)
            .map(|n| chunk(n, &format!("{word} n{n}"), Some(&[1.0, 0.5])))
            .collect()
    };
    put(&store, &tenant, 1, &many("old"));
    put(&store, &tenant, 1, &many("new"));
    assert_eq!(store.count(index).unwrap(), 1_200);
    assert!(search(&store, &tenant, "old", None).is_empty());
    assert_eq!(texts(&search(&store, &tenant, "n1199", None)), ["new n1199"]);
    store
        .upsert(
            index,
            version(1, 2),
            &tenantry_domain::Metadata::default(),
            &many("next")[..3],
        )
        .unwrap();
    store.remove(index, version(1, 1).document, Some(2)).unwrap();
    assert_eq!(store.count(index).unwrap(), 3);
    let mut conn = database.connect();
    assert_eq!(crate::database::count(&mut conn, "tenantry_vector_postings"), 6);
    assert_eq!(crate::database::count(&mut conn, "tenantry_vector_embeddings"), 3);
    assert_eq!(crate::database::count(&mut conn, "tenantry_vector_versions"), 1);
}

#[test]
fn writers_of_one_index_do_not_disturb_each_other() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let index = tenant.index(Generation::FIRST);
    std::thread::scope(|threads| {
        for document in 0..4 {
            let (store, tenant) = (&store, &tenant);
            threads.spawn(move || {
                for round in 0..10 {
                    let chunks: Vec<_> = (0..5)
                        .map(|n| chunk(n, &format!("shared words {round}"), Some(&[1.0, 0.0])))
                        .collect();
                    put(store, tenant, document, &chunks);
                }
            });
        }
    });
    assert_eq!(store.count(index).unwrap(), 20);
    let words = crate::database::text(
        &mut database.connect(),
        "SELECT concat_ws(' ', chunks, words, dimension) FROM tenantry_vector_indexes",
    );
    assert_eq!(words, "20 60 2");
    let contents = store.contents(index).unwrap();
    assert_eq!(
        contents.iter().map(|stored| stored.chunks).collect::<Vec<_>>(),
        [5, 5, 5, 5]
    );
}

#[test]
fn an_embedding_comes_back_to_the_last_bit() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let values: Vec<f32> = (1_u8..=100).map(|n| 1.0 / f32::from(n) - 0.3).collect();
    let stored = chunk(0, "apples", Some(&values));
    put(&store, &tenant, 1, std::slice::from_ref(&stored));
    let found = store.embeddings(
        tenant.index(Generation::FIRST),
        version(1, 1).document,
        &[stored.hash],
    );
    let found: &Embedding = &found.unwrap()[&stored.hash];
    // Reading scales to unit length again, which may move the last bit.
    for (found, stored) in found.as_slice().iter().zip(embedding(&values).as_slice()) {
        assert!((found - stored).abs() <= f32::EPSILON);
    }
}
