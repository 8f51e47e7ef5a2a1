//! What answers mean.

use super::*;

#[test]
fn a_listing_that_repeats_a_page_ends_and_says_so() {
    let page = json!({"vectors": [{"id": format!("{}#1#0", document(1))}], "pagination": {"next": "again"}});
    let (store, transport) = scripted(vec![
        Answer::json(200, &page),
        Answer::json(200, &page),
        Answer::json(200, &json!({})),
    ]);
    let failure = store.remove(acme(), document(1), None).unwrap_err();
    assert!(matches!(failure, VectorError::Unavailable(_)), "{failure:?}");
    assert_eq!(transport.requests()[2].path(), "/vectors/delete");
}

#[test]
fn a_listing_of_more_than_was_asked_for_deletes_nothing_else() {
    let page = json!({"vectors": [{"id": format!("{}#1#0", document(1))}, {"id": format!("{}#1#0", document(2))}, {"id": "x"}]});
    let (store, transport) = scripted(vec![Answer::json(200, &page), Answer::json(200, &json!({}))]);
    store.remove(acme(), document(1), None).unwrap();
    assert_eq!(
        transport.requests()[1].json()["ids"],
        json!([format!("{}#1#0", document(1))])
    );
}

#[test]
fn records_that_were_written_by_something_else_are_not_matched() {
    let ours =
        json!({"document": document(1).to_string(), "ordinal": 7.0, "start": "0", "end": 5, "text": "ours"});
    let id = format!("{}#1#7", document(1));
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
    // More than five came, and one is ours: there may be others further off.
    let (store, _) = scripted(vec![Answer::json(200, &found), Answer::json(200, &found)]);
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
        (1.0, Some(0.5), None)
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
        scripted(missing()).0.remove(acme(), document(1), None).unwrap();
        scripted(missing()).0.clear(acme()).unwrap();
    }
}

#[test]
fn fields_that_pinecone_leaves_out_are_absent_and_numbers_may_be_text() {
    assert_eq!(
        search(&scripted(vec![Answer::json(200, &json!({}))]).0).unwrap(),
        []
    );
    let (store, _) = scripted(vec![Answer::json(200, &json!({"vectors": [], "pagination": {}}))]);
    store.remove(acme(), document(1), None).unwrap();
    for (stats, expected) in [
        (json!({}), 0),
        (json!({"namespaces": {"other": {"vectorCount": 5}}}), 0),
        (json!({"namespaces": {"acme": {}}}), 0),
        (json!({"namespaces": {"acme": {"vectorCount": 5}}}), 5),
        (json!({"namespaces": {"acme": {"vectorCount": "5"}}}), 5),
    ] {
        let (store, _) = scripted(vec![Answer::json(200, &stats)]);
        assert_eq!(store.count(acme()).unwrap(), expected, "{stats}");
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
            store()
                .upsert(acme(), version(1, 1), &none(), &[north()])
                .unwrap_err(),
            store().embeddings(acme(), document(1), &[hash("x")]).unwrap_err(),
            store().contents(acme()).unwrap_err(),
            search(&store()).unwrap_err(),
            store().remove(acme(), document(1), None).unwrap_err(),
            store().clear(acme()).unwrap_err(),
            store().count(acme()).unwrap_err(),
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
