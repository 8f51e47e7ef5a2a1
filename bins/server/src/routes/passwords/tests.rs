use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tenantry_domain::Role;

use crate::http::testing::{Answer, PASSWORD, Server, bearer, get, post};

const OTHER: &str = "another horse battery";

async fn log_in(server: &Server, password: &str) -> Answer {
    let login = json!({"email": "ada@example.org", "password": password});
    server.call(post("/login", &login)).await
}

async fn id_of(server: &Server, name: &str) -> String {
    let me = server.call_as(name, get("/users/me")).await.json();
    me["id"].as_str().unwrap().to_owned()
}

async fn issue(server: &Server) -> Value {
    let path = format!("/admin/users/{}/password-reset", id_of(server, "ada").await);
    let issued = server.call_as("root", post(&path, &json!({}))).await;
    assert_eq!(issued.status, 201, "{}", issued.text());
    issued.json()
}

async fn redeem(server: &Server, token: &Value, password: &str) -> Answer {
    let body = json!({"token": token, "new_password": password});
    server.call(post("/password-reset", &body)).await
}

#[actix_web::test]
async fn a_changed_password_gives_new_tokens_and_ends_the_old_ones() {
    let server = Server::new().await;
    let old = log_in(&server, PASSWORD).await.json();
    let change = json!({"current_password": PASSWORD, "new_password": OTHER});
    let old_token = old["access_token"].as_str().unwrap();
    let changed = server
        .call(bearer(post("/users/me/password", &change), old_token))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let new = changed.json();
    assert!(new["refresh_token"].as_str().unwrap().starts_with("tnr_"));
    let me = server
        .call(bearer(get("/users/me"), new["access_token"].as_str().unwrap()))
        .await;
    assert_eq!(me.status, 200);
    server
        .call(bearer(get("/users/me"), old_token))
        .await
        .is(401, "unauthenticated");
    log_in(&server, PASSWORD).await.is(401, "invalid_credentials");
    assert_eq!(log_in(&server, OTHER).await.status, 200);
}

#[actix_web::test]
async fn a_wrong_or_a_weak_password_changes_nothing() {
    let server = Server::new().await;
    let attempt = |current: &str, new: &str| {
        post(
            "/users/me/password",
            &json!({"current_password": current, "new_password": new}),
        )
    };
    let wrong = server.call_as("ada", attempt("wrong horse battery", OTHER)).await;
    wrong.is(422, "wrong_password");
    let weak = server.call_as("ada", attempt(PASSWORD, "short")).await;
    weak.is(422, "invalid_password");
    server
        .call(attempt(PASSWORD, OTHER))
        .await
        .is(401, "unauthenticated");
    assert_eq!(log_in(&server, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_superuser_gives_anybody_a_link_that_works_once() {
    let server = Server::new().await;
    let link = issue(&server).await;
    let token = link["token"].as_str().unwrap();
    assert_eq!(
        link["url"],
        format!("https://rag.example.org/password-reset#token={token}")
    );
    assert_eq!(link["expires_at"], "2027-01-15T09:00:00Z");
    let weak = redeem(&server, &link["token"], "short").await;
    weak.is(422, "invalid_password");
    let set = redeem(&server, &link["token"], OTHER).await;
    assert_eq!((set.status, set.text()), (204, ""));
    assert_eq!(log_in(&server, OTHER).await.status, 200);
    let again = redeem(&server, &link["token"], PASSWORD).await;
    again.is(422, "invalid_reset_token");
    let unknown = redeem(&server, &json!("tnp_nonsense"), PASSWORD).await;
    assert_eq!(again.anonymous(), unknown.anonymous());
    let nobody = "/admin/users/01907e4d-0000-7000-8000-000000000001/password-reset";
    server
        .call_as("root", post(nobody, &json!({})))
        .await
        .is(404, "not_found");
    server
        .call_as("ada", post(nobody, &json!({})))
        .await
        .is(403, "superuser_required");
}

#[actix_web::test]
async fn a_link_is_good_for_an_hour() {
    let server = Server::new().await;
    let link = issue(&server).await;
    server.clock.advance(Duration::from_hours(1));
    redeem(&server, &link["token"], OTHER)
        .await
        .is(422, "invalid_reset_token");
}

#[actix_web::test]
async fn an_admin_gives_links_to_the_own_tenants_users_alone() {
    let server = Server::new().await;
    server.hire("bo", "acme", false);
    server.hire("sue", "acme", true);
    server.appoint("ada", Role::Admin);
    let path = |id: &str| format!("/tenant/users/{id}/password-reset");
    let own = path(&id_of(&server, "bo").await);
    let link = server.call_as("ada", post(&own, &json!({}))).await;
    assert_eq!(link.status, 201, "{}", link.text());
    server
        .call_as("bo", post(&own, &json!({})))
        .await
        .is(403, "permission_required");
    let unknown = path("01907e4d-0000-7000-8000-000000000001");
    let unknown = server.call_as("ada", post(&unknown, &json!({}))).await;
    unknown.is(404, "not_found");
    for name in ["grace", "nomad", "sue"] {
        let foreign = server
            .call_as("ada", post(&path(&id_of(&server, name).await), &json!({})))
            .await;
        assert_eq!(foreign.anonymous(), unknown.anonymous(), "{name}");
    }
}

#[actix_web::test]
async fn who_asks_for_a_mail_hears_the_same_whether_or_not_there_is_an_account() {
    let server = Server::new().await;
    let mut heard = Vec::new();
    for email in ["nobody@example.org", "no address", "ada@example.org"] {
        let answer = server
            .call(post("/password-reset/request", &json!({ "email": email })))
            .await;
        assert_eq!((answer.status, answer.text()), (202, ""), "{email}");
        heard.push(answer.headers.len());
    }
    assert!(heard.windows(2).all(|pair| pair[0] == pair[1]));
    for _ in 0..500 {
        if !server.mailer.sent().is_empty() {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    let sent = server.mailer.sent();
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, "ada@example.org"));
    let text = sent[0].text.expose_secret();
    let token = text
        .split_once("#token=")
        .unwrap()
        .1
        .split_whitespace()
        .next()
        .unwrap();
    assert_eq!(redeem(&server, &json!(token), OTHER).await.status, 204);
    assert_eq!(log_in(&server, OTHER).await.status, 200);
}

#[actix_web::test]
async fn a_mailbox_is_not_flooded() {
    let server = Server::new().await;
    let ask = || post("/password-reset/request", &json!({"email": "nobody@example.org"}));
    for _ in 0..4 {
        assert_eq!(server.call(ask()).await.status, 202);
    }
    let refused = server.call(ask()).await;
    refused.is(429, "too_many_attempts");
    assert_eq!(refused.header("retry-after"), Some("60"));
}

#[actix_web::test]
async fn the_page_runs_its_own_script_alone_and_shows_nothing_that_was_sent() {
    let server = Server::new().await;
    let page = server.call(get("/password-reset?token=marker")).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let policy = page.header("content-security-policy").unwrap();
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert_eq!(page.text().matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    assert!(policy.contains("form-action 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(!page.text().contains("marker") && !page.text().contains("NONCE"));
}
