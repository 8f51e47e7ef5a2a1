//! Sends every kind of request that the Pinecone store and catalog know to validating mocks of Pinecone's API description
//! (Prism); what they answer is a fixed example and means nothing, that they accept the request does.
#![cfg(feature = "prism-tests")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::{Arc, Mutex};

use serde_json::json;
use tenantry_domain::{Bound, Bounds, ExternalIndex, Filter, Generation, MetadataValue, TopK};
use tenantry_http_client::{
    Cancel, HttpError, Method, Request, Response, StreamResponse, Transport, Trust, UreqTransport,
};
use tenantry_vector_client::conformance::{chunk, document, embedding, hash, metadata, scope, version};
use tenantry_vector_client::{
    IndexCatalog, PineconeCatalog, PineconeOptions, PineconeRecordIndex, PineconeStore, RecordIndex,
    RecordQuery, VectorQuery, VectorStore,
};
use url::Url;

/// The address of a mock; without it the test has nothing to check and must not pass.
fn mock(variable: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "only the caller of this test knows where the mocks listen"
    )]
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} must name a Prism mock, as http://127.0.0.1:4010"))
}

/// Notes every request with its status, and lets a listing have the ids that are asked for.
#[derive(Default)]
struct Noting {
    inner: UreqTransport,
    statuses: Mutex<Vec<(String, u16)>>,
}

impl Transport for Noting {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut response = self.inner.send(request)?;
        let call = format!("{:?} {}", request.method, request.url.path());
        self.statuses.lock().unwrap().push((call, response.status));
        if request.url.path().ends_with("/vectors/list") {
            response.body = json!({"vectors": [{"id": format!("{}#1#0", document(1))}]})
                .to_string()
                .into();
        }
        Ok(response)
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        self.inner.stream(request, cancel)
    }
}

/// Every operator that is ever sent.
fn every_operator() -> Filter {
    let (one, two) = (MetadataValue::Number(1.0), MetadataValue::Number(2.0));
    let bound = |value: &MetadataValue, inclusive| {
        let value = value.clone();
        Some(Bound { value, inclusive })
    };
    let range = |inclusive| {
        let (lower, upper) = (bound(&one, inclusive), bound(&two, inclusive));
        Filter::Range("year".into(), Bounds { lower, upper })
    };
    let many = Filter::In("year".into(), vec![one.clone(), two.clone()]);
    let same = Filter::Eq("lang".into(), MetadataValue::Text("en".into()));
    let not = |filter: &Filter| Filter::Not(Box::new(filter.clone()));
    let both = Filter::And(vec![same.clone(), range(true), range(false), many.clone()]);
    Filter::Or(vec![both, not(&same), not(&many)])
}

#[test]
fn every_request_is_as_the_description_says() {
    let (data, control) = (
        mock("PINECONE_PRISM_DATA_URL"),
        mock("PINECONE_PRISM_CONTROL_URL"),
    );
    let transport = Arc::new(Noting::default());
    let options = PineconeOptions::new(Some(&control), None).unwrap();
    let catalog = PineconeCatalog::new(transport.clone(), options.clone());
    drop(catalog.index(&"pcsk_1".into(), "docs"));
    drop(catalog.indexes(&"pcsk_1".into()));

    let store = PineconeStore::connect(transport.clone(), &options, &data, "pcsk_1".into()).unwrap();
    let (tenant, wanted, filter) = (scope("acme"), embedding(&[1.0, 2.0, 3.0]), every_operator());
    let index = tenant.index(Generation::new(2).unwrap());
    let mut indexed = chunk(0, "some \"text\"", Some(&[1.0, 2.0, 3.0]));
    indexed.chunk.headings = vec!["Terms".into()];
    indexed.chunk.page = Some(1);
    let of = metadata([
        ("lang", MetadataValue::Text("en".into())),
        ("tags", MetadataValue::Texts(vec!["a".into(), "b".into()])),
        ("public", MetadataValue::Bool(true)),
    ]);
    drop(store.upsert(index, version(1, 1), &of, &[indexed]));
    let query = VectorQuery {
        embedding: Some(&wanted),
        ..VectorQuery::words("", TopK::new(5).unwrap())
    };
    drop(store.search(index, query));
    drop(store.search(
        index,
        VectorQuery {
            filter: Some(&filter),
            ..query
        },
    ));
    drop(store.embeddings(index, document(1), &[hash("some \"text\"")]));
    drop(store.contents(index));
    drop(store.remove(index, document(1), None));
    drop(store.count(index));
    drop(store.clear(index));
    let records = PineconeRecordIndex::connect(transport.clone(), &options, &data, "pcsk_1".into()).unwrap();
    let external = ExternalIndex {
        namespace: String::new(),
        text_field: "text".into(),
    };
    drop(records.search(
        &external,
        RecordQuery {
            embedding: &wanted,
            limit: TopK::new(5).unwrap(),
            filter: Some(&filter),
            with_embeddings: false,
        },
    ));

    let statuses = transport.statuses.lock().unwrap().clone();
    let calls: Vec<_> = statuses.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "Get /indexes/docs",
            "Get /indexes",
            "Post /vectors/upsert",
            "Post /query",
            "Post /query",
            "Get /vectors/list",
            "Get /vectors/fetch",
            "Get /vectors/list",
            "Get /vectors/list",
            "Post /vectors/delete",
            "Post /describe_index_stats",
            "Delete /namespaces/acme.2",
            "Post /query",
        ]
    );
    assert!(
        statuses.iter().all(|(_, status)| (200..300).contains(status)),
        "{statuses:?}"
    );
}

#[test]
fn the_mock_refuses_a_misspelled_request() {
    let url = Url::parse(&format!("{}/query", mock("PINECONE_PRISM_DATA_URL"))).unwrap();
    let request = Request::new(Method::Post, url, Trust::Operator)
        .secret_header("api-key", "", "pcsk_1".into())
        .header("x-pinecone-api-version", "2026-04")
        .json(&json!({"top_k": 5, "vector": [1.0], "namespace": "acme"}))
        .unwrap();
    assert_eq!(UreqTransport::new().send(&request).unwrap().status, 422);
}
