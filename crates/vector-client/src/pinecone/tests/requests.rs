//! What is sent.

use super::*;

#[test]
fn an_upsert_is_sent_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let mut full = north();
    full.chunk.headings = vec!["Terms".into(), "Money \"back\"".into()];
    full.chunk.page = Some(3);
    full.context = "Terms of sale".into();
    full.hash = tenantry_domain::ChunkHash::from_bytes(*b"0123456789\xab\xcd\xef\0\xff_");
    let of = metadata([
        ("lang", text("en")),
        ("year", MetadataValue::Number(2024.0)),
        ("public", MetadataValue::Bool(true)),
        ("tags", MetadataValue::Texts(vec!["a".into(), "b".into()])),
        ("empty", MetadataValue::Texts(vec![])),
    ]);
    store.upsert(acme(), version(1, 2), &of, &[full.clone()]).unwrap();
    assert_eq!(
        transcript(&stub.requests()[0]),
        "POST /vectors/upsert\n\
         api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\ncontent-type: application/json\n\
         {\"vectors\":[{\"id\":\"01890000-0000-7000-8000-000000000001#2#7\",\"values\":[1.0,0.0,0.0],\"metadata\":\
         {\"document\":\"01890000-0000-7000-8000-000000000001\",\"version\":2,\"ordinal\":7,\"start\":0,\"end\":25,\
         \"page\":3,\"headings\":[\"Terms\",\"Money \\\"back\\\"\"],\"context\":\"Terms of sale\",\
         \"hash\":\"30313233343536373839abcdef00ff5f\",\"text\":\"Refunds take \\\"five\\\" days.\",\
         \"b.public\":true,\"n.year\":2024.0,\"t.lang\":\"en\",\"t.tags\":[\"a\",\"b\"]}}],\"namespace\":\"acme\"}"
    );
    let found = search(&store).unwrap();
    assert_eq!((&found[0].chunk, found[0].of), (&full.chunk, version(1, 2)));
}

#[test]
fn a_query_is_sent_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    search(&connected(&stub)).unwrap();
    assert_eq!(
        transcript(&stub.requests()[0]),
        "POST /query\n\
         api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\ncontent-type: application/json\n\
         {\"namespace\":\"acme\",\"topK\":5,\"vector\":[1.0,0.0,0.0],\"includeValues\":false,\"includeMetadata\":true}"
    );
}

#[test]
fn a_removal_lists_and_deletes_by_id_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    store.upsert(acme(), version(1, 1), &none(), &[north()]).unwrap();
    store.remove(acme(), document(1), None).unwrap();
    let headers = "api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\n";
    let requests = stub.requests();
    assert_eq!(
        transcript(&requests[1]),
        format!(
            "GET /vectors/list?namespace=acme&limit=100&prefix=01890000-0000-7000-8000-000000000001%23\n{headers}"
        )
    );
    assert_eq!(
        transcript(&requests[2]),
        format!(
            "POST /vectors/delete\n{headers}content-type: application/json\n\
             {{\"namespace\":\"acme\",\"ids\":[\"01890000-0000-7000-8000-000000000001#1#7\"]}}"
        )
    );
}

#[test]
fn clearing_and_counting_are_sent_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    store.clear(acme()).unwrap();
    store.count(acme()).unwrap();
    let headers = "api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\n";
    let requests = stub.requests();
    assert_eq!(
        transcript(&requests[0]),
        format!("DELETE /namespaces/acme\n{headers}")
    );
    assert_eq!(
        transcript(&requests[1]),
        format!("POST /describe_index_stats\n{headers}content-type: application/json\n{{}}")
    );
}

#[test]
fn the_path_of_a_host_is_kept() {
    let transport = Arc::new(MemoryTransport::queue([Ok(Answer::json(200, &json!({})))]));
    let host = "http://gateway.test/pinecone/";
    PineconeStore::connect(transport.clone(), &options(host), host, KEY.into())
        .unwrap()
        .count(acme())
        .unwrap();
    assert_eq!(transport.requests()[0].target, "/pinecone/describe_index_stats");
}

#[test]
fn many_chunks_go_in_batches_of_a_hundred() {
    let stub = PineconeStub::start(3, &[KEY]);
    let chunks: Vec<_> = (0..230).map(|n| chunk(n, "text", Some(&NORTH))).collect();
    connected(&stub)
        .upsert(acme(), version(1, 1), &none(), &chunks)
        .unwrap();
    let sizes: Vec<_> = stub
        .requests()
        .iter()
        .map(|request| request.json()["vectors"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 100, 30]);
}

#[test]
fn a_batch_that_is_too_large_for_the_service_is_halved() {
    let stub = PineconeStub::start(3, &[KEY]);
    stub.answer_next(Answer::new(413));
    let chunks: Vec<_> = (0..5).map(|n| chunk(n, "text", Some(&NORTH))).collect();
    connected(&stub)
        .upsert(acme(), version(1, 1), &none(), &chunks)
        .unwrap();
    assert_eq!(stub.namespaces(), [("acme".to_owned(), 5)]);
    assert_eq!(stub.requests().len(), 3);
    stub.answer_next(Answer::new(413));
    let refused = connected(&stub).upsert(acme(), version(1, 1), &none(), &chunks[..1]);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
}

#[test]
fn a_text_above_what_pinecone_keeps_is_refused_before_anything_is_sent() {
    let stub = PineconeStub::start(3, &[KEY]);
    let chunks = [north(), chunk(8, &"long ".repeat(8_000), Some(&NORTH))];
    let refused = connected(&stub).upsert(acme(), version(1, 1), &none(), &chunks);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
    assert_eq!(stub.requests().len(), 0);
}

#[test]
fn a_document_of_thousands_of_chunks_is_listed_by_page_and_deleted_by_the_thousand() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let chunks: Vec<_> = (0..1_050).map(|n| chunk(n, "", Some(&NORTH))).collect();
    store.upsert(acme(), version(1, 1), &none(), &chunks).unwrap();
    store
        .upsert(acme(), version(2, 1), &none(), &[chunk(0, "other", Some(&NORTH))])
        .unwrap();
    store.remove(acme(), document(1), None).unwrap();
    assert_eq!(stub.namespaces(), [("acme".to_owned(), 1)]);
    let deleted: Vec<_> = stub
        .requests()
        .iter()
        .filter(|request| request.path() == "/vectors/delete")
        .cloned()
        .collect();
    let sizes: Vec<_> = deleted
        .iter()
        .map(|request| request.json()["ids"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1_000, 50]);
}

#[test]
fn a_key_that_cannot_be_sent_is_refused_before_anything_is() {
    let transport = Arc::new(MemoryTransport::queue([]));
    for key in ["", " ", "pcsk_1\n", " pcsk_1", "pcsk 1", "pcsk_\u{0}1", "pcsk_é"] {
        let key = SecretString::from(key);
        let host = "http://index.test";
        let refused = PineconeStore::connect(transport.clone(), &options(host), host, key.clone()).map(drop);
        assert!(
            matches!(refused, Err(VectorError::Unauthorized(_))),
            "{refused:?}"
        );
        let refused = PineconeCatalog::new(transport.clone(), options(host))
            .indexes(&key)
            .map(drop);
        assert!(
            matches!(refused, Err(VectorError::Unauthorized(_))),
            "{refused:?}"
        );
    }
    assert_eq!(transport.requests().len(), 0);
}

#[test]
fn without_a_control_url_of_the_operator_a_key_goes_below_pinecone_io_by_https_alone() {
    let transport = Arc::new(MemoryTransport::new(|_| Ok(Answer::json(200, &json!({})))));
    let public = PineconeOptions::new(None, None).unwrap();
    let count = |host| {
        let store = PineconeStore::connect(transport.clone(), &public, host, KEY.into())?;
        store.count(acme())
    };
    for host in [
        "docs-1.svc.x.pinecone.io.evil.test",
        "evilpinecone.io",
        "http://docs-1.svc.x.pinecone.io",
        "https://docs-1.svc.x.pinecone.io@evil.test",
        "127.0.0.1:80",
        "",
        "a b",
        "file:///etc/passwd",
    ] {
        let refused = count(host);
        assert!(
            matches!(refused, Err(VectorError::Refused(_))),
            "{host}: {refused:?}"
        );
    }
    assert_eq!(transport.requests().len(), 0);
    assert_eq!(count("docs-1.svc.x.pinecone.io").unwrap(), 0);
    PineconeCatalog::new(transport.clone(), public)
        .indexes(&KEY.into())
        .unwrap();
    let hosts: Vec<_> = transport
        .requests()
        .iter()
        .map(|request| request.header("host").unwrap().to_owned())
        .collect();
    assert_eq!(hosts, ["docs-1.svc.x.pinecone.io", "api.pinecone.io"]);
}

#[test]
fn two_tenants_of_one_project_are_kept_apart_by_namespace() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    for tenant in ["acme", "globex"] {
        store
            .upsert(
                scope(tenant).index(Generation::FIRST),
                version(1, 1),
                &none(),
                &[chunk(0, tenant, Some(&NORTH))],
            )
            .unwrap();
    }
    assert_eq!(
        stub.namespaces(),
        [("acme".to_owned(), 1), ("globex".to_owned(), 1)]
    );
    let data = |request: &Recorded| request.path() != "/describe_index_stats";
    for request in stub.requests().iter().filter(|request| data(request)) {
        assert!(!request.json()["namespace"].as_str().unwrap().is_empty());
    }
}
