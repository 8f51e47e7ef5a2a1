use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::json;
use tenantry_domain::TenantId;
use tenantry_retrieval::{Superuser, UserUpdate};

use crate::http::HttpSettings;
use crate::http::testing::{PASSWORD, Parts, Server, bearer, form, get, post};

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

/// Logs in, and gives the answer's tokens.
async fn log_in(server: &Server) -> serde_json::Value {
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let answer = server.call(post("/login", &login)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn text<'a>(of: &'a serde_json::Value, name: &str) -> &'a str {
    of[name].as_str().unwrap()
}

#[actix_web::test]
async fn both_ways_to_refresh_give_the_next_tokens_of_the_session() {
    let server = Server::new().await;
    let mut tokens = log_in(&server).await;
    assert_eq!(tokens["refresh_expires_in"], 30 * 86_400);
    server.clock.advance(Duration::from_mins(1));
    for by_form in [true, false] {
        let token = text(&tokens, "refresh_token");
        let request = if by_form {
            form(
                "/token",
                &format!("grant_type=refresh_token&refresh_token={token}&client_id=x"),
            )
        } else {
            post("/refresh", &json!({ "refresh_token": token }))
        };
        let answer = server.call(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let next = answer.json();
        let names: Vec<&String> = next.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "access_token",
                "expires_in",
                "refresh_expires_in",
                "refresh_token",
                "token_type"
            ]
        );
        assert_ne!(text(&next, "refresh_token"), token);
        assert_eq!(
            next["refresh_expires_in"],
            30 * 86_400 - 60,
            "it does not grow longer"
        );
        let me = server
            .call(bearer(get("/users/me"), text(&next, "access_token")))
            .await;
        assert_eq!(me.status, 200);
        tokens = next;
    }
}

#[actix_web::test]
async fn a_refresh_token_that_is_used_again_ends_the_session() {
    let server = Server::new().await;
    let first = log_in(&server).await;
    let refresh = |tokens: &serde_json::Value| {
        post(
            "/refresh",
            &json!({"refresh_token": text(tokens, "refresh_token")}),
        )
    };
    let next = server.call(refresh(&first)).await.json();
    let replayed = server.call(refresh(&first)).await;
    replayed.is(401, "invalid_refresh_token");
    assert_eq!(replayed.header("www-authenticate"), Some("Bearer"));
    let ended = server.call(refresh(&next)).await;
    assert_eq!(ended.anonymous(), replayed.anonymous(), "a thief learns nothing");
    for tokens in [first, next] {
        let me = server
            .call(bearer(get("/users/me"), text(&tokens, "access_token")))
            .await;
        me.is(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn a_grant_is_one_or_the_other() {
    let server = Server::new().await;
    for body in [
        "grant_type=refresh_token",
        "grant_type=refresh_token&refresh_token=x&username=a",
        "grant_type=refresh_token&refresh_token=x&password=a",
        "username=a&password=b&refresh_token=x",
        "grant_type=authorization_code&refresh_token=x",
    ] {
        server.call(form("/token", body)).await.is(422, "invalid_request");
    }
    let unknown = server
        .call(form("/token", "grant_type=refresh_token&refresh_token=x"))
        .await;
    unknown.is(401, "invalid_refresh_token");
    let access = text(&log_in(&server).await, "access_token").to_owned();
    let other_kind = server
        .call(post("/refresh", &json!({ "refresh_token": access })))
        .await;
    other_kind.is(401, "invalid_refresh_token");
}

#[actix_web::test]
async fn logging_out_ends_every_session() {
    let server = Server::new().await;
    let (here, there) = (log_in(&server).await, log_in(&server).await);
    let out = bearer(post("/logout", &json!({})), text(&here, "access_token"));
    let answer = server.call(out).await;
    assert_eq!((answer.status, answer.text()), (204, ""));
    for tokens in [here, there] {
        let me = server
            .call(bearer(get("/users/me"), text(&tokens, "access_token")))
            .await;
        me.is(401, "unauthenticated");
        let refresh = json!({"refresh_token": text(&tokens, "refresh_token")});
        server
            .call(post("/refresh", &refresh))
            .await
            .is(401, "invalid_refresh_token");
    }
    let again = log_in(&server).await;
    let me = server
        .call(bearer(get("/users/me"), text(&again, "access_token")))
        .await;
    assert_eq!(me.status, 200);
}

#[actix_web::test]
async fn who_has_to_wait_is_told_so_whether_or_not_there_is_an_account() {
    let server = Server::new().await;
    let mut heard = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut told = Vec::new();
        for _ in 0..13 {
            let login = json!({"email": email, "password": "wrong horse battery"});
            let answer = server.call(post("/login", &login)).await;
            told.push((
                answer.status,
                answer.header("retry-after").map(str::to_owned),
                answer.anonymous(),
            ));
        }
        assert_eq!(told[12].0, 429);
        assert_eq!(told[12].1.as_deref(), Some("1"));
        assert!(told[12].2.contains("too_many_attempts"));
        heard.push(told);
    }
    assert_eq!(heard[0], heard[1]);
    let right = json!({"email": "ada@example.org", "password": PASSWORD});
    server
        .call(post("/login", &right))
        .await
        .is(429, "too_many_attempts");
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(server.call(post("/login", &right)).await.status, 200);
}

/// A log-in by a proxy at `peer`, which says that it was asked by `forwarded`.
fn through(peer: &str, forwarded: &str, email: &str) -> TestRequest {
    post(
        "/login",
        &json!({"email": email, "password": "wrong horse battery"}),
    )
    .peer_addr(format!("{peer}:5000").parse().unwrap())
    .insert_header(("x-forwarded-for", forwarded))
}

#[actix_web::test]
async fn clients_are_told_apart_by_what_trusted_proxies_say() {
    let trusting = Parts {
        settings: HttpSettings {
            trusted_proxies: "10.0.0.0/8".parse().unwrap(),
            ..HttpSettings::default()
        },
        ..Parts::default()
    };
    let server = Server::with(trusting).await;
    for number in 0..31 {
        let email = format!("user{number}@example.org");
        server
            .call(through("10.0.0.1", "198.51.100.1, 203.0.113.9", &email))
            .await;
    }
    let same = through("10.0.0.1", "198.51.100.2, 203.0.113.9", "x@example.org");
    server.call(same).await.is(429, "too_many_attempts");
    let other = through("10.0.0.1", "203.0.113.9, 198.51.100.1", "x@example.org");
    server.call(other).await.is(401, "invalid_credentials");
}

#[actix_web::test]
async fn what_anybody_else_says_of_a_client_is_not_believed() {
    let server = Server::new().await;
    for number in 0..31 {
        let email = format!("user{number}@example.org");
        server
            .call(through("203.0.113.9", &format!("198.51.100.{number}"), &email))
            .await;
    }
    let hiding = through("203.0.113.9", "198.51.100.200", "x@example.org");
    server.call(hiding).await.is(429, "too_many_attempts");
    let other = through("203.0.113.10", "198.51.100.200", "x@example.org");
    server.call(other).await.is(401, "invalid_credentials");
}
