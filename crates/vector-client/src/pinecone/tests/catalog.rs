//! The catalog.

use super::*;

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
