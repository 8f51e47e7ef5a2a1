//! An index that another tool fills.

use super::*;

fn external(stub: &PineconeStub) -> PineconeRecordIndex {
    let transport = Arc::new(UreqTransport::new());
    PineconeRecordIndex::connect(transport, &options(&stub.url()), &stub.url(), KEY.into()).unwrap()
}

fn written(value: MetadataValue) -> Value {
    match value {
        MetadataValue::Text(text) => json!(text),
        MetadataValue::Number(number) => json!(number),
        MetadataValue::Bool(holds) => json!(holds),
        MetadataValue::Texts(texts) => json!(texts),
    }
}

/// A stand-in with the records of the suite.
fn filled() -> PineconeStub {
    let stub = PineconeStub::start(3, &[KEY]);
    for record in conformance::foreign_records() {
        let fields: serde_json::Map<_, _> = record
            .fields
            .into_iter()
            .map(|(key, value)| (key, written(value)))
            .collect();
        let record_json = json!({"id": record.id, "values": record.embedding.as_slice(), "metadata": fields});
        stub.fill(record.namespace, &[record_json]);
    }
    stub
}

fn nearest(records: &dyn RecordIndex, text_field: &str, limit: u16) -> Vec<String> {
    let wanted = embedding(&NORTH);
    let query = RecordQuery {
        embedding: &wanted,
        limit: TopK::new(limit).unwrap(),
        filter: None,
        with_embeddings: true,
    };
    let index = ExternalIndex {
        namespace: String::new(),
        text_field: text_field.to_owned(),
    };
    let found = records.search(&index, query).unwrap();
    found.into_iter().map(|record| record.id).collect()
}

#[test]
fn it_keeps_the_promises_of_a_record_index_and_never_writes() {
    let stub = filled();
    let before = stub.namespaces();
    conformance::record_index(&external(&stub));
    let reads = ["/query", "/vectors/fetch", "/describe_index_stats"];
    for request in stub.requests() {
        assert!(reads.contains(&request.path()), "{request:?}");
    }
    assert_eq!(stub.namespaces(), before);
}

#[test]
fn a_query_of_the_default_namespace_names_it() {
    let stub = filled();
    nearest(&external(&stub), "body", 3);
    let query = sent(&stub, "/query")[0].json();
    assert_eq!(query["namespace"], json!(""));
    assert_eq!(query.get("filter"), None);
}

#[test]
fn records_without_text_do_not_crowd_the_others_out() {
    let stub = filled();
    let blank: Vec<_> = (0..40)
        .map(|n| json!({"id": format!("blank-{n}"), "values": NORTH, "metadata": {"year": n}}))
        .collect();
    stub.fill("", &blank);
    assert_eq!(nearest(&external(&stub), "body", 2), ["a", "b/1#\"é\""]);
    assert_eq!(sent(&stub, "/query").len(), 2);
}

#[test]
fn an_opening_of_a_host_reads_records_and_refuses_what_a_store_would() {
    let stub = filled();
    let stores = PineconeStores::new(Arc::new(UreqTransport::new()), options(&stub.url()));
    let records = crate::RemoteStores::open_external(&stores, &stub.url(), &KEY.into()).unwrap();
    assert_eq!(nearest(records.as_ref(), "text", 5), ["d"]);
    let refused = crate::RemoteStores::open_external(&stores, "a b", &KEY.into()).map(drop);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
}
