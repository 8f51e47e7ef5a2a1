use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::http::HttpSettings;
use crate::http::testing::{Answer, Parts, Server, delete, get, post, raw};

const BOUNDARY: &str = "multipart/form-data; boundary=XX";

fn upload(parts: &[(&str, &[u8])]) -> TestRequest {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    raw(Method::POST, "/documents", BOUNDARY, &body)
}

async fn add(server: &Server, name: &str, title: &str, text: &str) -> Answer {
    let new = json!({"title": title, "text": text});
    let made = server.call_as(name, post("/documents/", &new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

#[actix_web::test]
async fn a_document_is_added_shown_listed_and_removed() {
    let server = Server::new().await;
    let made = add(&server, "ada", "Returns", "Goods can be returned within 30 days.")
        .await
        .json();
    assert_eq!(
        (&made["state"], &made["media_type"]),
        (&json!("ready"), &json!("text/plain")),
        "{made}"
    );
    let path = format!("/documents/{}", made["id"].as_str().unwrap());
    let shown = server.call_as("ada", get(&path)).await.json();
    assert_eq!(shown, made);
    let with_text = server
        .call_as("ada", get(&format!("{path}/?include_text=true")))
        .await
        .json();
    assert_eq!(with_text["text"], json!("Goods can be returned within 30 days."));
    let list = server.call_as("ada", get("/documents")).await.json();
    assert_eq!((&list["total"], &list["items"][0]), (&json!(1), &made));

    let gone = server.call_as("ada", delete(&path)).await;
    assert_eq!((gone.status, gone.text()), (204, ""));
    server.call_as("ada", get(&path)).await.is(404, "not_found");
    server.call_as("ada", delete(&path)).await.is(404, "not_found");
}

#[actix_web::test]
async fn a_foreign_document_is_an_unknown_one_byte_for_byte() {
    let server = Server::new().await;
    let made = add(&server, "ada", "Secret", "Nobody else may read this.")
        .await
        .json();
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
            delete(&path),
        ] {
            let answer = server.call_as("grace", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(
        server
            .call_as("ada", get(&format!("/documents/{id}")))
            .await
            .status,
        200
    );
    assert_eq!(
        server.call_as("grace", get("/documents")).await.json()["total"],
        json!(0)
    );
}

#[actix_web::test]
async fn a_file_is_added_under_its_name_or_a_title() {
    let server = Server::new().await;
    for (head, title, media_type) in [
        (
            "name=\"file\"; filename=\"returns.md\"",
            "returns.md",
            "text/markdown",
        ),
        (
            "name=\"file\"; filename=\"/tmp/returns.txt\"",
            "returns.txt",
            "text/plain",
        ),
        (
            "name=\"file\"; filename=\"x.md\"\r\nContent-Type: text/plain; charset=utf-8",
            "x.md",
            "text/markdown",
        ),
        (
            "name=\"file\"; filename=\"notes\"\r\nContent-Type: text/plain",
            "notes",
            "text/plain",
        ),
    ] {
        let made = server
            .call_as("ada", upload(&[(head, b"# Returns\n\nWithin 30 days.")]))
            .await;
        assert_eq!(made.status, 201, "{head}: {}", made.text());
        let made = made.json();
        assert_eq!(
            (&made["title"], &made["media_type"]),
            (&json!(title), &json!(media_type))
        );
    }
    let titled = upload(&[
        ("name=\"title\"", "Rückgabe".as_bytes()),
        ("name=\"file\"; filename=\"a.txt\"", b"Within 30 days."),
    ]);
    assert_eq!(
        server.call_as("ada", titled).await.json()["title"],
        json!("Rückgabe")
    );
}

#[actix_web::test]
async fn a_bad_file_is_refused_and_not_stored() {
    let server = Server::new().await;
    let file = "name=\"file\"; filename=\"a.txt\"";
    for (parts, status, code) in [
        (vec![(file, b"\xff\xfe".as_slice())], 422, "invalid_request"),
        (vec![(file, b"a\0b")], 422, "invalid_request"),
        (vec![(file, b"  ")], 422, "invalid_request"),
        (vec![], 422, "invalid_request"),
        (vec![("name=\"title\"", b"only a title")], 422, "invalid_request"),
        (vec![(file, b"one"), (file, b"two")], 422, "invalid_request"),
        (
            vec![(file, b"one"), ("name=\"admin\"", b"1")],
            422,
            "invalid_request",
        ),
        (
            vec![("name=\"file\"; filename=\"a.pdf\"", b"%PDF")],
            415,
            "unsupported_media_type",
        ),
        (
            vec![(
                "name=\"file\"; filename=\"a.txt\"\r\nContent-Type: application/pdf",
                b"%PDF",
            )],
            415,
            "unsupported_media_type",
        ),
    ] {
        let answer = server.call_as("ada", upload(&parts)).await;
        answer.is(status, code);
    }
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
    assert_eq!(
        server.call_as("ada", get("/documents")).await.json()["total"],
        json!(0)
    );
}

#[actix_web::test]
async fn a_document_over_the_limit_is_refused_in_either_form() {
    let settings = HttpSettings {
        max_upload_bytes: 1_000,
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await;
    let text = "word ".repeat(400);
    let json = post("/documents", &json!({"title": "T", "text": text}));
    server.call_as("ada", json).await.is(413, "payload_too_large");
    let file = upload(&[("name=\"file\"; filename=\"a.txt\"", text.as_bytes())]);
    server.call_as("ada", file).await.is(413, "payload_too_large");
    let enormous = upload(&[(
        "name=\"file\"; filename=\"a.txt\"",
        "word ".repeat(20_000).as_bytes(),
    )]);
    server.call_as("ada", enormous).await.is(413, "payload_too_large");
}

#[actix_web::test]
async fn a_json_document_is_read_strictly() {
    let server = Server::new().await;
    for body in [
        json!({"title": "T"}),
        json!({"title": "T", "text": ""}),
        json!({"title": "", "text": "x"}),
        json!({"title": "T", "text": "a\u{0}b"}),
        json!({"title": "T", "text": "x", "media_type": "text/html"}),
        json!({"title": "T", "text": "x", "tenant_id": "globex"}),
        json!({"title": "T\nT", "text": "x"}),
    ] {
        server
            .call_as("ada", post("/documents", &body))
            .await
            .is(422, "invalid_request");
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
}

#[actix_web::test]
async fn documents_on_their_way_in_take_a_bounded_share_of_memory() {
    let mut settings = HttpSettings::default();
    settings.permits.wait = std::time::Duration::ZERO;
    let server = Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await;
    let crowd = server.crowd_documents().await;
    let refused = server
        .call_as(
            "ada",
            post("/documents", &json!({"title": "Fees", "text": "late"})),
        )
        .await;
    refused.is(503, "busy");
    assert!(refused.header("retry-after").is_some());
    let file = upload(&[("name=\"file\"; filename=\"a.txt\"", b"late")]);
    server.call_as("ada", file).await.is(503, "busy");
    drop(crowd);
    add(&server, "ada", "Fees", "late").await;
    // Each gave its room back.
    drop(server.crowd_documents().await);
}
