use serde_json::{Value, json};
use tenantry_domain::Role;

use crate::http::testing::{Answer, Server, bearer, delete, get, logged, post};

/// Ada and grace are admins of their tenants.
async fn with_admins() -> Server {
    let server = Server::new().await;
    for name in ["ada", "grace"] {
        server.appoint(name, Role::Admin);
    }
    server
}

async fn create(server: &Server, name: &str, scopes: &[&str]) -> Value {
    let body = json!({"name": "website", "scopes": scopes});
    let made = server.call_as(name, post("/tenant/keys", &body)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn key(made: &Value) -> &str {
    made["key"].as_str().unwrap()
}

fn path(made: &Value) -> String {
    format!("/tenant/keys/{}", made["id"].as_str().unwrap())
}

async fn listed(server: &Server, name: &str) -> Value {
    server.call_as(name, get("/tenant/keys")).await.json()
}

async fn search(server: &Server, key: &str) -> Answer {
    let request = post("/search", &json!({"query": "owls"}));
    server.call(bearer(request, key)).await
}

#[actix_web::test]
async fn a_key_is_shown_by_the_answer_that_made_it_alone() {
    let server = with_admins().await;
    let body =
        json!({"name": " website ", "scopes": ["search", "chat"], "expires_at": "2027-01-16T01:00:00+01:00"});
    let answer = server.call_as("ada", post("/tenant/keys/", &body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut made = answer.json();
    let text = key(&made).to_owned();
    assert!(text.starts_with("tnk_") && text.len() == 47, "{text}");
    let ada = server.call_as("ada", get("/users/me")).await.json();
    let expected = json!({
        "id": made["id"],
        "key": text,
        "name": "website",
        "prefix": text[..12],
        "scopes": ["chat", "search"],
        "created_by": {"kind": "user", "id": ada["id"]},
        "created_at": "2027-01-15T08:00:00Z",
        "expires_at": "2027-01-16T00:00:00Z",
        "last_used_at": null,
        "revoked_at": null,
        "replaced_by": null,
    });
    assert_eq!(made, expected);
    made.as_object_mut().unwrap().remove("key");
    assert_eq!(server.call_as("ada", get(&path(&made))).await.json(), made);
    assert_eq!(listed(&server, "ada").await, json!({"items": [made], "total": 1}));
}

#[actix_web::test]
async fn a_key_works_where_a_token_does_as_far_as_its_scopes_go() {
    let server = with_admins().await;
    server.add("ada", "Owls", "Owls sleep by day.").await;
    let made = create(&server, "ada", &["search"]).await;
    let found = search(&server, key(&made)).await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert!(found.text().contains("sleep by day"), "{}", found.text());
    let shown = server.call_as("ada", get(&path(&made))).await.json();
    assert_eq!(shown["last_used_at"], json!("2027-01-15T08:00:00Z"));
    let beyond = server.call(bearer(get("/tenant/keys"), key(&made))).await;
    beyond.is(403, "permission_required");
    assert!(beyond.message().contains("`admin`"), "{}", beyond.message());
}

#[actix_web::test]
async fn a_value_that_cannot_be_used_is_named() {
    let server = with_admins().await;
    for (body, field) in [
        (json!({"name": "", "scopes": ["chat"]}), "name"),
        (json!({"name": "x".repeat(101), "scopes": ["chat"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["root"]}), "scopes"),
        (json!({"name": "x", "scopes": ["Chat"]}), "scopes"),
        (json!({"name": "x", "scopes": ["chat admin"]}), "scopes"),
        (json!({"name": "x", "scopes": "chat"}), "scopes"),
        (json!({"name": "x"}), "scopes"),
        (
            json!({"name": "x", "scopes": ["chat"], "expires_at": "tomorrow"}),
            "expires_at",
        ),
        (
            json!({"name": "x", "scopes": ["chat"], "expires_at": "2027-01-15T08:00:00Z"}),
            "expires_at",
        ),
        (
            json!({"name": "x", "scopes": ["chat"], "key": "tnk_mine"}),
            "unknown field",
        ),
    ] {
        let refused = server.call_as("ada", post("/tenant/keys", &body)).await;
        refused.is(422, "invalid_request");
        assert!(refused.message().contains(field), "{body}: {}", refused.message());
    }
    assert_eq!(listed(&server, "ada").await["total"], json!(0));
}

#[actix_web::test]
async fn a_key_makes_none_that_may_more_than_itself() {
    let server = with_admins().await;
    let narrow = create(&server, "ada", &["admin", "chat"]).await;
    let broad = create(&server, "ada", &["admin", "search"]).await;
    let wanted = |scopes: &[&str]| post("/tenant/keys", &json!({"name": "x", "scopes": scopes}));
    let beyond = server
        .call(bearer(wanted(&["chat", "ingest"]), key(&narrow)))
        .await;
    beyond.is(403, "permission_required");
    assert!(beyond.message().contains("`ingest`"), "{}", beyond.message());
    let rotate = post(&format!("{}/rotate", path(&broad)), &json!({}));
    let beyond = server.call(bearer(rotate, key(&narrow))).await;
    beyond.is(403, "permission_required");
    let within = server.call(bearer(wanted(&["chat"]), key(&narrow))).await;
    assert_eq!(within.status, 201, "{}", within.text());
    let maker = json!({"kind": "api_key", "id": narrow["id"]});
    assert_eq!(within.json()["created_by"], maker);
}

#[actix_web::test]
async fn a_revoked_key_ends_with_the_next_request() {
    let server = with_admins().await;
    let made = create(&server, "ada", &["search"]).await;
    assert_eq!(search(&server, key(&made)).await.status, 200);
    for _ in 0..2 {
        let revoked = server.call_as("ada", delete(&path(&made))).await;
        assert_eq!(revoked.status, 200, "{}", revoked.text());
        assert_eq!(revoked.json()["revoked_at"], json!("2027-01-15T08:00:00Z"));
    }
    search(&server, key(&made)).await.is(401, "unauthenticated");
}

#[actix_web::test]
async fn a_replaced_key_works_beside_its_successor_for_a_while() {
    let server = with_admins().await;
    let old = create(&server, "ada", &["search"]).await;
    let rotate = format!("{}/rotate", path(&old));
    let rotated = server.call_as("ada", post(&rotate, &json!({}))).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text());
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let next = rotated.json();
    assert_ne!(key(&next), key(&old));
    assert_eq!((&next["name"], &next["scopes"]), (&old["name"], &old["scopes"]));
    let shown = server.call_as("ada", get(&path(&old))).await.json();
    assert_eq!(
        (&shown["replaced_by"], &shown["expires_at"]),
        (&next["id"], &json!("2027-01-16T08:00:00Z"))
    );
    for made in [&old, &next] {
        assert_eq!(search(&server, key(made)).await.status, 200);
    }
    let again = server.call_as("ada", post(&rotate, &json!({}))).await;
    again.is(409, "api_key_not_live");
    let rotate = format!("{}/rotate", path(&next));
    for (body, status) in [
        (json!({"overlap_seconds": 2_592_001}), 422),
        (json!({"overlap_seconds": -1}), 422),
        (json!({"overlap": 1}), 422),
        (json!({"overlap_seconds": 0}), 201),
    ] {
        let answer = server.call_as("ada", post(&rotate, &body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    search(&server, key(&next)).await.is(401, "unauthenticated");
}

#[actix_web::test]
async fn anothers_key_and_one_that_is_not_there_are_alike() {
    let server = with_admins().await;
    let made = create(&server, "ada", &["search"]).await;
    let mut heard = Vec::new();
    for id in [
        made["id"].as_str().unwrap(),
        "0190a000-0000-7000-8000-000000000000",
        "x",
        "%00",
    ] {
        let path = format!("/tenant/keys/{id}");
        for request in [
            get(&path),
            delete(&path),
            post(&format!("{path}/rotate"), &json!({})),
        ] {
            let answer = server.call_as("grace", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(listed(&server, "grace").await["total"], json!(0));
    assert_eq!(search(&server, key(&made)).await.status, 200);
}

#[actix_web::test]
async fn only_admins_manage_keys() {
    let server = with_admins().await;
    let made = create(&server, "ada", &["search"]).await;
    for role in [Role::Member, Role::Reader] {
        server.appoint("ada", role);
        for request in [
            get("/tenant/keys"),
            get(&path(&made)),
            delete(&path(&made)),
            post("/tenant/keys", &json!({"name": "x", "scopes": ["chat"]})),
            post(&format!("{}/rotate", path(&made)), &json!({})),
        ] {
            server
                .call_as("ada", request)
                .await
                .is(403, "permission_required");
        }
    }
}

#[actix_web::test]
async fn what_looks_like_a_key_and_is_none_is_refused_and_not_logged() {
    let server = with_admins().await;
    let made = create(&server, "ada", &["search"]).await;
    let text = key(&made).to_owned();
    let lines = logged(async {
        for other in [
            format!("{text}a"),
            text.replace("tnk_", "tnr_"),
            text[..46].to_owned(),
            format!("tnk_{}", "A".repeat(43)),
        ] {
            search(&server, &other).await.is(401, "unauthenticated");
        }
        assert_eq!(search(&server, &text).await.status, 200);
        server.fail_store();
        search(&server, &text).await.is(503, "store_unavailable");
        server.heal_store();
    })
    .await;
    let told = lines.join("\n");
    assert!(
        !told.contains(&text[12..]) && !told.contains("AAAAAAAA"),
        "{told}"
    );
}
