//! What the tables of API keys and identity providers hold against a hand, and how they are read.

use std::sync::Arc;

use tenantry_domain::{
    ApiKey, ApiKeyId, ClaimMapping, ForeignIdentity, IdentityProvider, IdentityProviderId, Permissions,
    Principal, TenantScope, TokenHash,
};

use super::plans::{assert_by_index, watched};
use super::*;
use crate::conformance::samples;
use crate::{Admission, ApiKeyStore, IdentityStore};

const SECRET: TokenHash = TokenHash::from_bytes([7; 32]);

fn key() -> ApiKey {
    ApiKey {
        id: ApiKeyId::generate(now()),
        name: "Importer".into(),
        prefix: "tnk_0a1b2c3d".into(),
        permissions: Permissions::ALL,
        created_by: Principal::Operator,
        created_at: now(),
        expires_at: None,
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    }
}

fn provider() -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId::generate(now()),
        name: "Example".into(),
        issuer: "https://a.example".into(),
        audience: "A".into(),
        claims: ClaimMapping::default(),
        creates_users: true,
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

fn ada() -> ForeignIdentity {
    ForeignIdentity {
        subject: "s-1".into(),
        email: Some("ada@example.org".parse().unwrap()),
        email_is_verified: true,
        role: Role::Member,
        role_is_mapped: false,
        issued_at: now(),
        expires_at: now(),
    }
}

/// A key, a provider and one who was admitted by it.
fn stored(store: &SqlStore) -> (TenantScope, ApiKey, IdentityProvider) {
    let acme = samples::tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let acme = Arc::new(acme).activate(Actor::system()).unwrap();
    let (key, provider) = (key(), provider());
    store.create_api_key(&acme, &key, SECRET).unwrap();
    store.create_identity_provider(&acme, &provider).unwrap();
    assert!(matches!(admit(store, &acme, &provider), Admission::User(_)));
    (acme, key, provider)
}

fn admit(store: &SqlStore, scope: &TenantScope, provider: &IdentityProvider) -> Admission {
    let id = UserId::generate(now());
    let admission = store.admit_identity(scope.id(), provider, &ada(), id, &Actor::system(), now());
    admission.unwrap()
}

#[test]
fn what_a_hand_must_not_write_of_a_credential_is_refused() {
    let (store, _folder) = migrated();
    stored(&store);
    for statement in [
        "UPDATE api_keys SET secret_hash = x'00'",
        "UPDATE api_keys SET tenant_id = 'nowhere'",
        "INSERT INTO api_keys SELECT tenant_id, 'x', secret_hash, name, prefix, permissions, created_by, created_at, expires_at, \
            used_at, revoked_at, replaced_by FROM api_keys",
        "UPDATE identity_providers SET issuer = ''",
        "UPDATE identity_providers SET default_role = 'owner'",
        "UPDATE identity_providers SET is_active = 'yes'",
        "UPDATE identities SET user_id = 'x'",
        "UPDATE identities SET provider_id = 'x'",
        "UPDATE identities SET tenant_id = 'nowhere'",
    ] {
        let done = store.run(|conn| conn.batch_execute(statement));
        assert!(done.is_err(), "{statement}");
    }
}

#[test]
fn a_credential_that_cannot_be_read_is_a_failure_that_names_the_table() {
    for broken in [
        "api_keys SET permissions = 'chat root'",
        "api_keys SET created_by = 'user x'",
        "api_keys SET created_by = 'somebody'",
        "api_keys SET created_by = 'system 0190a000-0000-7000-8000-000000000000'",
        "api_keys SET replaced_by = 'x'",
        "api_keys SET id = 'x'",
        "identity_providers SET roles = '[]'",
        "identity_providers SET roles = '{\"a\":\"owner\"}'",
    ] {
        let (store, _folder) = migrated();
        let (acme, _, _) = stored(&store);
        sql(&store, &format!("UPDATE {broken}"));
        let keys = store.key_access(SECRET).map(drop);
        let providers = store.identity_providers(&acme, Page::default()).map(drop);
        let Err(StoreError::Failed(cause)) = keys.and(providers) else {
            panic!("{broken} is read")
        };
        let table = broken.split(' ').next().unwrap();
        assert_eq!(
            cause.to_string(),
            format!("a row of {table} cannot be read"),
            "{broken}"
        );
    }
}

#[test]
fn what_a_credential_costs_is_the_same_however_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let (acme, key, provider) = stored(&store);
    let numbers =
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) ";
    sql(
        &store,
        &format!(
            "{numbers} INSERT INTO api_keys (tenant_id, id, secret_hash, name, prefix, permissions, created_by, created_at) \
                SELECT 'acme', printf('01901000-0000-7000-8000-%012d', n), randomblob(32), 'x', 'x', '', 'system', n FROM numbers; \
             {numbers} INSERT INTO identity_providers (tenant_id, id, name, issuer, audience, email_claim, default_role, \
                creates_users, is_active, created_at, updated_at) SELECT 'acme', printf('01901000-0000-7000-8000-%012d', n), \
                'x', 'https://' || n, 'x', 'email', 'member', TRUE, TRUE, n, n FROM numbers; \
             {numbers} INSERT INTO identities (tenant_id, provider_id, subject, user_id, linked_at) \
                SELECT tenant_id, provider_id, 't' || n, user_id, n FROM identities, numbers"
        ),
    );
    statements.lock().unwrap().clear();
    let mut all = Vec::new();
    let mut taken = |wanted: usize, step: &str| {
        let taken = std::mem::take(&mut *statements.lock().unwrap());
        assert_eq!(taken.len(), wanted, "{step}: {taken:#?}");
        all.extend(taken);
    };
    assert!(store.key_access(SECRET).unwrap().is_some());
    taken(1, "a key's access");
    store.api_key_used(SECRET, now()).unwrap();
    taken(2, "a key's use");
    store.api_key_used(SECRET, now()).unwrap();
    taken(1, "a use that is noted already");
    assert_eq!(store.api_keys(&acme, Page::default()).unwrap().total, 10_001);
    taken(2, "a page of keys");
    assert_eq!(store.providers_of_issuer(&provider.issuer).unwrap().len(), 1);
    taken(1, "the providers of an issuer");
    assert!(matches!(admit(&store, &acme, &provider), Admission::User(_)));
    taken(3, "a subject that is known");
    assert_eq!(
        store.identity_providers(&acme, Page::default()).unwrap().total,
        10_001
    );
    taken(2, "a page of providers");
    assert!(store.revoke_api_key(&acme, key.id, now()).unwrap().is_some());
    all.append(&mut statements.lock().unwrap());
    assert_by_index(&store, &all, 12);
}
