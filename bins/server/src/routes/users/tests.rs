use serde_json::{Value, json};

use crate::http::testing::{PASSWORD, Parts, Server, bearer, delete, get, post, put};

const NEW_PASSWORD: &str = "another horse battery";

#[actix_web::test]
async fn the_caller_sees_themself() {
    let server = Server::new().await;
    let me = server.call_as("ada", get("/users/me/")).await;
    let shown = me.json();
    assert_eq!(me.status, 200);
    for (field, value) in [
        ("email", json!("ada@example.org")),
        ("is_superuser", json!(false)),
        ("is_active", json!(true)),
        ("tenant_id", json!("acme")),
        ("created_at", json!("2027-01-15T08:00:00Z")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert!(!me.text().contains("password"), "{}", me.text());
}

#[actix_web::test]
async fn whoever_registers_has_no_tenant() {
    let server = Server::new().await;
    let new = json!({"email": "New@example.org", "password": PASSWORD});
    let answer = server.call(post("/register", &new)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["tenant_id"], Value::Null);
    assert_eq!(answer.json()["is_superuser"], json!(false));
    server.call(post("/register", &new)).await.is(409, "email_taken");
    let search = server
        .call_as("new", post("/search", &json!({"query": "x"})))
        .await;
    search.is(403, "tenant_forbidden");
}

#[actix_web::test]
async fn nobody_registers_where_registration_is_closed() {
    let server = Server::with(Parts {
        registration_open: false,
        ..Parts::default()
    })
    .await;
    let answer = server
        .call(post(
            "/register",
            &json!({"email": "new@example.org", "password": PASSWORD}),
        ))
        .await;
    answer.is(403, "registration_closed");
    let login = server
        .call(post(
            "/login",
            &json!({"email": "new@example.org", "password": PASSWORD}),
        ))
        .await;
    login.is(401, "invalid_credentials");
}

#[actix_web::test]
async fn a_registration_cannot_ask_for_more() {
    let server = Server::new().await;
    for (body, code) in [
        (
            json!({"email": "n@example.org", "password": PASSWORD, "is_superuser": true}),
            "invalid_request",
        ),
        (
            json!({"email": "n@example.org", "password": PASSWORD, "tenant_id": "acme"}),
            "invalid_request",
        ),
        (json!({"email": "n@example.org"}), "invalid_request"),
        (
            json!({"email": "n@example.org", "password": 12}),
            "invalid_request",
        ),
        (
            json!({"email": "no address", "password": PASSWORD}),
            "invalid_request",
        ),
        (
            json!({"email": "n@example.org", "password": "short"}),
            "invalid_password",
        ),
        (
            json!({"email": "n@example.org", "password": "x".repeat(1_025)}),
            "invalid_password",
        ),
    ] {
        let answer = server.call(post("/register", &body)).await;
        answer.is(422, code);
        assert!(!answer.text().contains(PASSWORD));
    }
}

#[actix_web::test]
async fn a_superuser_manages_users() {
    let server = Server::new().await;
    let new = json!({"email": "lin@example.org", "password": PASSWORD, "tenant_id": "acme"});
    let made = server.call_as("root", post("/admin/users/", &new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/admin/users/{}", made.json()["id"].as_str().unwrap());
    let shown = server.call_as("root", get(&path)).await;
    assert_eq!(shown.json(), made.json());

    let listed = server
        .call_as("root", get("/admin/users?tenant_id=acme&limit=1&offset=1"))
        .await
        .json();
    assert_eq!(
        (&listed["total"], &listed["items"][0]["email"]),
        (&json!(2), &json!("lin@example.org"))
    );

    let moved = server
        .call_as(
            "root",
            put(&path, &json!({"tenant_id": "globex", "is_superuser": true})),
        )
        .await;
    assert_eq!(moved.json()["tenant_id"], json!("globex"), "{}", moved.text());
    let out = server
        .call_as("root", put(&path, &json!({"tenant_id": null})))
        .await;
    assert_eq!(
        (&out.json()["tenant_id"], &out.json()["is_superuser"]),
        (&Value::Null, &json!(true))
    );

    let new_password = server
        .call_as("root", put(&path, &json!({"password": NEW_PASSWORD})))
        .await;
    assert_eq!(new_password.status, 200);
    let login = server
        .call(post(
            "/login",
            &json!({"email": "lin@example.org", "password": NEW_PASSWORD}),
        ))
        .await;
    assert_eq!(login.status, 200);

    let off = server.call_as("root", delete(&path)).await;
    assert_eq!((off.status, &off.json()["is_active"]), (200, &json!(false)));
    let token = login.json()["access_token"].as_str().unwrap().to_owned();
    server
        .call(bearer(get("/users/me"), &token))
        .await
        .is(401, "unauthenticated");
}

#[actix_web::test]
async fn a_user_update_is_read_strictly() {
    let server = Server::new().await;
    let me = server.call_as("ada", get("/users/me")).await.json();
    let path = format!("/admin/users/{}", me["id"].as_str().unwrap());
    for (body, code) in [
        (json!({"email": "other@example.org"}), "invalid_request"),
        (json!({"is_active": null}), "invalid_request"),
        (json!({"password": null}), "invalid_request"),
        (json!({"tenant_id": "No Id"}), "invalid_request"),
        (json!({"tenant_id": "nowhere"}), "unknown_tenant"),
        (json!({"password": "short"}), "invalid_password"),
    ] {
        server.call_as("root", put(&path, &body)).await.is(422, code);
    }
    assert_eq!(
        server.call_as("ada", get("/users/me")).await.json(),
        me,
        "nothing was stored"
    );
}

#[actix_web::test]
async fn an_id_that_nobody_has_and_one_that_nobody_can_have_are_alike() {
    let server = Server::new().await;
    let mut heard = Vec::new();
    let long = "a".repeat(10_000);
    for id in [
        "019a0000-0000-7000-8000-000000000000",
        "..",
        "%2e%2e",
        "ada",
        "%00",
        "%ff",
        &long,
    ] {
        let path = format!("/admin/users/{id}");
        for request in [get(&path), delete(&path), put(&path, &json!({"is_active": true}))] {
            let answer = server.call_as("root", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn a_promotion_ends_the_old_token_and_works_at_once_with_a_new_one() {
    let server = Server::new().await;
    let token = server.token("nomad");
    let list = |token: &str| bearer(get("/admin/tenants/"), token);
    server.call(list(&token)).await.is(403, "superuser_required");
    let me = server.call_as("nomad", get("/users/me")).await.json();
    let promote = put(
        &format!("/admin/users/{}", me["id"].as_str().unwrap()),
        &json!({"is_superuser": true}),
    );
    assert_eq!(server.call_as("root", promote).await.status, 200);
    server.call(list(&token)).await.is(401, "unauthenticated");
    assert_eq!(server.call(list(&server.token("nomad"))).await.status, 200);
}
