//! Versions, generations, and what is told of them.

use super::*;

fn put(store: &PineconeStore, n: u8, of: u32, chunks: &[IndexedChunk]) {
    store.upsert(acme(), version(n, of), &none(), chunks).unwrap();
}

#[test]
fn a_later_generation_has_a_namespace_that_no_tenant_id_can_be() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    for generation in [1, 2, 30] {
        let index = ACME.index(Generation::new(generation).unwrap());
        store.upsert(index, version(1, 1), &none(), &[north()]).unwrap();
    }
    let namespaces = stub.namespaces().into_iter().map(|(name, _)| name);
    let namespaces: Vec<_> = namespaces.collect();
    assert_eq!(namespaces, ["acme", "acme.2", "acme.30"]);
    assert!("acme.2".parse::<tenantry_domain::TenantId>().is_err());
    store.clear(ACME.index(Generation::new(2).unwrap())).unwrap();
    assert_eq!(stub.namespaces().len(), 2);
}

#[test]
fn a_record_of_the_form_before_versions_is_of_version_one() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let id = format!("{}#7", document(1));
    let old = json!({"document": document(1).to_string(), "ordinal": 7, "start": 0, "end": 3, "text": "old"});
    stub.fill("acme", &[json!({"id": id, "values": NORTH, "metadata": old})]);
    put(&store, 1, 2, &[north()]);
    let found: Vec<_> = search(&store)
        .unwrap()
        .iter()
        .map(|found| (found.of, found.chunk.ordinal))
        .collect();
    assert_eq!(found, [(version(1, 1), 7), (version(1, 2), 7)]);
    let stored = |of| StoredVersion {
        of,
        chunks: 1,
        embedded: 1,
    };
    assert_eq!(
        store.contents(acme()).unwrap(),
        [stored(version(1, 1)), stored(version(1, 2))]
    );
    let reusable = store
        .embeddings(acme(), document(1), &[hash("old"), north().hash])
        .unwrap();
    assert_eq!(reusable.into_keys().collect::<Vec<_>>(), [north().hash]);
    put(&store, 1, 1, &[north()]);
    let ranks: Vec<_> = search(&store)
        .unwrap()
        .iter()
        .map(|found| found.score.dense_rank)
        .collect();
    assert_eq!(ranks, [Some(1), Some(2)], "a chunk in both forms is one chunk");
    store.remove(acme(), document(1), Some(2)).unwrap();
    assert_eq!(store.contents(acme()).unwrap(), [stored(version(1, 2))]);
}

#[test]
fn reuse_reads_by_id_a_hundred_at_a_time_and_ends_when_all_is_found() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let chunks: Vec<_> = (0..250)
        .map(|n| chunk(n, &format!("text {n}"), Some(&NORTH)))
        .collect();
    put(&store, 1, 1, &chunks);
    let found = store
        .embeddings(acme(), document(1), &[hash("text 3"), hash("nowhere")])
        .unwrap();
    assert_eq!(found.len(), 1);
    let fetches = sent(&stub, "/vectors/fetch");
    let ids: Vec<_> = fetches
        .iter()
        .map(|request| request.target.matches("&ids=").count())
        .collect();
    assert_eq!(ids, [100, 100, 50]);
    assert!(fetches.iter().all(|request| request.target.len() < 6_200));
    let first = format!("/vectors/fetch?namespace=acme&ids={}%231%230&", document(1));
    assert!(fetches[0].target.starts_with(&first), "{}", fetches[0].target);
    store.embeddings(acme(), document(1), &[hash("text 0")]).unwrap();
    assert_eq!(sent(&stub, "/vectors/fetch").len(), 4);
    store.embeddings(acme(), document(1), &[]).unwrap();
    assert_eq!(sent(&stub, "/vectors/fetch").len(), 4);
}

#[test]
fn reuse_reads_no_more_than_a_thousand_records() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let chunks: Vec<_> = (0..1_200).map(|n| chunk(n, "x", Some(&NORTH))).collect();
    put(&store, 1, 1, &chunks);
    store.embeddings(acme(), document(1), &[hash("nowhere")]).unwrap();
    assert_eq!(sent(&stub, "/vectors/list").len(), 10);
    assert_eq!(sent(&stub, "/vectors/fetch").len(), 10);
}

#[test]
fn contents_are_listed_without_a_prefix_and_leave_out_what_is_not_ours() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    put(&store, 1, 1, &[north()]);
    stub.fill(
        "acme",
        &[json!({"id": "theirs", "values": NORTH, "metadata": {}})],
    );
    let stored = StoredVersion {
        of: version(1, 1),
        chunks: 1,
        embedded: 1,
    };
    assert_eq!(store.contents(acme()).unwrap(), [stored]);
    assert_eq!(
        sent(&stub, "/vectors/list")[0].target,
        "/vectors/list?namespace=acme&limit=100"
    );
}

#[test]
fn contents_that_could_not_be_read_to_their_end_are_a_failure() {
    let page = |next: &str| {
        let id = format!("{}#1#0", document(1));
        Answer::json(
            200,
            &json!({"vectors": [{"id": id}], "pagination": {"next": next}}),
        )
    };
    let (store, transport) = scripted(vec![page("a"), page("b"), page("a")]);
    let failure = store.contents(acme()).unwrap_err();
    assert!(matches!(failure, VectorError::Unavailable(_)), "{failure:?}");
    assert_eq!(transport.requests().len(), 3);

    let host = "http://index.test";
    let endless = MemoryTransport::new(move |request| {
        let token = request
            .target
            .rsplit_once("paginationToken=")
            .map_or(0, |(_, token)| token.parse().unwrap());
        Ok(Answer::json(
            200,
            &json!({"pagination": {"next": format!("{}", token + 1_u32)}}),
        ))
    });
    let store = PineconeStore::connect(Arc::new(endless), &options(host), host, KEY.into()).unwrap();
    let failure = store.contents(acme()).unwrap_err();
    assert!(matches!(failure, VectorError::Refused(_)), "{failure:?}");
}

#[test]
fn a_removal_keeps_one_version_alone() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    for of in [1, 2, 12] {
        put(&store, 1, of, &[north()]);
    }
    put(&store, 2, 1, &[north()]);
    store.remove(acme(), document(1), Some(2)).unwrap();
    let left: Vec<_> = store
        .contents(acme())
        .unwrap()
        .iter()
        .map(|stored| stored.of)
        .collect();
    assert_eq!(left, [version(1, 2), version(2, 1)]);
}
