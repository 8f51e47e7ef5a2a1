//! Which pages of other origins may read answers.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::http::HttpSettings;
use crate::http::testing::{Answer, Parts, Server, bearer, get, post};

const APP: &str = "https://app.example.org";
const FOREIGN: &[&str] = &[
    "https://evil.example.org",
    "https://app.example.org.evil.example",
    "http://app.example.org",
    "https://app.example.org:444",
    "https://APP.example.org",
    "https://app.example.org/",
    "null",
    "*",
    "",
];

async fn server() -> Server {
    let cors_origins = vec![APP.to_owned(), "http://localhost:3000".to_owned()];
    let settings = HttpSettings {
        cors_origins,
        max_json_bytes: 100,
        ..HttpSettings::default()
    };
    Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await
}

fn preflight(path: &str, origin: &str, method: &str) -> TestRequest {
    get(path)
        .method(Method::OPTIONS)
        .insert_header(("origin", origin))
        .insert_header(("access-control-request-method", method))
        .insert_header(("access-control-request-headers", "authorization, content-type"))
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[actix_web::test]
async fn a_preflight_of_an_allowed_origin_passes_without_a_token() {
    let server = server().await;
    for path in ["/chat", "/admin/tenants/", "/admin/tenants/acme", "/documents"] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let answer = server.call(preflight(path, APP, method)).await;
            assert_eq!(
                (answer.status, allowed(&answer)),
                (200, Some(APP)),
                "{path} {method}"
            );
            let methods = answer.header("access-control-allow-methods").unwrap();
            assert!(methods.contains(method), "{methods}");
            assert!(
                answer
                    .header("access-control-allow-headers")
                    .unwrap()
                    .contains("authorization")
            );
            assert_eq!(answer.header("access-control-max-age"), Some("600"));
            assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
}

#[actix_web::test]
async fn a_page_may_use_the_client_of_openai() {
    let server = server().await;
    let headers = "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,\
        x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-helper-method";
    let asked = preflight("/v1/chat/completions", APP, "POST")
        .insert_header(("access-control-request-headers", headers));
    let answer = server.call(asked).await;
    assert_eq!((answer.status, allowed(&answer)), (200, Some(APP)));
}

#[actix_web::test]
async fn a_preflight_of_another_origin_is_refused_in_our_shape() {
    let server = server().await;
    for origin in FOREIGN {
        let answer = server.call(preflight("/chat", origin, "POST")).await;
        answer.is(403, "origin_not_allowed");
        assert_eq!(allowed(&answer), None, "{origin}");
    }
    server
        .call(preflight("/chat", APP, "PATCH"))
        .await
        .is(403, "origin_not_allowed");
    let header = preflight("/chat", APP, "POST").insert_header(("access-control-request-headers", "x-evil"));
    server.call(header).await.is(403, "origin_not_allowed");
}

#[actix_web::test]
async fn every_answer_tells_an_allowed_origin_so() {
    let server = server().await;
    let from_app = |request: TestRequest| request.insert_header(("origin", APP));
    let token = server.token("ada");
    let long = "x".repeat(200);
    for (request, status) in [
        (get("/healthz"), 200),
        (get("/users/me"), 401),
        (bearer(get("/admin/tenants"), &token), 403),
        (get("/nowhere"), 404),
        (get("/chat"), 405),
        (bearer(post("/search", &json!({"query": long})), &token), 413),
        (bearer(get("/search").method(Method::POST), &token), 415),
        (bearer(post("/search", &json!({"query": ""})), &token), 422),
    ] {
        let answer = server.call(from_app(request)).await;
        assert_eq!(
            (answer.status, allowed(&answer)),
            (status, Some(APP)),
            "{}",
            answer.text()
        );
        assert!(
            answer
                .header("access-control-expose-headers")
                .unwrap()
                .contains("x-request-id")
        );
    }
    server.fail_store();
    let answer = server.call(from_app(bearer(get("/documents"), &token))).await;
    assert_eq!((answer.status, allowed(&answer)), (503, Some(APP)));
}

#[actix_web::test]
async fn no_answer_tells_another_origin_anything() {
    let server = server().await;
    for origin in FOREIGN {
        for request in [
            get("/healthz"),
            get("/users/me"),
            get("/nowhere"),
            get("/openapi.json"),
        ] {
            let answer = server.call(request.insert_header(("origin", *origin))).await;
            assert_eq!(allowed(&answer), None, "{origin}");
        }
    }
    let answer = server.call(get("/healthz")).await;
    assert_eq!(allowed(&answer), None, "no origin, no header");
}

#[actix_web::test]
async fn without_configured_origins_none_is_allowed() {
    let server = Server::new().await;
    let answer = server.call(get("/healthz").insert_header(("origin", APP))).await;
    assert_eq!((answer.status, allowed(&answer)), (200, None));
    server
        .call(preflight("/chat", APP, "POST"))
        .await
        .is(403, "origin_not_allowed");
}
