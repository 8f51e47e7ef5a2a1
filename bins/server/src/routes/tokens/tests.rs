use serde_json::json;
use tenantry_domain::TenantId;
use tenantry_retrieval::{Superuser, UserUpdate};

use crate::http::testing::{PASSWORD, Server, bearer, form, get, post};

#[actix_web::test]
async fn both_ways_to_log_in_give_a_token_that_works() {
    let server = Server::new().await;
    let password = PASSWORD.replace(' ', "+");
    let by_form = server
        .call(form(
            "/token",
            &format!("grant_type=password&username=ada@example.org&password={password}"),
        ))
        .await;
    let by_json = server
        .call(post(
            "/login/",
            &json!({"email": "Ada@Example.org", "password": PASSWORD}),
        ))
        .await;
    for answer in [by_form, by_json] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json();
        assert_eq!(
            (&token["token_type"], &token["expires_in"]),
            (&json!("bearer"), &json!(1800))
        );
        let me = server
            .call(bearer(get("/users/me"), token["access_token"].as_str().unwrap()))
            .await;
        assert_eq!((me.status, &me.json()["tenant_id"]), (200, &json!("acme")));
    }
}

#[actix_web::test]
async fn what_oauth2_clients_send_along_is_ignored() {
    let server = Server::new().await;
    let password = PASSWORD.replace(' ', "%20");
    for extra in ["", "&scope=&client_id=x&client_secret=y", "&grant_type=password"] {
        let body = format!("username=ada%40example.org&password={password}{extra}");
        assert_eq!(server.call(form("/token", &body)).await.status, 200, "{extra}");
    }
}

#[actix_web::test]
async fn everybody_who_is_refused_hears_the_same() {
    let server = Server::new().await;
    let root = Superuser::operator();
    let accounts = &server.app.accounts;
    let grace = accounts
        .user_by_email(&root, "grace@example.org")
        .unwrap()
        .unwrap();
    let off = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    accounts.update(&root, grace.id, off).unwrap();
    server
        .app
        .tenants
        .deactivate(&root, &TenantId::parse("acme").unwrap())
        .unwrap();
    let mut heard = Vec::new();
    for (email, password) in [
        ("nobody@example.org", PASSWORD),
        ("no address", PASSWORD),
        ("root@example.org", "wrong horse battery"),
        ("grace@example.org", PASSWORD),
        ("ada@example.org", PASSWORD),
        ("root@example.org", &"x".repeat(2_000)),
    ] {
        let answer = server
            .call(post("/login", &json!({"email": email, "password": password})))
            .await;
        answer.is(401, "invalid_credentials");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        heard.push(answer.anonymous());
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn a_form_is_read_strictly() {
    let server = Server::new().await;
    for (body, status, code) in [
        (
            "grant_type=client_credentials&username=a&password=b",
            422,
            "invalid_request",
        ),
        ("username=a", 422, "invalid_request"),
        ("username=a&username=b&password=c", 422, "invalid_request"),
        ("username=a&password=b&admin=true", 422, "invalid_request"),
        ("username=a%00&password=b", 422, "invalid_request"),
    ] {
        let answer = server.call(form("/token", body)).await;
        answer.is(status, code);
        assert!(!answer.text().contains("admin=true"));
    }
    let json = server
        .call(post(
            "/token",
            &json!({"username": "ada@example.org", "password": PASSWORD}),
        ))
        .await;
    json.is(415, "unsupported_media_type");
}
