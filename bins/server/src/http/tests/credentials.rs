//! What a bearer may show beside a token of ours: an API key, or a token of another issuer.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tenantry_domain::{
    ApiKey, ApiKeyId, Clock as _, Permission, Permissions, Principal, RequestOrigin, Role, Timestamp, UserId,
};
use tenantry_retrieval::{AdmittedIdentity, Credential, IdentityGate, ResolveError, Superuser};
use tenantry_tenant_store::ApiKeyStore as _;

use crate::http::testing::{Parts, Server, bearer, get, logged, post};

const KEY: &str = "tnk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
/// What the gate knows, in the form of a token of another issuer.
const FOREIGN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIn0.c2lnbmF0dXJl";
const UNREACHABLE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2Rvd24uZXhhbXBsZS5vcmcifQ.c2lnbmF0dXJl";

/// A gate that knows one token, and one issuer that does not answer.
struct Gate(std::sync::Mutex<Option<AdmittedIdentity>>);

impl IdentityGate for Gate {
    fn authenticate(
        &self,
        token: &SecretString,
        origin: &RequestOrigin,
    ) -> Result<AdmittedIdentity, ResolveError> {
        assert!(origin.request.is_some(), "it is known by which request");
        match (token.expose_secret(), &*self.0.lock().unwrap()) {
            (FOREIGN, Some(identity)) => Ok(identity.clone()),
            (UNREACHABLE, _) => Err(ResolveError::Provider("unreachable-secret-host".into())),
            _ => Err(ResolveError::Unauthenticated),
        }
    }
}

fn user(server: &Server, name: &str) -> UserId {
    let email = format!("{name}@example.org");
    let user = server.app.accounts.user_by_email(&Superuser::operator(), &email);
    user.unwrap().unwrap().id
}

/// A server whose gate admits ada of acme with [`FOREIGN`], for an hour.
async fn with_identity() -> Server {
    let gate = Arc::new(Gate(None.into()));
    let server = Server::with(Parts {
        identities: Some(gate.clone()),
        ..Parts::default()
    })
    .await;
    let now = server.clock.now();
    *gate.0.lock().unwrap() = Some(AdmittedIdentity {
        user: user(&server, "ada"),
        tenant: "acme".parse().unwrap(),
        issued_at: now,
        expires_at: Timestamp::from_unix_micros(now.unix_micros() + 3_600_000_000).unwrap(),
    });
    server
}

/// Makes the key [`KEY`] of acme.
fn add_key(server: &Server, permissions: &[Permission]) -> ApiKeyId {
    let Some(Credential::ApiKey(hash)) = Credential::api_key(KEY) else {
        panic!("no key");
    };
    let now = server.clock.now();
    let key = ApiKey {
        id: ApiKeyId::generate(now),
        name: "a key".into(),
        prefix: KEY[..12].into(),
        permissions: Permissions::of(permissions),
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
    key.id
}

#[actix_web::test]
async fn an_api_key_works_wherever_a_token_does() {
    let server = Server::new().await;
    add_key(
        &server,
        &[Permission::Chat, Permission::Search, Permission::Ingest],
    );
    let new = json!({"title": "Hours", "text": "Open from nine to five."});
    let submitted = server.call(bearer(post("/documents?wait=0", &new), KEY)).await;
    assert_eq!(submitted.status, 202, "{}", submitted.text());
    server.work();
    let found = server
        .call(bearer(post("/search", &json!({"query": "nine"})), KEY))
        .await;
    assert_eq!(
        found.json()["items"].as_array().unwrap().len(),
        1,
        "{}",
        found.text()
    );
    let asked = server
        .call(bearer(post("/chat", &json!({"message": "When open?"})), KEY))
        .await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    let models = server.call(bearer(get("/v1/models"), KEY)).await.json();
    let completion =
        json!({"model": models["data"][0]["id"], "messages": [{"role": "user", "content": "When open?"}]});
    let completed = server
        .call(bearer(post("/v1/chat/completions", &completion), KEY))
        .await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let own = server.call(bearer(get("/conversations"), KEY)).await.json();
    assert_eq!(own["total"], json!(1), "the key's own");
    let members = server.call_as("ada", get("/conversations")).await.json();
    assert_eq!(members["total"], json!(0), "and nobody else's");
    server.drain_streams().await;
}

#[actix_web::test]
async fn an_api_key_that_was_revoked_or_is_none_is_unauthenticated() {
    let server = Server::new().await;
    let id = add_key(&server, &[Permission::Search]);
    assert_eq!(server.call(bearer(get("/documents"), KEY)).await.status, 200);
    let root = Superuser::operator();
    let scope = server
        .app
        .resolver
        .operator_scope(&root, &"acme".parse().unwrap());
    let revoked = server
        .store
        .revoke_api_key(&scope.unwrap(), id, server.clock.now());
    revoked.unwrap().unwrap();
    server.app.resolver.forget();
    let mut heard = Vec::new();
    for key in [
        KEY,
        &KEY.replace('0', "1"),
        &KEY[..46],
        "tnk_",
        &KEY.replace("tnk", "tnr"),
    ] {
        let answer = server.call(bearer(get("/documents"), key)).await;
        answer.is(401, "unauthenticated");
        heard.push(answer.anonymous());
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn a_token_of_another_issuer_has_the_role_of_its_user() {
    let server = with_identity().await;
    let me = server.call(bearer(get("/users/me"), FOREIGN)).await.json();
    assert_eq!(me["email"], json!("ada@example.org"));
    assert_eq!(server.call(bearer(get("/documents"), FOREIGN)).await.status, 200);
    let streamed = json!({"message": "When open?", "stream": true});
    let streamed = server.call(bearer(post("/chat", &streamed), FOREIGN)).await;
    assert!(streamed.text().contains("event: done"), "{}", streamed.text());
    for (path, code) in [
        ("/tenant/users", "permission_required"),
        ("/admin/tenants", "superuser_required"),
    ] {
        server.call(bearer(get(path), FOREIGN)).await.is(403, code);
    }
    // A role ends what was issued before it.
    server.clock.advance(std::time::Duration::from_secs(1));
    server.appoint("ada", Role::Admin);
    server
        .call(bearer(get("/tenant/users"), FOREIGN))
        .await
        .is(401, "unauthenticated");
    server.drain_streams().await;
}

#[actix_web::test]
async fn a_token_of_an_unknown_issuer_is_refused_and_one_of_a_dead_one_is_an_outage() {
    let server = with_identity().await;
    for token in [
        FOREIGN.replace("c2ln", "c3ln"),
        format!("{FOREIGN}.x"),
        "a.b.".into(),
        "..".into(),
    ] {
        server
            .call(bearer(get("/documents"), &token))
            .await
            .is(401, "unauthenticated");
    }
    let lines = logged(async {
        let answer = server.call(bearer(get("/documents"), UNREACHABLE)).await;
        answer.is(503, "identity_provider_unavailable");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    })
    .await;
    assert!(
        lines[0].contains("unreachable-secret-host"),
        "the log has the cause: {lines:?}"
    );
}

#[actix_web::test]
async fn the_log_names_the_tenant_of_every_kind_of_credential() {
    let server = with_identity().await;
    add_key(&server, &[Permission::Search]);
    for credential in [KEY, FOREIGN, &server.token("ada")] {
        // Once read from the store, and once from memory.
        for _ in 0..2 {
            let lines = logged(async {
                server.call(bearer(get("/documents"), credential)).await;
            })
            .await;
            assert!(lines[0].ends_with(" tenant=acme"), "{lines:?}");
            assert!(!lines[0].contains(credential), "{lines:?}");
        }
    }
}

#[actix_web::test]
async fn a_permission_that_is_lacking_is_named_also_below_v1() {
    let server = Server::new().await;
    add_key(&server, &[Permission::Search]);
    let refused = server.call(bearer(get("/v1/models"), KEY)).await;
    assert_eq!(refused.status, 403);
    let error = &refused.json()["error"];
    assert_eq!(
        (&error["code"], &error["type"]),
        (&json!("permission_required"), &json!("permission_error"))
    );
    assert!(error["message"].as_str().unwrap().contains("`chat`"), "{error}");
}
