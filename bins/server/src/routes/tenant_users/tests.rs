use serde_json::{Value, json};
use tenantry_domain::{ApiKey, ApiKeyId, Clock as _, Permission, Permissions, Principal, Role, User};
use tenantry_retrieval::Superuser;
use tenantry_tenant_store::ApiKeyStore as _;

use crate::http::testing::{Answer, PASSWORD, Server, bearer, delete, get, post, put};

/// Acme with its admin ada and the member bo, and globex with its admin grace.
async fn with_admins() -> Server {
    let server = Server::new().await;
    server.hire("bo", "acme", false);
    for name in ["ada", "grace"] {
        server.appoint(name, Role::Admin);
    }
    server
}

fn user(server: &Server, name: &str) -> User {
    let email = format!("{name}@example.org");
    let user = server.app.accounts.user_by_email(&Superuser::operator(), &email);
    user.unwrap().unwrap()
}

fn path(server: &Server, name: &str) -> String {
    format!("/tenant/users/{}", user(server, name).id)
}

async fn change(server: &Server, name: &str, body: &Value) -> Answer {
    server.call_as("ada", put(&path(server, name), body)).await
}

#[actix_web::test]
async fn an_admin_makes_lists_changes_and_deactivates_users_of_the_own_tenant() {
    let server = with_admins().await;
    let new = json!({"email": "Cy@example.org", "password": PASSWORD, "role": "reader"});
    let made = server.call_as("ada", post("/tenant/users", &new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (
            &made["email"],
            &made["tenant_id"],
            &made["role"],
            &made["is_superuser"]
        ),
        (
            &json!("cy@example.org"),
            &json!("acme"),
            &json!("reader"),
            &json!(false)
        )
    );
    let listed = server.call_as("ada", get("/tenant/users")).await.json();
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["email"].as_str().unwrap())
        .collect();
    assert_eq!(
        (names, &listed["total"]),
        (
            vec!["ada@example.org", "bo@example.org", "cy@example.org"],
            &json!(3)
        )
    );
    let shown = server.call_as("ada", get(&path(&server, "cy"))).await;
    assert_eq!(shown.json(), made);
    let raised = change(&server, "cy", &json!({"role": "admin"})).await;
    assert_eq!(raised.json()["role"], json!("admin"), "{}", raised.text());
    let gone = server.call_as("ada", delete(&path(&server, "cy"))).await;
    assert_eq!(gone.json()["is_active"], json!(false), "{}", gone.text());
    let back = change(&server, "cy", &json!({"is_active": true})).await;
    assert_eq!((back.status, &back.json()["role"]), (200, &json!("admin")));
}

#[actix_web::test]
async fn a_user_without_a_password_is_made_and_cannot_log_in_with_one() {
    let server = with_admins().await;
    let new = json!({"email": "cy@example.org"});
    let made = server.call_as("ada", post("/tenant/users", &new)).await;
    assert_eq!((made.status, &made.json()["role"]), (201, &json!("member")));
    assert_eq!(user(&server, "cy").password_hash, None);
}

#[actix_web::test]
async fn a_change_of_role_or_state_ends_the_users_tokens_at_once() {
    let server = with_admins().await;
    for body in [json!({"role": "reader"}), json!({"is_active": false})] {
        let token = server.token("bo");
        assert_eq!(server.call(bearer(get("/users/me"), &token)).await.status, 200);
        assert_eq!(change(&server, "bo", &body).await.status, 200);
        server
            .call(bearer(get("/users/me"), &token))
            .await
            .is(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn nobody_of_another_tenant_of_none_and_no_superuser_is_there() {
    let server = with_admins().await;
    server.hire("boss", "acme", true);
    let unknown = "/tenant/users/019a0000-0000-7000-8000-000000000000".to_owned();
    let mut heard = Vec::new();
    for path in [
        unknown,
        path(&server, "grace"),
        path(&server, "nomad"),
        path(&server, "root"),
        path(&server, "boss"),
    ] {
        for request in [get(&path), delete(&path), put(&path, &json!({"role": "reader"}))] {
            let answer = server.call_as("ada", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    for name in ["grace", "nomad", "root", "boss"] {
        assert!(user(&server, name).is_active, "{name}");
    }
    let listed = server.call_as("ada", get("/tenant/users")).await.json();
    assert_eq!(listed["total"], json!(2), "ada and bo");
    let other = server.call_as("grace", get("/tenant/users")).await.json();
    assert_eq!(other["total"], json!(1), "grace alone");
}

#[actix_web::test]
async fn an_admin_makes_no_superuser_and_gives_no_tenant_away() {
    let server = with_admins().await;
    for (field, value) in [("is_superuser", json!(true)), ("tenant_id", json!("globex"))] {
        let mut new = json!({"email": "cy@example.org", "password": PASSWORD});
        new[field] = value.clone();
        let answer = server.call_as("ada", post("/tenant/users", &new)).await;
        answer.is(422, "invalid_request");
        change(&server, "bo", &json!({ field: value }))
            .await
            .is(422, "invalid_request");
    }
    change(&server, "bo", &json!({"role": "owner"}))
        .await
        .is(422, "invalid_request");
    let taken = json!({"email": "grace@example.org", "password": PASSWORD});
    let answer = server.call_as("ada", post("/tenant/users", &taken)).await;
    answer.is(409, "email_taken");
    let weak = json!({"email": "cy@example.org", "password": "short"});
    let answer = server.call_as("ada", post("/tenant/users", &weak)).await;
    answer.is(422, "invalid_password");
}

#[actix_web::test]
async fn whoever_is_no_admin_manages_nobody() {
    let server = with_admins().await;
    let bo = path(&server, "bo");
    for (name, code) in [
        ("bo", "permission_required"),
        ("root", "tenant_forbidden"),
        ("nomad", "tenant_forbidden"),
    ] {
        for request in [
            get("/tenant/users"),
            get(&bo),
            delete(&bo),
            put(&bo, &json!({"role": "admin"})),
            post("/tenant/users", &json!({"email": "cy@example.org"})),
        ] {
            server.call_as(name, request).await.is(403, code);
        }
    }
    assert_eq!(user(&server, "bo").role, Role::Member);
}

/// Makes an API key of acme.
fn key(server: &Server, scopes: &[Permission]) -> String {
    use tenantry_retrieval::Credential;
    let secret = format!(
        "tnk_{}",
        "k".repeat(42 - scopes.len()) + &"s".repeat(scopes.len() + 1)
    );
    let Some(Credential::ApiKey(hash)) = Credential::api_key(&secret) else {
        panic!("no key");
    };
    let now = server.clock.now();
    let key = ApiKey {
        id: ApiKeyId::generate(now),
        name: "a key".into(),
        prefix: "tnk_kkkkkkkk".into(),
        permissions: Permissions::of(scopes),
        created_by: Principal::Operator,
        created_at: now,
        expires_at: None,
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    };
    let root = Superuser::operator();
    let scope = server
        .app
        .resolver
        .operator_scope(&root, &"acme".parse().unwrap());
    server.store.create_api_key(&scope.unwrap(), &key, hash).unwrap();
    secret
}

#[actix_web::test]
async fn an_api_key_gives_no_role_that_may_do_more_than_the_key() {
    let server = with_admins().await;
    let (admin_alone, all) = (key(&server, &[Permission::Admin]), key(&server, Permission::ALL));
    let bo = path(&server, "bo");
    for role in ["reader", "member", "admin"] {
        let new = json!({"email": format!("{role}@example.org"), "role": role});
        for request in [post("/tenant/users", &new), put(&bo, &json!({ "role": role }))] {
            let answer = server.call(bearer(request, &admin_alone)).await;
            answer.is(403, "role_above_own");
        }
        let answer = server.call(bearer(post("/tenant/users", &new), &all)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let off = server.call(bearer(delete(&bo), &admin_alone)).await;
    assert_eq!(off.status, 200, "taking away is not giving: {}", off.text());
}

#[actix_web::test]
async fn an_api_key_has_no_account_and_its_tenants_settings() {
    let server = with_admins().await;
    let all = key(&server, Permission::ALL);
    let me = server.call(bearer(get("/users/me"), &all)).await;
    me.is(403, "user_required");
    let settings = server.call(bearer(get("/tenant/settings"), &all)).await.json();
    assert_eq!(
        (&settings["tenant_id"], &settings["role"]),
        (&json!("acme"), &Value::Null)
    );
    let chat = key(&server, &[Permission::Chat, Permission::Search]);
    let begun = server
        .call(bearer(post("/conversations", &json!({})), &chat))
        .await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let own = server.call(bearer(get("/conversations"), &chat)).await.json();
    let of_another = server.call(bearer(get("/conversations"), &all)).await.json();
    assert_eq!((&own["total"], &of_another["total"]), (&json!(1), &json!(0)));
}
