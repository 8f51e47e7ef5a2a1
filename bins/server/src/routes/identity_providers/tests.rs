use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_auth::{ClaimValue, ForeignClaims};
use tenantry_domain::{Clock, Role};

use crate::http::testing::{Answer, Server, bearer, delete, get, post, put};

const PATH: &str = "/tenant/identity-providers";
const ISSUER: &str = "https://login.example.org/realms/acme";

/// Ada and grace are admins of their tenants.
async fn with_admins() -> Server {
    let server = Server::new().await;
    for name in ["ada", "grace"] {
        server.appoint(name, Role::Admin);
    }
    server
}

fn plain() -> Value {
    json!({"name": "Acme's log-in", "issuer": ISSUER, "audience": "tenantry-acme"})
}

async fn create(server: &Server, name: &str, body: &Value) -> Value {
    let made = server.call_as(name, post(PATH, body)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn path(made: &Value) -> String {
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

/// A token of [`ISSUER`] for somebody new.
fn token(server: &Server, subject: &str, groups: &[&str]) -> String {
    let now = server.clock.now().unix_seconds();
    server.issuers.issue(ForeignClaims {
        issuer: ISSUER.to_owned(),
        audiences: vec!["tenantry-acme".to_owned()],
        authorized_party: None,
        subject: subject.to_owned(),
        issued_at: now,
        not_before: None,
        expires_at: now + 600,
        others: BTreeMap::from([
            (
                "email".to_owned(),
                ClaimValue::Text(format!("{subject}@acme.example")),
            ),
            ("email_verified".to_owned(), ClaimValue::Flag(true)),
            (
                "groups".to_owned(),
                ClaimValue::Texts(groups.iter().map(|group| (*group).to_owned()).collect()),
            ),
        ]),
    })
}

async fn as_foreign(server: &Server, token: &str, request: TestRequest) -> Answer {
    server.call(bearer(request, token)).await
}

#[actix_web::test]
async fn a_provider_is_added_shown_changed_and_removed() {
    let server = with_admins().await;
    let made = create(&server, "ada", &plain()).await;
    let expected = json!({
        "id": made["id"],
        "name": "Acme's log-in",
        "issuer": ISSUER,
        "audience": "tenantry-acme",
        "claims": {"email": "email", "tenant": null, "role": null, "roles": {}, "default_role": "member"},
        "creates_users": true,
        "is_active": true,
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made, expected);
    assert_eq!(server.call_as("ada", get(&path(&made))).await.json(), made);
    let listed = server.call_as("ada", get(PATH)).await.json();
    assert_eq!(listed, json!({"items": [made], "total": 1}));

    server.clock.advance(Duration::from_secs(1));
    let change = json!({
        "is_active": false,
        "creates_users": false,
        "claims": {
            "email": "upn",
            "tenant": {"claim": "org", "value": "acme"},
            "role": "/realm_access/roles",
            "roles": {"rag-admins": "admin", "staff": "member"},
            "default_role": "reader",
        },
    });
    let changed = server.call_as("ada", put(&path(&made), &change)).await.json();
    let mut expected = made.clone();
    for name in ["is_active", "creates_users", "claims"] {
        expected[name] = change[name].clone();
    }
    expected["updated_at"] = json!("2027-01-15T08:00:01Z");
    assert_eq!(changed, expected);

    let cleared = json!({"claims": {"tenant": null, "role": null, "roles": {}}});
    let changed = server.call_as("ada", put(&path(&made), &cleared)).await.json();
    assert_eq!(
        changed["claims"],
        json!({"email": "upn", "tenant": null, "role": null, "roles": {}, "default_role": "reader"})
    );

    let gone = server.call_as("ada", delete(&path(&made))).await;
    assert_eq!((gone.status, gone.text()), (204, ""));
    assert_eq!(server.call_as("ada", delete(&path(&made))).await.status, 404);
    assert_eq!(server.call_as("ada", get(&path(&made))).await.status, 404);
}

#[actix_web::test]
async fn a_token_of_a_provider_works_where_ours_does_as_far_as_its_role_goes() {
    let server = with_admins().await;
    let body = json!({
        "name": "Acme's log-in", "issuer": ISSUER, "audience": "tenantry-acme",
        "claims": {"role": "groups", "roles": {"rag-admins": "admin", "staff": "member"}, "default_role": "reader"},
    });
    create(&server, "ada", &body).await;
    server.add("ada", "Owls", "Owls sleep by day.").await;

    let member = token(&server, "bo", &["staff"]);
    let found = as_foreign(&server, &member, post("/search", &json!({"query": "owls"}))).await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert!(found.text().contains("sleep by day"), "{}", found.text());
    let me = as_foreign(&server, &member, get("/users/me")).await.json();
    assert_eq!(
        (&me["email"], &me["tenant_id"], &me["role"]),
        (&json!("bo@acme.example"), &json!("acme"), &json!("member"))
    );

    let reader = token(&server, "cy", &[]);
    let refused = as_foreign(&server, &reader, post("/search", &json!({"query": "owls"}))).await;
    refused.is(403, "permission_required");
    let refused = as_foreign(&server, &member, get(PATH)).await;
    refused.is(403, "permission_required");
    let admin = token(&server, "di", &["staff", "rag-admins"]);
    assert_eq!(as_foreign(&server, &admin, get(PATH)).await.json()["total"], 1);
    let refused = as_foreign(&server, &admin, get("/admin/tenants")).await;
    refused.is(403, "superuser_required");
}

#[actix_web::test]
async fn a_token_is_refused_as_soon_as_its_provider_is_off() {
    let server = with_admins().await;
    let made = create(&server, "ada", &plain()).await;
    let token = token(&server, "bo", &[]);
    assert_eq!(as_foreign(&server, &token, get("/users/me")).await.status, 200);
    let off = put(&path(&made), &json!({"is_active": false}));
    assert_eq!(server.call_as("ada", off).await.status, 200);
    as_foreign(&server, &token, get("/users/me"))
        .await
        .is(401, "unauthenticated");
}

#[actix_web::test]
async fn what_cannot_be_kept_is_named() {
    let server = with_admins().await;
    let with = |name: &str, value: Value| {
        let mut body = plain();
        body[name] = value;
        body
    };
    for (body, sentence) in [
        (
            with("issuer", json!("http://login.example.org")),
            "`issuer` is not https",
        ),
        (
            with("issuer", json!("login")),
            "`issuer` is no URL as `https://login.example.org`",
        ),
        (with("audience", json!(" ")), "`audience` is empty"),
        (with("name", json!("")), "`name` is empty"),
        (
            with("claims", json!({"roles": {"a": "admin"}})),
            "`claims.roles` needs a claim in `claims.role`",
        ),
        (
            with("claims", json!({"role": "groups", "roles": {"a": "superuser"}})),
            "`claims.roles` has a role that is none of `reader`, `member` and `admin`",
        ),
        (
            with("claims", json!({"default_role": "root"})),
            "`claims.default_role` has a role that is none of `reader`, `member` and `admin`",
        ),
    ] {
        let refused = server.call_as("ada", post(PATH, &body)).await;
        refused.is(422, "invalid_request");
        assert_eq!(refused.json()["error"]["message"], sentence);
    }
    for body in [
        with("claims", json!({"unknown": 1})),
        with("unknown", json!(1)),
        with("creates_users", json!("yes")),
        with("claims", json!({"tenant": {"claim": "org"}})),
        json!({"name": "Acme's log-in"}),
    ] {
        assert_eq!(
            server.call_as("ada", post(PATH, &body)).await.status,
            422,
            "{body}"
        );
    }
    create(&server, "ada", &plain()).await;
    let again = server.call_as("ada", post(PATH, &plain())).await;
    again.is(409, "id_taken");
    for number in 1..10 {
        create(&server, "ada", &with("audience", json!(format!("a{number}")))).await;
    }
    let many = server
        .call_as("ada", post(PATH, &with("audience", json!("more"))))
        .await;
    many.is(409, "identity_provider_limit");
}

#[actix_web::test]
async fn a_foreign_provider_is_like_one_that_does_not_exist() {
    let server = with_admins().await;
    let made = create(&server, "ada", &plain()).await;
    let unknown = format!("{PATH}/01907e4d-0000-7000-8000-000000000001");
    let of = |request: fn(&str) -> TestRequest| {
        let (server, made, unknown) = (&server, path(&made), unknown.clone());
        async move {
            let foreign = server.call_as("grace", request(&made)).await;
            let missing = server.call_as("grace", request(&unknown)).await;
            assert_eq!(foreign.status, 404);
            assert_eq!(
                foreign.json()["error"]["message"],
                missing.json()["error"]["message"]
            );
        }
    };
    of(get).await;
    of(delete).await;
    of(|path| put(path, &json!({"is_active": false}))).await;
    assert_eq!(server.call_as("grace", get(PATH)).await.json()["total"], 0);
    assert_eq!(server.call_as("ada", get(&path(&made))).await.json(), made);
}
