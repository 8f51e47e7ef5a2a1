//! Filters, how deep is looked, and embeddings beside matches.

use super::*;

fn eq(key: &str, value: MetadataValue) -> Filter {
    Filter::Eq(key.to_owned(), value)
}

/// Everything from `low` on, by the order of texts.
fn from(key: &str, low: &str) -> Filter {
    let lower = Some(tenantry_domain::Bound {
        value: text(low),
        inclusive: true,
    });
    Filter::Range(key.to_owned(), tenantry_domain::Bounds { lower, upper: None })
}

/// A vector that is the further from north the greater `n`.
fn turned(n: u32) -> [f32; 3] {
    [1.0, f32::from(u16::try_from(n).unwrap()) / 100.0, 0.0]
}

fn depths(stub: &PineconeStub) -> Vec<u64> {
    let queries = sent(stub, "/query");
    queries
        .iter()
        .map(|request| request.json()["topK"].as_u64().unwrap())
        .collect()
}

fn search_by(store: &PineconeStore, filter: &Filter, limit: u16) -> Vec<Match> {
    let wanted = embedding(&NORTH);
    let query = VectorQuery {
        limit: TopK::new(limit).unwrap(),
        filter: Some(filter),
        ..five_nearest(&wanted)
    };
    store.search(acme(), query).unwrap()
}

#[test]
fn a_filter_is_the_service_s_work_and_hostile_values_are_data() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let of = metadata([
        ("lang", text("en\", \"$or\": [")),
        ("year", MetadataValue::Number(2024.0)),
    ]);
    store.upsert(acme(), version(1, 1), &of, &[north()]).unwrap();
    store.upsert(acme(), version(2, 1), &none(), &[north()]).unwrap();
    let filter = Filter::And(vec![
        eq("lang", text("en\", \"$or\": [")),
        eq("year", MetadataValue::Number(2024.0)),
    ]);
    assert_eq!(search_by(&store, &filter, 5).len(), 1);
    assert_eq!(
        sent(&stub, "/query")[0].json()["filter"],
        json!({"$and": [{"t.lang": {"$eq": "en\", \"$or\": ["}}, {"n.year": {"$eq": 2024.0}}]})
    );
    assert_eq!(depths(&stub), [5]);
    assert_eq!(search_by(&store, &Filter::Or(vec![]), 5), []);
    assert_eq!(depths(&stub).len(), 1, "nothing was asked for");
}

#[test]
fn what_passed_the_service_is_checked_again() {
    let ours = |n: u8, lang: &str| {
        json!({"id": format!("{}#1#0", document(n)), "score": 0.5, "metadata": {
            "document": document(n).to_string(), "version": 1, "ordinal": 0, "start": 0, "end": 1, "text": "x", "t.lang": lang}})
    };
    let (store, _) = scripted(vec![Answer::json(
        200,
        &json!({"matches": [ours(1, "de"), ours(2, "en")]}),
    )]);
    let found = search_by(&store, &eq("lang", text("en")), 5);
    assert_eq!(
        found.iter().map(|found| found.of).collect::<Vec<_>>(),
        [version(2, 1)]
    );
}

#[test]
fn a_range_of_texts_is_looked_for_among_the_nearest_thousand() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let far = 400_u32;
    for n in 0..=far {
        let date = if n == far { "2026-11-23" } else { "2025-01-01" };
        let of = metadata([("date", text(date))]);
        let n8 = u8::try_from(n % 256).unwrap();
        let one = [chunk(n, "x", Some(&turned(n)))];
        store.upsert(acme(), version(n8, 1), &of, &one).unwrap();
    }
    let found = search_by(&store, &from("date", "2026-01-01"), 2);
    assert_eq!(
        found.iter().map(|found| found.chunk.ordinal).collect::<Vec<_>>(),
        [far]
    );
    assert_eq!(depths(&stub), [100, 1_000]);
    assert_eq!(search_by(&store, &from("date", "2025-01-01"), 2).len(), 2);
    assert_eq!(depths(&stub), [100, 1_000, 100]);
}

#[test]
fn when_the_service_gives_fewer_than_asked_for_there_are_no_others() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    store.upsert(acme(), version(1, 1), &none(), &[north()]).unwrap();
    assert_eq!(search_by(&store, &from("date", "2026"), 5), []);
    assert_eq!(search(&store).unwrap().len(), 1);
    assert_eq!(depths(&stub), [100, 5]);
}

#[test]
fn records_of_others_do_not_crowd_ours_out() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let theirs: Vec<_> = (0..20)
        .map(|n| json!({"id": format!("theirs-{n}"), "values": NORTH, "metadata": {"text": "theirs"}}))
        .collect();
    stub.fill("acme", &theirs);
    store
        .upsert(acme(), version(1, 1), &none(), &[chunk(0, "ours", Some(&EAST))])
        .unwrap();
    assert_eq!(search(&store).unwrap()[0].chunk.text, "ours");
    assert_eq!(depths(&stub), [5, 1_000]);
}

#[test]
fn an_answer_that_is_too_large_is_asked_for_in_halves() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let long = "long ".repeat(7_000);
    let old = metadata([("date", text("2025-01-01"))]);
    let many: Vec<_> = (0..180).map(|n| chunk(n, &long, Some(&turned(n)))).collect();
    store.upsert(acme(), version(1, 1), &old, &many).unwrap();
    let found = search_by(&store, &from("date", "2026"), 5);
    assert_eq!(found, []);
    assert_eq!(depths(&stub), [100, 1_000, 500, 250, 125]);

    let wanted = embedding(&NORTH);
    let query = VectorQuery {
        limit: TopK::new(400).unwrap(),
        ..five_nearest(&wanted)
    };
    assert_eq!(store.search(acme(), query).unwrap().len(), 100);
    assert_eq!(depths(&stub)[5..], [400, 200, 100]);
}

#[test]
fn a_failure_while_looking_deeper_is_a_failure() {
    let matches: Vec<_> = (0..100).map(|n| json!({"id": format!("{n}")})).collect();
    let answers = vec![Answer::json(200, &json!({"matches": matches})), Answer::new(503)];
    let (store, _) = scripted(answers);
    let wanted = embedding(&NORTH);
    let filter = from("date", "2026");
    let query = VectorQuery {
        filter: Some(&filter),
        ..five_nearest(&wanted)
    };
    assert!(store.search(acme(), query).unwrap_err().is_transient());
}

#[test]
fn embeddings_come_with_the_matches_or_are_fetched_where_they_are_too_many() {
    for (dimension, fetches) in [(64, 0), (1_024, 2)] {
        let stub = PineconeStub::start(dimension, &[KEY]);
        let store = connected(&stub);
        let values = |n: u32| {
            let mut values = vec![0.5; dimension];
            values[0] = f32::from(u16::try_from(n).unwrap()) / 1_000.0;
            values
        };
        let chunks: Vec<_> = (0..120).map(|n| chunk(n, "x", Some(&values(n)))).collect();
        store.upsert(acme(), version(1, 1), &none(), &chunks).unwrap();
        let wanted = embedding(&values(60));
        let query = VectorQuery {
            limit: TopK::new(600).unwrap(),
            with_embeddings: true,
            ..five_nearest(&wanted)
        };
        let found = store.search(acme(), query).unwrap();
        assert_eq!(found.len(), 120);
        for found in &found {
            let expected = embedding(&values(found.chunk.ordinal));
            let cosine = found.embedding.as_ref().unwrap().cosine(&expected).unwrap();
            assert!(cosine > 0.999_9, "{cosine}");
        }
        assert_eq!(sent(&stub, "/vectors/fetch").len(), fetches, "{dimension}");
        let without = VectorQuery {
            with_embeddings: false,
            ..query
        };
        assert!(
            store
                .search(acme(), without)
                .unwrap()
                .iter()
                .all(|found| found.embedding.is_none())
        );
    }
}

#[test]
fn the_dense_ranking_alone_makes_the_score() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let chunks: Vec<_> = (0..3).map(|n| chunk(n, "x", Some(&turned(n * 30)))).collect();
    store.upsert(acme(), version(1, 1), &none(), &chunks).unwrap();
    let wanted = embedding(&NORTH);
    let query = VectorQuery {
        fusion: Fusion::new(10.0, 0.5, 1.0).unwrap(),
        ..five_nearest(&wanted)
    };
    let found = store.search(acme(), query).unwrap();
    let ranks: Vec<_> = found.iter().map(|found| found.score.dense_rank).collect();
    assert_eq!(ranks, [Some(1), Some(2), Some(3)]);
    for (found, score) in found.iter().zip([1.0, 11.0 / 12.0, 11.0 / 13.0]) {
        assert!((found.score.score - score).abs() < 1e-6, "{:?}", found.score);
        assert_eq!(
            (found.score.fused, found.score.lexical),
            (found.score.score, None)
        );
    }
}
