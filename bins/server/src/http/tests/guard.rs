//! Who is let in, whatever the address looks like.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tenantry_domain::{AccessClaims, Page};
use tenantry_tenant_store::{UserFilter, UserStore};

use crate::http::testing::{Server, bearer, get, post};

#[actix_web::test]
async fn only_one_well_formed_authorization_header_lets_in() {
    let server = Server::new().await;
    let token = server.token("ada");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = get("/users/me").insert_header(("authorization", format!("{scheme} {token}")));
        assert_eq!(server.call(request).await.status, 200, "{scheme}");
    }
    let mut heard = Vec::new();
    for value in [
        String::new(),
        token.clone(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Bearer{token}"),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {}", "a".repeat(4_097)),
        format!("Bearer {}", "a".repeat(100_000)),
        format!("Bearer {token}\u{e4}"),
    ] {
        let answer = server
            .call(get("/users/me").insert_header(("authorization", value.as_bytes())))
            .await;
        answer.is(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        heard.push(answer.anonymous());
    }
    let twice = get("/users/me")
        .append_header(("authorization", format!("Bearer {token}")))
        .append_header(("authorization", format!("Bearer {token}")));
    let elsewhere = [
        twice,
        get(&format!("/users/me?access_token={token}&token={token}")),
        get("/users/me").insert_header(("cookie", format!("access_token={token}"))),
        get("/users/me").insert_header(("x-access-token", token.as_str())),
    ];
    for request in elsewhere {
        let answer = server.call(request).await;
        answer.is(401, "unauthenticated");
        heard.push(answer.anonymous());
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn a_token_ends_with_its_time_its_version_and_its_user() {
    let server = Server::new().await;
    let token = server.token("ada");
    let claims = server.app.verifier.verify(&token).unwrap();
    let others = [
        AccessClaims {
            token_version: 1,
            ..claims.clone()
        },
        AccessClaims {
            tenant: Some("globex".parse().unwrap()),
            ..claims.clone()
        },
        AccessClaims {
            tenant: None,
            ..claims.clone()
        },
        AccessClaims {
            user: "019a0000-0000-7000-8000-000000000000".parse().unwrap(),
            ..claims
        },
    ];
    for claims in others {
        use secrecy::ExposeSecret;
        let forged = server.app.issuer.issue(&claims).unwrap().token;
        let answer = server
            .call(bearer(get("/users/me"), forged.expose_secret()))
            .await;
        answer.is(401, "unauthenticated");
    }
    assert_eq!(server.call(bearer(get("/users/me"), &token)).await.status, 200);
    server.clock.advance(std::time::Duration::from_secs(1_801));
    server
        .call(bearer(get("/users/me"), &token))
        .await
        .is(401, "unauthenticated");
}

#[actix_web::test]
async fn no_spelling_of_an_address_gets_around_the_guard() {
    let server = Server::new().await;
    for path in [
        "/admin/tenants",
        "/admin/tenants/",
        "/%61dmin/tenants",
        "/%61%64%6d%69%6e/%74enants",
        "/admin/tenants/acme",
        "/%61dmin/tenants/acme/",
        "/admin/%74enants/%61cme",
        "http://evil.example.org/admin/tenants",
        "/admin/tenants?limit=1",
    ] {
        server.call(get(path)).await.is(401, "unauthenticated");
        server
            .call_as("ada", get(path))
            .await
            .is(403, "superuser_required");
        assert_eq!(server.call_as("root", get(path)).await.status, 200, "{path}");
    }
    for path in [
        "/admin%2Ftenants",
        "//admin/tenants",
        "/admin//tenants",
        "/admin/tenants//",
        "/admin/tenants/acme//",
        "/admin/./tenants",
        "/x/../admin/tenants",
        "/ADMIN/tenants",
        "/admin;x/tenants",
        "/admin/tenants;x",
        "/admin\\tenants",
        "/admin",
        "/admin/",
        "//",
    ] {
        for name in ["ada", "root"] {
            server.call_as(name, get(path)).await.is(404, "not_found");
        }
    }
}

#[actix_web::test]
async fn a_superuser_without_a_tenant_reaches_the_administration_alone() {
    let server = Server::new().await;
    for request in [
        get("/documents"),
        post("/search", &json!({"query": "x"})),
        post("/chat", &json!({"message": "x"})),
        post("/documents", &json!({"title": "T", "text": "x"})),
        get("/documents").insert_header(("x-tenant-id", "acme")),
        get("/documents?tenant_id=acme"),
    ] {
        let answer = server.call_as("root", request).await;
        assert!(matches!(answer.status, 403 | 422), "{}", answer.text());
        answer.code();
    }
}

#[actix_web::test]
async fn the_store_is_asked_only_after_the_token_was_verified() {
    let server = Server::new().await;
    server.fail_store();
    for request in [
        get("/users/me"),
        get("/admin/tenants"),
        get("/documents"),
        bearer(get("/documents"), "x"),
    ] {
        server.call(request).await.is(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn a_dead_database_is_503_and_service_returns_by_itself() {
    let server = Server::new().await;
    let tokens = [server.token("ada"), server.token("root")];
    let requests = || -> Vec<TestRequest> {
        vec![
            bearer(get("/users/me"), &tokens[0]),
            bearer(get("/documents"), &tokens[0]),
            bearer(post("/search", &json!({"query": "x"})), &tokens[0]),
            bearer(post("/chat", &json!({"message": "x"})), &tokens[0]),
            bearer(get("/admin/tenants"), &tokens[1]),
            bearer(get("/admin/users").method(Method::GET), &tokens[1]),
            post(
                "/login",
                &json!({"email": "ada@example.org", "password": crate::http::testing::PASSWORD}),
            ),
        ]
    };
    server.fail_store();
    for request in requests() {
        let answer = server.call(request).await;
        answer.is(503, "store_unavailable");
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert!(!answer.text().contains("scripted"));
    }
    server.heal_store();
    for request in requests() {
        assert_eq!(server.call(request).await.status, 200);
    }
    assert!(
        server
            .store
            .inner()
            .users(&UserFilter::default(), Page::default())
            .is_ok()
    );
}
