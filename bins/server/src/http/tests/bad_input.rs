//! Bodies that are no use: one clear error each, nothing stored, the server unharmed.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::http::HttpSettings;
use crate::http::testing::{Answer, Parts, Server, get, post, raw};

fn body(bytes: impl AsRef<[u8]>) -> TestRequest {
    raw(Method::POST, "/admin/tenants", "application/json", bytes.as_ref())
}

async fn check(server: &Server, request: TestRequest, status: u16, code: &str) -> Answer {
    let answer = server.call_as("root", request).await;
    answer.is(status, code);
    let tenants = server.call_as("root", get("/admin/tenants")).await;
    assert_eq!(tenants.json()["total"], json!(2), "something was stored");
    answer
}

#[actix_web::test]
async fn what_is_not_json_is_named_by_its_place_and_not_repeated() {
    let server = Server::new().await;
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep_field = format!("{{\"id\":\"deep\",\"name\":\"X\",\"more\":{}}}", deep(10_000));
    for (bytes, place) in [
        (b"".as_slice(), "it is empty"),
        (b" \n", "it is empty"),
        (b"[1", "line 1, column 2"),
        (b"{", "line 1, column 1"),
        (b"{\"id\":\n  secret-word}", "line 2, column 3"),
        (b"{\"id\":\"a\xff\"}", "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"{\"id\":\"a\",\"name\":\"b\"} trailing", "line 1, column 23"),
        (b"{\"id\":\"a\0b\"}", "line 1, column 9"),
        (b"{\"id\":\"\\ud800\"}", "line 1"),
        (b"NaN", "line 1, column 1"),
        (deep(33).as_bytes(), "32 levels"),
        (deep(200_000 / 2).as_bytes(), "32 levels"),
        (deep_field.as_bytes(), "32 levels"),
    ] {
        let answer = check(&server, body(bytes), 400, "invalid_json").await;
        assert!(answer.message().contains(place), "{}", answer.message());
        assert!(!answer.text().contains("secret-word"));
    }
}

#[actix_web::test]
async fn json_of_another_shape_is_named_by_what_was_expected() {
    let server = Server::new().await;
    for (text, expected) in [
        ("{}", "missing field `id`"),
        ("{\"id\":\"x\"}", "missing field `name`"),
        (
            "{\"id\":\"x\",\"name\":\"X\",\"is_active\":false}",
            "unknown field, expected one of `id`, `name`",
        ),
        (
            "{\"id\":\"x\",\"name\":\"X\",\"pinecone_host\":\"secret-word\"}",
            "unknown field",
        ),
        ("{\"secret-word\":1}", "unknown field"),
        (
            "{\"id\":1,\"name\":\"X\"}",
            "`id` does not fit: expected a string at line 1",
        ),
        ("{\"id\":{\"secret-word\":1},\"name\":\"X\"}", "expected a string"),
        (
            "{\"id\":\"x\",\"id\":\"y\",\"name\":\"X\"}",
            "duplicate field `id`",
        ),
        ("[1]", "expected an object"),
        ("[\"list\",\"List\"]", "expected an object"),
        ("\"secret-word, expected secret-word\"", "expected an object"),
        ("null", "expected an object"),
        ("{\"id\":\"x\",\"name\":\"a\\u0000b\"}", "U+0000"),
        ("{\"id\\u0000\":\"x\"}", "U+0000"),
    ] {
        let answer = check(&server, body(text), 422, "invalid_request").await;
        assert!(
            answer.message().contains(expected),
            "{text}: {}",
            answer.message()
        );
        assert!(!answer.text().contains("secret-word"), "{}", answer.text());
    }
}

#[actix_web::test]
async fn only_json_in_utf_8_and_uncompressed_is_taken() {
    let server = Server::new().await;
    let json = b"{\"id\":\"x\",\"name\":\"X\"}";
    for content_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "json",
    ] {
        let request = raw(Method::POST, "/admin/tenants", content_type, json);
        check(&server, request, 415, "unsupported_media_type").await;
    }
    let untyped = get("/admin/tenants")
        .method(Method::POST)
        .set_payload(json.as_slice());
    check(&server, untyped, 415, "unsupported_media_type").await;
    let twice = body(json).append_header(("content-type", "application/json"));
    check(&server, twice, 415, "unsupported_media_type").await;
    let compressed = body(json).insert_header(("content-encoding", "gzip"));
    check(&server, compressed, 415, "unsupported_media_type").await;
}

#[actix_web::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_says_so() {
    let settings = HttpSettings {
        max_json_bytes: 100,
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await;
    let long = format!("{{\"id\":\"x\",\"name\":\"{}\"}}", "X".repeat(100));
    check(&server, body(&long), 413, "payload_too_large").await;
    let declared = body("{}").insert_header(("content-length", "101"));
    check(&server, declared, 413, "payload_too_large").await;
    // The length that is declared is not relied on.
    let understated = body(&long).insert_header(("content-length", "2"));
    check(&server, understated, 413, "payload_too_large").await;
    let form = raw(
        Method::POST,
        "/token",
        "application/x-www-form-urlencoded",
        format!("username=a&password={}", "x".repeat(20_000)).as_bytes(),
    );
    check(&server, form, 413, "payload_too_large").await;
}

#[actix_web::test]
async fn an_anonymous_body_is_not_even_read() {
    let server = Server::new().await;
    let long = vec![b'x'; 20_000_000];
    for path in ["/admin/tenants", "/documents", "/search", "/chat", "/admin/users"] {
        let answer = server
            .call(raw(Method::POST, path, "application/json", &long))
            .await;
        answer.is(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn a_panic_is_an_error_like_any_other() {
    async fn panics() -> &'static str {
        panic!("secret-word")
    }
    let settings = HttpSettings {
        cors_origins: vec!["https://app.example.org".into()],
        ..HttpSettings::default()
    };
    let server = Server::serving(
        Parts {
            settings,
            ..Parts::default()
        },
        |config| {
            config.route("/panics", actix_web::web::get().to(panics));
        },
    )
    .await;
    for _ in 0..3 {
        let answer = server
            .call(get("/panics").insert_header(("origin", "https://app.example.org")))
            .await;
        answer.is(500, "internal_error");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://app.example.org")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(!answer.text().contains("secret-word"));
    }
    assert_eq!(server.call(get("/healthz")).await.status, 200);
}

#[actix_web::test]
async fn a_tenant_cannot_be_made_twice_by_two_requests_at_once() {
    let server = Server::new().await;
    let new = || {
        server.call_as(
            "root",
            post("/admin/tenants", &json!({"id": "twin", "name": "Twin"})),
        )
    };
    let (one, other) = futures_util::future::join(new(), new()).await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}
