//! The store and the catalog over real HTTP, against the stand-in.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tenantry_domain::{Dimension, TopK};
use tenantry_http_client::{Answer, HttpError, MemoryTransport, Recorded, Transport, UreqTransport};

use super::{PineconeCatalog, PineconeOptions, PineconeStore, PineconeStores};
use crate::conformance::{self, Capabilities, CatalogFixture, chunk, document, embedding, scope};
use crate::testing::PineconeStub;
use crate::{
    IndexCatalog, IndexDescription, IndexedChunk, Match, Metric, VectorError, VectorQuery, VectorStore,
};

const KEY: &str = "pcsk_4f9a1c";
const NORTH: [f32; 3] = [1.0, 0.0, 0.0];

fn options(url: &str) -> PineconeOptions {
    PineconeOptions::new(Some(url), None).unwrap()
}

fn connected(stub: &PineconeStub) -> PineconeStore {
    let transport = Arc::new(UreqTransport::new());
    PineconeStore::connect(transport, &options(&stub.url()), &stub.url(), KEY.into()).unwrap()
}

/// A store whose upstream gives one scripted answer after the other.
fn scripted(answers: Vec<Answer>) -> (PineconeStore, Arc<MemoryTransport>) {
    let transport = Arc::new(MemoryTransport::queue(answers.into_iter().map(Ok)));
    let host = "http://index.test";
    (
        PineconeStore::connect(transport.clone(), &options(host), host, KEY.into()).unwrap(),
        transport,
    )
}

fn north() -> IndexedChunk {
    chunk(document(1), 7, "Refunds take \"five\" days.", Some(&NORTH))
}

fn search(store: &PineconeStore) -> Result<Vec<Match>, VectorError> {
    let wanted = embedding(&NORTH);
    store.search(
        &scope("acme"),
        VectorQuery {
            text: "",
            embedding: Some(&wanted),
            limit: TopK::new(5).unwrap(),
        },
    )
}

/// A request as one readable text; the host differs from run to run.
fn transcript(request: &Recorded) -> String {
    let known = ["api-key", "x-pinecone-api-version", "content-type", "accept"];
    let head = request
        .headers
        .iter()
        .filter(|(name, _)| known.contains(&name.as_str()));
    let head: Vec<_> = head.map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{}{body}", request.method, request.target, head.concat())
}

#[test]
fn it_keeps_the_promises_of_a_vector_store() {
    let stub = PineconeStub::start(3, &[KEY]);
    conformance::vector_store(&connected(&stub), Capabilities { lexical: false });
}

#[test]
fn the_stores_keep_the_promises_of_remote_stores() {
    let stub = PineconeStub::start(3, &[KEY]);
    let stores = PineconeStores::new(Arc::new(UreqTransport::new()), options(&stub.url()));
    conformance::remote_stores(&stores, &stub.url(), &KEY.into());
}

#[test]
fn the_catalog_keeps_the_promises_of_an_index_catalog() {
    let mut fixture = CatalogFixture {
        api_key: KEY.into(),
        ..CatalogFixture::default()
    };
    let stub = PineconeStub::start(3, &[KEY]);
    fixture.indexes[0].host = Some(stub.url());
    stub.add_index(json!({
        "name": "sparse-1", "vector_type": "sparse", "metric": "dotproduct", "host": null,
        "status": {"ready": false, "state": "Initializing"},
        "spec": {"serverless": {"region": "us-east-1", "cloud": "aws"}}
    }));
    let catalog = PineconeCatalog::new(Arc::new(UreqTransport::new()), options(&stub.url()));
    conformance::index_catalog(&catalog, &fixture);
    assert!(
        stub.requests()
            .iter()
            .all(|request| request.path().starts_with("/indexes"))
    );
}

#[test]
fn an_upsert_is_sent_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    connected(&stub).upsert(&scope("acme"), &[north()]).unwrap();
    assert_eq!(
        transcript(&stub.requests()[0]),
        "POST /vectors/upsert\n\
         api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\ncontent-type: application/json\n\
         {\"vectors\":[{\"id\":\"01890000-0000-7000-8000-000000000001#7\",\"values\":[1.0,0.0,0.0],\"metadata\":\
         {\"document\":\"01890000-0000-7000-8000-000000000001\",\"ordinal\":7,\"start\":0,\"end\":25,\
         \"text\":\"Refunds take \\\"five\\\" days.\"}}],\"namespace\":\"acme\"}"
    );
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
    store.upsert(&scope("acme"), &[north()]).unwrap();
    store.remove_document(&scope("acme"), document(1)).unwrap();
    let headers = "api-key: pcsk_4f9a1c\nx-pinecone-api-version: 2026-04\naccept: application/json\n";
    let requests = stub.requests();
    assert_eq!(
        transcript(&requests[1]),
        format!(
            "GET /vectors/list?namespace=acme&prefix=01890000-0000-7000-8000-000000000001%23&limit=100\n{headers}"
        )
    );
    assert_eq!(
        transcript(&requests[2]),
        format!(
            "POST /vectors/delete\n{headers}content-type: application/json\n\
             {{\"namespace\":\"acme\",\"ids\":[\"01890000-0000-7000-8000-000000000001#7\"]}}"
        )
    );
}

#[test]
fn clearing_and_counting_are_sent_as_documented() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    store.clear(&scope("acme")).unwrap();
    store.count(&scope("acme")).unwrap();
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
        .count(&scope("acme"))
        .unwrap();
    assert_eq!(transport.requests()[0].target, "/pinecone/describe_index_stats");
}

#[test]
fn many_chunks_go_in_batches_of_a_hundred() {
    let stub = PineconeStub::start(3, &[KEY]);
    let chunks: Vec<_> = (0..230)
        .map(|n| chunk(document(1), n, "text", Some(&NORTH)))
        .collect();
    connected(&stub).upsert(&scope("acme"), &chunks).unwrap();
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
    let chunks: Vec<_> = (0..5)
        .map(|n| chunk(document(1), n, "text", Some(&NORTH)))
        .collect();
    connected(&stub).upsert(&scope("acme"), &chunks).unwrap();
    assert_eq!(stub.namespaces(), [("acme".to_owned(), 5)]);
    assert_eq!(stub.requests().len(), 3);
    stub.answer_next(Answer::new(413));
    let refused = connected(&stub).upsert(&scope("acme"), &chunks[..1]);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
}

#[test]
fn a_text_above_what_pinecone_keeps_is_refused_before_anything_is_sent() {
    let stub = PineconeStub::start(3, &[KEY]);
    let chunks = [
        north(),
        chunk(document(2), 0, &"long ".repeat(8_000), Some(&NORTH)),
    ];
    let refused = connected(&stub).upsert(&scope("acme"), &chunks);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
    assert_eq!(stub.requests().len(), 0);
}

#[test]
fn a_document_of_thousands_of_chunks_is_listed_by_page_and_deleted_by_the_thousand() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    let chunks: Vec<_> = (0..1_050)
        .map(|n| chunk(document(1), n, "", Some(&NORTH)))
        .collect();
    store.upsert(&scope("acme"), &chunks).unwrap();
    store
        .upsert(&scope("acme"), &[chunk(document(2), 0, "other", Some(&NORTH))])
        .unwrap();
    store.remove_document(&scope("acme"), document(1)).unwrap();
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
fn a_listing_that_repeats_a_page_ends_and_says_so() {
    let page = json!({"vectors": [{"id": format!("{}#0", document(1))}], "pagination": {"next": "again"}});
    let (store, transport) = scripted(vec![
        Answer::json(200, &page),
        Answer::json(200, &page),
        Answer::json(200, &json!({})),
    ]);
    let failure = store.remove_document(&scope("acme"), document(1)).unwrap_err();
    assert!(matches!(failure, VectorError::Unavailable(_)), "{failure:?}");
    assert_eq!(transport.requests()[2].path(), "/vectors/delete");
}

#[test]
fn a_listing_of_more_than_was_asked_for_deletes_nothing_else() {
    let page = json!({"vectors": [{"id": format!("{}#0", document(1))}, {"id": format!("{}#0", document(2))}, {"id": "x"}]});
    let (store, transport) = scripted(vec![Answer::json(200, &page), Answer::json(200, &json!({}))]);
    store.remove_document(&scope("acme"), document(1)).unwrap();
    assert_eq!(
        transport.requests()[1].json()["ids"],
        json!([format!("{}#0", document(1))])
    );
}

#[test]
fn records_that_were_written_by_something_else_are_not_matched() {
    let ours =
        json!({"document": document(1).to_string(), "ordinal": 7.0, "start": "0", "end": 5, "text": "ours"});
    let id = format!("{}#7", document(1));
    let mut without_text = ours.clone();
    without_text.as_object_mut().unwrap().remove("text");
    let found = json!({"results": [], "matches": [
        {"id": "a", "score": 0.9},
        {"id": "b", "score": 0.8, "metadata": null},
        {"id": "c", "score": 0.8, "metadata": {"text": "theirs", "document": "one"}},
        {"id": id, "score": 0.7, "metadata": without_text},
        {"id": "copied", "score": 0.7, "metadata": ours},
        {"score": 0.7},
        {"id": id, "score": 0.5, "metadata": ours, "values": [], "sparseValues": {}},
    ]});
    let (store, _) = scripted(vec![Answer::json(200, &found)]);
    let found = search(&store).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (
            found[0].chunk.text.as_str(),
            found[0].chunk.ordinal,
            found[0].chunk.span.end
        ),
        ("ours", 7, 5)
    );
    assert_eq!(
        (found[0].score.score, found[0].score.dense, found[0].score.lexical),
        (0.5, Some(0.5), None)
    );
}

#[test]
fn a_missing_namespace_is_emptiness() {
    for body in [
        json!({"code": 5, "message": "Namespace not found", "details": []}),
        json!({"status": 404, "error": {"code": "NOT_FOUND", "message": "Namespace not found"}}),
    ] {
        let missing = || vec![Answer::json(404, &body)];
        assert_eq!(search(&scripted(missing()).0).unwrap(), []);
        scripted(missing())
            .0
            .remove_document(&scope("acme"), document(1))
            .unwrap();
        scripted(missing()).0.clear(&scope("acme")).unwrap();
    }
}

#[test]
fn fields_that_pinecone_leaves_out_are_absent_and_numbers_may_be_text() {
    assert_eq!(
        search(&scripted(vec![Answer::json(200, &json!({}))]).0).unwrap(),
        []
    );
    let (store, _) = scripted(vec![Answer::json(200, &json!({"vectors": [], "pagination": {}}))]);
    store.remove_document(&scope("acme"), document(1)).unwrap();
    for (stats, expected) in [
        (json!({}), 0),
        (json!({"namespaces": {"other": {"vectorCount": 5}}}), 0),
        (json!({"namespaces": {"acme": {}}}), 0),
        (json!({"namespaces": {"acme": {"vectorCount": 5}}}), 5),
        (json!({"namespaces": {"acme": {"vectorCount": "5"}}}), 5),
    ] {
        let (store, _) = scripted(vec![Answer::json(200, &stats)]);
        assert_eq!(store.count(&scope("acme")).unwrap(), expected, "{stats}");
    }
}

#[test]
fn every_status_has_one_meaning() {
    type Expectation = fn(&VectorError) -> bool;
    let meanings: [(u16, Expectation); 16] = [
        (302, |error| matches!(error, VectorError::Refused(_))),
        (400, |error| matches!(error, VectorError::Refused(_))),
        (401, |error| matches!(error, VectorError::Unauthorized(_))),
        (402, |error| matches!(error, VectorError::Refused(_))),
        (403, |error| matches!(error, VectorError::Unauthorized(_))),
        (404, |error| matches!(error, VectorError::UnknownIndex(_))),
        (408, |error| matches!(error, VectorError::Unavailable(_))),
        (409, |error| matches!(error, VectorError::Refused(_))),
        (412, |error| matches!(error, VectorError::Refused(_))),
        (413, |error| matches!(error, VectorError::Refused(_))),
        (422, |error| matches!(error, VectorError::Refused(_))),
        (429, |error| {
            matches!(
                error,
                VectorError::RateLimited {
                    retry_after: None,
                    ..
                }
            )
        }),
        (500, |error| matches!(error, VectorError::Unavailable(_))),
        (502, |error| matches!(error, VectorError::Unavailable(_))),
        (503, |error| matches!(error, VectorError::Unavailable(_))),
        (504, |error| matches!(error, VectorError::Unavailable(_))),
    ];
    for (status, is_expected) in meanings {
        let store = || scripted(vec![Answer::new(status).body("<html>no</html>")]).0;
        let failures = [
            store().upsert(&scope("acme"), &[north()]).unwrap_err(),
            search(&store()).unwrap_err(),
            store().remove_document(&scope("acme"), document(1)).unwrap_err(),
            store().clear(&scope("acme")).unwrap_err(),
            store().count(&scope("acme")).unwrap_err(),
        ];
        for failure in failures {
            assert!(is_expected(&failure), "{status}: {failure:?}");
        }
    }
}

#[test]
fn each_shape_of_error_is_read_and_carries_the_request_id() {
    for (body, said) in [
        (
            json!({"status": 400, "error": {"code": "INVALID_ARGUMENT", "message": "bad name"}}).to_string(),
            "bad name",
        ),
        (
            json!({"code": 3, "message": "bad vector", "details": []}).to_string(),
            "bad vector",
        ),
        (json!({"error": "bad thing"}).to_string(), "bad thing"),
        (json!({"detail": "bad detail"}).to_string(), "bad detail"),
        ("Bad\r\n Request".to_owned(), "Bad   Request"),
        (String::new(), ""),
        (format!("{} and more", "x".repeat(300)), &"x".repeat(300)),
    ] {
        let answer = Answer::new(400)
            .header("x-pinecone-request-id", "r-17")
            .body(body);
        let (store, _) = scripted(vec![answer]);
        let VectorError::Refused(source) = search(&store).unwrap_err() else {
            panic!("{said}")
        };
        assert_eq!(
            source.to_string(),
            format!("pinecone answered 400: {said} (request id r-17)")
        );
    }
}

#[test]
fn a_limited_rate_says_how_long_to_wait() {
    let stub = PineconeStub::start(3, &[KEY]);
    let limited = json!({"code": 8, "message": "Too many requests", "details": []});
    stub.answer_next(Answer::json(429, &limited).header("retry-after", "7"));
    let failure = search(&connected(&stub)).unwrap_err();
    let VectorError::RateLimited { retry_after, .. } = &failure else {
        panic!("{failure:?}")
    };
    assert_eq!(*retry_after, Some(Duration::from_secs(7)));
    assert!(failure.is_transient());
}

#[test]
fn a_wrong_key_is_unauthorized_and_no_error_repeats_it() {
    let stub = PineconeStub::start(3, &["pcsk_other"]);
    let failure = search(&connected(&stub)).unwrap_err();
    assert!(matches!(failure, VectorError::Unauthorized(_)), "{failure:?}");
    stub.answer_next(Answer::json(
        401,
        &json!({"error": {"message": format!("Invalid key {KEY}!")}}),
    ));
    let VectorError::Unauthorized(source) = search(&connected(&stub)).unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(
        source.to_string(),
        "pinecone answered 401: Invalid key [api key]! (request id none)"
    );
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
fn debug_shows_no_key() {
    let transport = Arc::new(MemoryTransport::queue([]));
    let host = "http://index.test";
    let store = PineconeStore::connect(transport.clone(), &options(host), host, KEY.into()).unwrap();
    let catalog = PineconeCatalog::new(transport, options(host));
    assert!(!format!("{store:?} {catalog:?}").contains(KEY));
}

#[test]
fn without_a_control_url_of_the_operator_a_key_goes_below_pinecone_io_by_https_alone() {
    let transport = Arc::new(MemoryTransport::new(|_| Ok(Answer::json(200, &json!({})))));
    let public = PineconeOptions::new(None, None).unwrap();
    let count = |host| {
        let store = PineconeStore::connect(transport.clone(), &public, host, KEY.into())?;
        store.count(&scope("acme"))
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
fn no_answer_and_a_broken_answer_are_unavailable() {
    let (store, _) = scripted(Vec::new());
    assert!(matches!(search(&store), Err(VectorError::Unavailable(_))));
    for body in [
        "",
        "<html>",
        "{\"matches\":7}",
        "{\"matches\":[{\"id\":\"secret text\",\"score\":\"secret text\"}]}",
    ] {
        let (store, _) = scripted(vec![Answer::new(200).body(body)]);
        let VectorError::Unavailable(source) = search(&store).unwrap_err() else {
            panic!("{body}")
        };
        assert!(!source.to_string().contains("secret"), "{source}");
    }
    let timeout: Arc<dyn Transport> = Arc::new(MemoryTransport::new(|_| Err(HttpError::Timeout)));
    let host = "http://index.test";
    let store = PineconeStore::connect(timeout, &options(host), host, KEY.into()).unwrap();
    assert!(search(&store).unwrap_err().is_transient());
}

#[test]
fn both_forms_of_an_index_are_understood() {
    let of_2026_04 = json!({
        "name": "docs", "vector_type": "dense", "metric": "dotproduct", "dimension": 384,
        "status": {"ready": true, "state": "Ready"}, "host": "docs-1.svc.x.pinecone.io",
        "spec": {"pod": {"environment": "us-east-1-aws", "replicas": 1, "pod_type": "p1.x1"}},
        "deletion_protection": "disabled", "tags": null
    });
    let of_2026_07 = json!({
        "name": "docs", "status": {"ready": true, "state": "Ready"}, "host": "docs-1.svc.x.pinecone.io",
        "schema": {"fields": {"text": {"type": "string"}, "v": {"type": "dense_vector", "dimension": "384", "metric": "dotproduct"}}},
        "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
        "read_capacity": {"mode": "OnDemand"}
    });
    let expected = IndexDescription {
        name: "docs".into(),
        host: Some("docs-1.svc.x.pinecone.io".into()),
        dimension: Dimension::new(384).ok(),
        metric: Some(Metric::DotProduct),
        ready: true,
        environment: Some("us-east-1-aws".into()),
    };
    for form in [of_2026_04, of_2026_07] {
        let transport = Arc::new(MemoryTransport::queue([Ok(Answer::json(200, &form))]));
        let catalog = PineconeCatalog::new(transport, options("http://control.test"));
        assert_eq!(
            catalog.index(&KEY.into(), "docs").unwrap(),
            Some(expected.clone()),
            "{form}"
        );
    }
}

#[test]
fn an_index_that_is_still_being_made_has_no_host() {
    let transport = Arc::new(MemoryTransport::queue([Ok(Answer::json(
        200,
        &json!({"name": "docs", "host": null}),
    ))]));
    let found = PineconeCatalog::new(transport, options("http://control.test"))
        .index(&KEY.into(), "docs")
        .unwrap();
    let expected = IndexDescription {
        name: "docs".into(),
        host: None,
        dimension: None,
        metric: None,
        ready: false,
        environment: None,
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn a_name_that_no_index_has_is_not_asked_for() {
    let transport = Arc::new(MemoryTransport::queue([]));
    let catalog = PineconeCatalog::new(transport.clone(), options("http://control.test"));
    for name in ["", "Docs", "docs/..", "docs?x", "a_b", &"a".repeat(46)] {
        assert_eq!(catalog.index(&KEY.into(), name).unwrap(), None);
    }
    assert_eq!(transport.requests().len(), 0);
}

#[test]
fn two_tenants_of_one_project_are_kept_apart_by_namespace() {
    let stub = PineconeStub::start(3, &[KEY]);
    let store = connected(&stub);
    for tenant in ["acme", "globex"] {
        store
            .upsert(&scope(tenant), &[chunk(document(1), 0, tenant, Some(&NORTH))])
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
