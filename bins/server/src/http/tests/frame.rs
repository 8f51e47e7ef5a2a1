//! What every answer has around it.

use actix_web::http::Method;
use serde_json::json;

use crate::http::testing::{Server, bearer, get, post};

#[actix_web::test]
async fn every_answer_carries_the_security_headers() {
    let server = Server::new().await;
    let token = server.token("ada");
    for request in [
        get("/healthz"),
        get("/nowhere"),
        get("/users/me"),
        get("/docs"),
        get("/openapi.json"),
        get("/chat"),
        get("/chat").method(Method::OPTIONS),
        bearer(get("/documents"), &token),
        bearer(post("/chat", &json!({"message": "x", "stream": true})), &token),
    ] {
        let answer = server.call(request).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert_eq!(answer.header("server"), None);
    }
}

#[actix_web::test]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let server = Server::new().await;
    for id in ["a", "0190-Az_9.x", &"a".repeat(64)] {
        let answer = server
            .call(get("/nowhere").insert_header(("x-request-id", id)))
            .await;
        answer.is(404, "not_found");
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
    let mut made = Vec::new();
    for id in [
        "",
        " ",
        "a b",
        "a\"b",
        "<script>",
        "a\u{e4}",
        "a,b",
        &"a".repeat(65),
    ] {
        let answer = server
            .call(get("/healthz").insert_header(("x-request-id", id.as_bytes())))
            .await;
        made.push(answer.header("x-request-id").unwrap().to_owned());
    }
    assert!(made.iter().all(|id| id.len() == 32), "{made:?}");
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 8, "each its own");
}

#[actix_web::test]
async fn a_method_that_an_address_does_not_have_is_405_with_those_that_it_has() {
    let server = Server::new().await;
    for (path, method, allow) in [
        ("/healthz", Method::POST, "GET, HEAD, OPTIONS"),
        ("/chat", Method::GET, "POST, OPTIONS"),
        ("/chat", Method::HEAD, "POST, OPTIONS"),
        ("/chat/", Method::PATCH, "POST, OPTIONS"),
        ("/documents", Method::DELETE, "GET, HEAD, POST, OPTIONS"),
        (
            "/admin/tenants/acme",
            Method::POST,
            "GET, HEAD, PUT, DELETE, OPTIONS",
        ),
        (
            "/admin/tenants/acme/",
            Method::TRACE,
            "GET, HEAD, PUT, DELETE, OPTIONS",
        ),
        (
            "/%61dmin/tenants",
            Method::from_bytes(b"BREW").unwrap(),
            "GET, HEAD, POST, OPTIONS",
        ),
    ] {
        let answer = server.call(get(path).method(method.clone())).await;
        answer.is(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        let answer = server.call(get(path).method(Method::OPTIONS)).await;
        assert_eq!((answer.status, answer.header("allow")), (204, Some(allow)));
    }
    for method in [
        Method::GET,
        Method::POST,
        Method::OPTIONS,
        Method::HEAD,
        Method::TRACE,
    ] {
        server
            .call(get("/nowhere").method(method))
            .await
            .is(404, "not_found");
    }
}

#[actix_web::test]
async fn head_is_answered_as_get() {
    let server = Server::new().await;
    for path in ["/healthz", "/openapi.json", "/docs/"] {
        assert_eq!(server.call(get(path).method(Method::HEAD)).await.status, 200);
    }
    server
        .call(get("/users/me").method(Method::HEAD))
        .await
        .is(401, "unauthenticated");
}

#[actix_web::test]
async fn one_slash_at_the_end_makes_no_difference() {
    let server = Server::new().await;
    for path in [
        "/healthz",
        "/openapi.json",
        "/users/me",
        "/admin/tenants",
        "/admin/tenants/acme",
        "/admin/users",
        "/documents",
    ] {
        let with = format!("{path}/");
        let name = if path == "/documents" { "ada" } else { "root" };
        let (without, with) = (
            server.call_as(name, get(path)).await,
            server.call_as(name, get(&with)).await,
        );
        assert_eq!((without.status, with.status), (200, 200), "{path}");
        assert_eq!(without.text(), with.text());
        assert_eq!(with.header("location"), None);
    }
    let page = server.call_as("root", get("/admin/tenants/?limit=1")).await;
    assert_eq!(
        page.json()["items"].as_array().unwrap().len(),
        1,
        "the query is kept"
    );
}
