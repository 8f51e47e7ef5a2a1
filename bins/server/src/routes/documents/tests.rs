use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, delete, get, post, put, raw};

const BOUNDARY: &str = "multipart/form-data; boundary=XX";

fn upload(parts: &[(&str, &[u8])]) -> TestRequest {
    upload_to("/documents", parts)
}

fn upload_to(path: &str, parts: &[(&str, &[u8])]) -> TestRequest {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    raw(Method::POST, path, BOUNDARY, &body)
}

fn with(change: impl FnOnce(&mut HttpSettings)) -> Parts {
    let mut settings = HttpSettings::default();
    change(&mut settings);
    Parts {
        settings,
        ..Parts::default()
    }
}

async fn total(server: &Server, name: &str) -> Value {
    server.call_as(name, get("/documents")).await.json()["total"].clone()
}

#[actix_web::test]
async fn a_document_is_taken_by_a_job_shown_listed_and_removed() {
    let server = Server::new().await;
    let new = json!({
        "title": "Returns", "text": "Goods can be returned within 30 days.",
        "external_id": "kb/1", "metadata": {"lang": "en", "year": 2026, "tags": ["a"], "open": true, "rate": 0.5}
    });
    let taken = server.call_as("ada", post("/documents/", &new)).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let job = taken.json();
    let location = format!("/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(taken.header("location"), Some(location.as_str()));
    assert_eq!(
        (&job["state"], &job["kind"], &job["percent"], &job["duplicate"]),
        (&json!("queued"), &json!("ingest"), &json!(0), &json!(false)),
        "{job}"
    );
    let path = format!("/documents/{}", job["document_id"].as_str().unwrap());
    let waiting = server.call_as("ada", get(&path)).await.json();
    assert_eq!(
        (&waiting["state"], &waiting["version"]),
        (&json!("pending"), &json!(0))
    );
    let without_text = server
        .call_as("ada", get(&format!("{path}?include_text=true")))
        .await;
    assert_eq!(without_text.json()["text"], json!(""));

    server.work();
    let shown = server.call_as("ada", get(&path)).await.json();
    assert_eq!(
        (
            &shown["state"],
            &shown["version"],
            &shown["media_type"],
            &shown["chunks"]
        ),
        (&json!("ready"), &json!(1), &json!("text/plain"), &json!(1)),
        "{shown}"
    );
    assert_eq!(
        (&shown["external_id"], &shown["metadata"]),
        (&new["external_id"], &new["metadata"])
    );
    assert_eq!(shown["content_hash"].as_str().unwrap().len(), 64);
    let with_text = server
        .call_as("ada", get(&format!("{path}/?include_text=true")))
        .await;
    assert_eq!(with_text.json()["text"], new["text"]);
    let list = server.call_as("ada", get("/documents")).await.json();
    assert_eq!((&list["total"], &list["items"][0]), (&json!(1), &shown));

    let gone = server.call_as("ada", delete(&path)).await;
    assert_eq!((gone.status, gone.text()), (204, ""));
    // It is gone at once, although no worker has removed it yet.
    server.call_as("ada", get(&path)).await.is(404, "not_found");
    server
        .call_as("ada", get(&format!("{path}/text")))
        .await
        .is(404, "not_found");
    assert_eq!(total(&server, "ada").await, json!(0));
    server.work();
    server.call_as("ada", delete(&path)).await.is(404, "not_found");
}

#[actix_web::test]
async fn a_list_is_narrowed_by_state_and_by_name() {
    let server = Server::new().await;
    server.add("ada", "Ready", "late fees").await;
    server.clock.advance(Duration::from_secs(1));
    let named = json!({"title": "Named", "text": "soon", "external_id": "kb/1"});
    server.call_as("ada", post("/documents", &named)).await;
    for (query, titles) in [
        ("state=ready", vec!["Ready"]),
        ("state=pending", vec!["Named"]),
        ("state=failed", vec![]),
        ("external_id=kb%2F1", vec!["Named"]),
        ("external_id=kb%2F2", vec![]),
        ("external_id=kb%2F1&state=ready", vec![]),
        ("limit=1&offset=1", vec!["Ready"]),
    ] {
        let list = server
            .call_as("ada", get(&format!("/documents?{query}")))
            .await
            .json();
        let found: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["title"].as_str().unwrap())
            .collect();
        assert_eq!(found, titles, "{query}");
    }
    let answer = server.call_as("ada", get("/documents?state=done")).await;
    answer.is(422, "invalid_request");
    assert!(answer.message().contains("`state`"));
    assert_eq!(total(&server, "grace").await, json!(0));
}

#[actix_web::test]
async fn the_same_file_is_a_duplicate_and_the_same_name_a_replacement() {
    let server = Server::new().await;
    let file = "name=\"file\"; filename=\"a.txt\"";
    let first = server.submit("ada", upload(&[(file, b"Within 30 days.")])).await;
    let again = server.call_as("ada", upload(&[(file, b"Within 30 days.")])).await;
    assert_eq!(again.status, 200, "{}", again.text());
    let again = again.json();
    assert_eq!(
        (
            &again["duplicate"],
            &again["id"],
            &again["document_id"],
            &again["state"]
        ),
        (&json!(true), &first["id"], &first["document_id"], &json!("done"))
    );
    let named = |content: &'static [u8]| upload(&[(file, content), ("name=\"external_id\"", b"kb/1")]);
    let one = server.submit("ada", named(b"one")).await;
    let two = server.submit("ada", named(b"two")).await;
    assert_eq!(one["document_id"], two["document_id"]);
    assert_eq!(server.document("ada", &two).await["version"], json!(2));
    // Another tenant's same file is its own.
    let other = server
        .submit("grace", upload(&[(file, b"Within 30 days.")]))
        .await;
    assert_ne!(other["document_id"], first["document_id"]);
}

#[actix_web::test]
async fn a_client_may_wait_for_the_end_of_the_job() {
    let server = Server::new().await;
    let new = json!({"title": "T", "text": "Within 30 days."});
    let asked = server.call_as("ada", post("/documents?wait=60", &new));
    let working = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            server.work();
        }
    };
    let answer = tokio::select! {
        answer = asked => answer,
        () = working => unreachable!(),
    };
    assert_eq!(
        (answer.status, &answer.json()["state"]),
        (202, &json!("done")),
        "{}",
        answer.text()
    );
    // Nobody does this one: the answer comes all the same.
    let other = json!({"title": "T", "text": "Within 60 days."});
    let answer = server.call_as("ada", post("/documents?wait=1", &other)).await;
    assert_eq!((answer.status, &answer.json()["state"]), (202, &json!("queued")));
    for wait in ["61", "-1", "x", "1.5"] {
        let answer = server
            .call_as("ada", post(&format!("/documents?wait={wait}"), &new))
            .await;
        answer.is(422, "invalid_request");
    }
}

#[actix_web::test]
async fn waiting_ends_with_what_was_seen_last_when_the_store_fails() {
    let server = Server::new().await;
    server
        .store
        .fail_when(|method| (method == "job").then(tenantry_tenant_store::testing::unavailable));
    let new = json!({"title": "T", "text": "Within 30 days."});
    let answer = server.call_as("ada", post("/documents?wait=60", &new)).await;
    assert_eq!((answer.status, &answer.json()["state"]), (202, &json!("queued")));
}

#[actix_web::test]
async fn a_foreign_document_is_an_unknown_one_byte_for_byte() {
    let server = Server::new().await;
    let made = server.add("ada", "Secret", "Nobody else may read this.").await;
    let id = made["id"].as_str().unwrap().to_owned();
    let mut heard = Vec::new();
    let (upper, long) = (id.to_uppercase(), "a".repeat(10_000));
    for id in [
        &id,
        "019a0000-0000-7000-8000-000000000000",
        "..",
        "%2e%2e%2f",
        &upper,
        "%00",
        "%C0%AE",
        &long,
    ] {
        let path = format!("/documents/{id}");
        for request in [
            get(&path),
            get(&format!("{path}?include_text=true")),
            get(&format!("{path}/text")),
            delete(&path),
        ] {
            let answer = server.call_as("grace", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let own = server.call_as("ada", get(&format!("/documents/{id}"))).await;
    assert_eq!(own.status, 200);
    assert_eq!(total(&server, "grace").await, json!(0));
}

#[actix_web::test]
async fn a_file_is_kept_under_its_name_or_a_title_whatever_the_order_of_fields() {
    let server = Server::new().await;
    for (content, head, title, media_type) in [
        (
            "one",
            "name=\"file\"; filename=\"returns.md\"",
            "returns.md",
            "text/markdown",
        ),
        (
            "two",
            "name=\"file\"; filename=\"/tmp/returns.txt\"",
            "returns.txt",
            "text/plain",
        ),
        (
            "three",
            "name=\"file\"; filename=\"notes\"\r\nContent-Type: text/markdown; charset=utf-8",
            "notes",
            "text/markdown",
        ),
        (
            "four",
            "name=\"file\"; filename=\"odd.txt\"\r\nContent-Type: application/x-unheard-of",
            "odd.txt",
            "text/plain",
        ),
    ] {
        let job = server.submit("ada", upload(&[(head, content.as_bytes())])).await;
        let made = server.document("ada", &job).await;
        assert_eq!(
            (&made["title"], &made["media_type"]),
            (&json!(title), &json!(media_type)),
            "{head}"
        );
    }
    let file = ("name=\"file\"; filename=\"a.txt\"", b"Within 30 days.".as_slice());
    let fields = [
        ("name=\"title\"", "Rückgabe".as_bytes()),
        ("name=\"external_id\"", b"kb/1"),
        ("name=\"metadata\"", br#"{"lang":"de"}"#),
    ];
    for parts in [
        [file, fields[0], fields[1], fields[2]],
        [fields[0], fields[1], fields[2], file],
    ] {
        let job = server.call_as("ada", upload(&parts)).await.json();
        server.work();
        let made = server.document("ada", &job).await;
        assert_eq!(
            (&made["title"], &made["external_id"], &made["metadata"]),
            (&json!("Rückgabe"), &json!("kb/1"), &json!({"lang": "de"}))
        );
    }
}

#[actix_web::test]
async fn what_cannot_be_read_ends_as_failed_with_a_reason() {
    let server = Server::new().await;
    for content in [b"\xff\xfe\x00\x01".as_slice(), b"a\0b", b"  \n "] {
        let head = "name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf";
        let job = server.call_as("ada", upload(&[(head, content)])).await;
        assert_eq!(job.status, 202, "{}", job.text());
        server.work();
        let path = format!("/jobs/{}", job.json()["id"].as_str().unwrap());
        let job = server.call_as("ada", get(&path)).await.json();
        assert_eq!(job["state"], json!("failed"), "{job}");
        let document = server.document("ada", &job).await;
        assert_eq!(
            (&document["state"], &document["failure"]),
            (&json!("failed"), &job["reason"])
        );
        assert!(job["reason"].is_string(), "{job}");
    }
}

#[actix_web::test]
async fn a_bad_form_is_refused_and_nothing_of_it_stays() {
    let server = Server::new().await;
    let file = "name=\"file\"; filename=\"a.txt\"";
    for (parts, place) in [
        (vec![(file, b"".as_slice())], "`file` is empty"),
        (vec![], "no `file`"),
        (vec![("name=\"title\"", b"only a title")], "no `file`"),
        (vec![(file, b"one"), (file, b"two")], "one `file`"),
        (vec![(file, b"one"), ("name=\"admin\"", b"1")], "one `file`"),
        (vec![(file, b"one"), ("name=\"title\"", b" ")], "`title` is empty"),
        (
            vec![(file, b"one"), ("name=\"external_id\"", b" a")],
            "`external_id`",
        ),
        (vec![(file, b"one"), ("name=\"title\"", b"a\0b")], "U+0000"),
        (vec![(file, b"one"), ("name=\"title\"", b"\xff")], "UTF-8"),
        (
            vec![(file, b"one"), ("name=\"metadata\"", br#"{"a":{"b":1}}"#)],
            "`metadata.a`",
        ),
        (vec![(file, b"one"), ("name=\"metadata\"", b"[]")], "`metadata`"),
    ] {
        let answer = server.call_as("ada", upload(&parts)).await;
        answer.is(422, "invalid_request");
        assert!(answer.message().contains(place), "{place}: {}", answer.text());
    }
    let answer = server
        .call_as("ada", upload(&[(file, b"one"), ("name=\"metadata\"", b"{")]))
        .await;
    answer.is(400, "invalid_json");
    assert_eq!(
        answer.message(),
        "the `metadata` is not JSON: see line 1, column 1"
    );
    for body in ["", "--XX", "--XX\r\nnonsense", "no boundary at all"] {
        let answer = server
            .call_as("ada", raw(Method::POST, "/documents", BOUNDARY, body.as_bytes()))
            .await;
        assert!(matches!(answer.status, 400 | 422), "{body:?}: {}", answer.text());
        answer.code();
    }
    let answer = server
        .call_as(
            "ada",
            raw(Method::POST, "/documents", "multipart/form-data", b"x"),
        )
        .await;
    answer.is(400, "bad_request");
    let coded = upload(&[(file, b"one")]).insert_header(("content-encoding", "gzip"));
    server
        .call_as("ada", coded)
        .await
        .is(415, "unsupported_media_type");
    assert_eq!(total(&server, "ada").await, json!(0));
    assert_eq!(
        server.call_as("ada", get("/jobs")).await.json()["total"],
        json!(0)
    );
}

#[actix_web::test]
async fn a_document_over_the_limit_is_refused_in_either_form() {
    let server = Server::with(with(|settings| {
        settings.max_text_bytes = 1_000;
        settings.max_upload_bytes = 2_000;
    }))
    .await;
    let text = "word ".repeat(300);
    let json = post("/documents", &json!({"title": "T", "text": text}));
    server.call_as("ada", json).await.is(413, "payload_too_large");
    let head = "name=\"file\"; filename=\"a.txt\"";
    let file = |words| upload(&[(head, "word ".repeat(words).as_bytes())]);
    assert_eq!(server.call_as("ada", file(400)).await.status, 202);
    for words in [401, 40_000] {
        server
            .call_as("ada", file(words))
            .await
            .is(413, "payload_too_large");
    }
    let long = upload(&[(head, b"x"), ("name=\"title\"", "x".repeat(5_000).as_bytes())]);
    server.call_as("ada", long).await.is(413, "payload_too_large");
    assert_eq!(total(&server, "ada").await, json!(1));
}

#[actix_web::test]
async fn a_file_of_several_parts_is_kept_whole() {
    let server = Server::new().await;
    let text = "A line of many words, which is not the last.\n".repeat(27_000);
    let job = server
        .submit(
            "ada",
            upload(&[("name=\"file\"; filename=\"a.txt\"", text.as_bytes())]),
        )
        .await;
    let document = server.document("ada", &job).await;
    assert_eq!(document["characters"], json!(text.len()));
    let path = format!("/documents/{}/text", document["id"].as_str().unwrap());
    let whole = server.call_as("ada", get(&path)).await;
    assert_eq!(
        (whole.status, whole.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    assert_eq!(whole.text(), text);
}

#[actix_web::test]
async fn a_text_that_is_replaced_while_it_is_given_is_cut_off() {
    use actix_web::body::MessageBody;
    let server = Server::new().await;
    let named = |text: &str| json!({"title": "T", "text": text, "external_id": "kb/1"});
    let long = "A line of many words, which is not the last.\n".repeat(14_000);
    let job = server.submit("ada", post("/documents", &named(&long))).await;
    let path = format!("/documents/{}/text", job["document_id"].as_str().unwrap());
    let request = crate::http::testing::bearer(get(&path), &server.token("ada"));
    let mut body = Box::pin(server.begin(request).await.into_body());
    let next = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    assert!(next.unwrap().is_ok());
    server.submit("ada", post("/documents", &named("short"))).await;
    let next = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    assert!(next.unwrap().is_err(), "the rest is not another text's");
}

#[actix_web::test]
async fn a_json_document_is_read_strictly() {
    let server = Server::new().await;
    for body in [
        json!({"title": "T"}),
        json!({"title": "T", "text": ""}),
        json!({"title": "T", "text": " \n"}),
        json!({"title": "", "text": "x"}),
        json!({"title": "T", "text": "a\u{0}b"}),
        json!({"title": "T", "text": "x", "media_type": "text/html"}),
        json!({"title": "T", "text": "x", "media_type": "nonsense"}),
        json!({"title": "T", "text": "x", "tenant_id": "globex"}),
        json!({"title": "T\nT", "text": "x"}),
        json!({"title": "T", "text": "x", "external_id": ""}),
        json!({"title": "T", "text": "x", "metadata": {"a": null}}),
        json!({"title": "T", "text": "x", "metadata": {"a": {"b": "c"}}}),
        json!({"title": "T", "text": "x", "metadata": {"a b": 1}}),
    ] {
        let answer = server.call_as("ada", post("/documents", &body)).await;
        answer.is(422, "invalid_request");
    }
    let text = raw(Method::POST, "/documents", "text/plain", b"x");
    server
        .call_as("ada", text)
        .await
        .is(415, "unsupported_media_type");
    let query = server
        .call_as("ada", get("/documents/x?include_text=maybe"))
        .await;
    query.is(422, "invalid_request");
    assert_eq!(total(&server, "ada").await, json!(0));
}

#[actix_web::test]
async fn a_tenant_whose_index_another_tool_fills_takes_no_documents() {
    let server = Server::new().await;
    let external = json!({"pinecone_api_key": crate::http::testing::PINECONE_KEY, "pinecone_external": {}});
    let saved = server
        .call_as("root", put("/admin/tenants/acme", &external))
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let new = json!({"title": "T", "text": "x"});
    server
        .call_as("ada", post("/documents", &new))
        .await
        .is(409, "read_only");
    let file = upload(&[("name=\"file\"; filename=\"a.txt\"", b"x")]);
    server.call_as("ada", file).await.is(409, "read_only");
    // Others are not concerned.
    server.add("grace", "T", "x").await;
}

#[actix_web::test]
async fn documents_of_one_tenant_on_their_way_in_leave_room_for_others() {
    let server = Server::with(with(|settings| settings.permits.wait = Duration::ZERO)).await;
    let crowd = server.crowd_documents("acme").await;
    let new = json!({"title": "Fees", "text": "late"});
    let refused = server.call_as("ada", post("/documents", &new)).await;
    refused.is(503, "busy");
    assert!(refused.header("retry-after").is_some());
    let file = || upload(&[("name=\"file\"; filename=\"a.txt\"", b"late")]);
    server.call_as("ada", file()).await.is(503, "busy");
    server.add("grace", "Fees", "late").await;
    server
        .submit(
            "grace",
            upload(&[("name=\"file\"; filename=\"a.txt\"", b"later")]),
        )
        .await;
    drop(crowd);
    server.add("ada", "Fees", "late").await;
    // Each gave its room back.
    drop((
        server.crowd_documents("acme").await,
        server.crowd_documents("globex").await,
    ));
}
