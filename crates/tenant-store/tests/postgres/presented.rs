//! Credentials of whom it is not known yet which tenant they come to: what they ask for is seen, and nothing else.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_domain::{
    Actor, ApiKey, ApiKeyId, ClaimMapping, ForeignIdentity, IdentityProvider, IdentityProviderId,
    Permissions, Principal, Role, TenantScope, TokenHash, UserId,
};
use tenantry_tenant_store::{Admission, ApiKeyStore, IdentityStore, PoolOptions, SqlStore, UserStore};

use crate::database::Database;
use crate::isolation::{begin, count};
use crate::{migrated, now, scope};

/// The secret of a tenant's key, made of its name.
fn secret(tenant: &str) -> TokenHash {
    TokenHash::from_bytes([tenant.bytes().next().unwrap(); 32])
}

fn issuer(tenant: &str) -> String {
    format!("https://{tenant}.example")
}

fn identity(tenant: &str) -> ForeignIdentity {
    ForeignIdentity {
        subject: "s-1".into(),
        email: Some(format!("ada@{tenant}.example").parse().unwrap()),
        email_is_verified: true,
        role: Role::Admin,
        role_is_mapped: true,
        issued_at: now(),
        expires_at: now(),
    }
}

fn provider(tenant: &str) -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId::generate(now()),
        name: tenant.into(),
        issuer: issuer(tenant),
        audience: "x".into(),
        claims: ClaimMapping::default(),
        creates_users: true,
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

/// A key, a provider and a subject of the tenant.
pub(crate) fn store_one(store: &SqlStore, scope: &TenantScope) {
    let name = scope.id().as_str();
    let key = ApiKey {
        id: ApiKeyId::generate(now()),
        name: name.into(),
        prefix: "tnk_00000000".into(),
        permissions: Permissions::ALL,
        created_by: Principal::Operator,
        created_at: now(),
        expires_at: None,
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    };
    store.create_api_key(scope, &key, secret(name)).unwrap();
    let provider = provider(name);
    store.create_identity_provider(scope, &provider).unwrap();
    admit(store, scope, &provider, &identity(name));
}

fn admit(
    store: &SqlStore,
    scope: &TenantScope,
    provider: &IdentityProvider,
    identity: &ForeignIdentity,
) -> UserId {
    let id = UserId::generate(now());
    let admission = store.admit_identity(scope.id(), provider, identity, id, &Actor::system(), now());
    match admission.unwrap() {
        Admission::User(user) => user.id,
        nobody => panic!("{nobody:?}"),
    }
}

/// What a transaction says to ask for the key and the issuer of `a`.
fn asking() -> String {
    let hex = "61".repeat(32);
    assert_eq!(secret("a").as_bytes(), &[0x61; 32]);
    format!(
        "SELECT set_config('app.presented_key', '{hex}', true), set_config('app.presented_issuer', '{}', true)",
        issuer("a")
    )
}

const PRESENTED: [&str; 2] = ["api_keys", "identity_providers"];

/// Runs `check` with a store and a connection of an owner whom every policy binds, while the tenants `a` and `b` have a row in each table.
fn as_bound_owner(check: impl FnOnce(&SqlStore, &mut PgConnection, &[TenantScope; 2])) {
    drop(migrated()); // The role exists, and the owner is no member of it.
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        let scopes = ["a", "b"].map(|id| scope(&store, id));
        for scope in &scopes {
            store_one(&store, scope);
        }
        check(&store, &mut database.connect_as(&user), &scopes);
    }
    database.take_from(&user);
}

#[test]
fn a_presented_credential_shows_the_rows_that_it_asks_for_and_no_other() {
    as_bound_owner(|_, conn, _| {
        for table in PRESENTED {
            assert_eq!(count(conn, table), 0, "{table}");
        }
        conn.batch_execute(&format!("BEGIN; {}", asking())).unwrap();
        for table in PRESENTED {
            assert_eq!(count(conn, table), 1, "{table}");
            assert_eq!(
                count(conn, &format!("{table} WHERE tenant_id = 'a'")),
                1,
                "{table}"
            );
        }
        assert_eq!(count(conn, "identities"), 0);
        for table in PRESENTED {
            for missed in [
                format!("UPDATE {table} SET name = 'x'"),
                format!("DELETE FROM {table}"),
            ] {
                let changed = diesel::sql_query(&missed).execute(conn).unwrap();
                assert_eq!(changed, 0, "{missed}");
            }
        }
        conn.batch_execute("COMMIT").unwrap();
        for table in PRESENTED {
            assert_eq!(count(conn, table), 0, "{table}: it ends with the transaction");
        }
    });
}

#[test]
fn a_tenants_transaction_cannot_look_for_anothers_credential() {
    let (store, database) = migrated();
    for id in ["a", "b"] {
        store_one(&store, &scope(&store, id));
    }
    let mut conn = database.connect();
    for tenant in [None, Some("b")] {
        begin(&mut conn, tenant);
        conn.batch_execute(&asking()).unwrap();
        for table in PRESENTED {
            assert_eq!(count(&mut conn, table), i64::from(tenant.is_some()), "{table}");
            let foreign = format!("{table} WHERE tenant_id = 'a'");
            assert_eq!(count(&mut conn, &foreign), 0, "{table}");
        }
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn credentials_are_looked_up_by_an_owner_who_is_bound() {
    as_bound_owner(|store, _, [a, b]| {
        for scope in [a, b] {
            let name = scope.id().as_str();
            let found = store.key_access(secret(name)).unwrap().unwrap();
            assert_eq!((found.tenant.id.as_str(), found.key.name.as_str()), (name, name));
            store.api_key_used(secret(name), now()).unwrap();
            let used = store.api_key(scope, found.key.id).unwrap().unwrap().used_at;
            assert_eq!(used, Some(now()));
            let providers = store.providers_of_issuer(&issuer(name)).unwrap();
            let [(tenant, provider)] = &providers[..] else {
                panic!("{providers:?}")
            };
            assert_eq!((tenant, provider.name.as_str()), (scope.id(), name));
            let id = admit(store, scope, provider, &identity(name));
            assert_eq!(store.user(id).unwrap().unwrap().role, Role::Admin);
            let lowered = ForeignIdentity {
                role: Role::Reader,
                ..identity(name)
            };
            assert_eq!(admit(store, scope, provider, &lowered), id);
            assert_eq!(store.user(id).unwrap().unwrap().role, Role::Reader);
        }
        assert_eq!(store.key_access(secret("c")).unwrap(), None);
        assert_eq!(store.providers_of_issuer(&issuer("c")).unwrap(), []);
    });
}

#[test]
fn keys_and_subjects_are_written_under_the_role() {
    let (store, database) = migrated();
    let a = scope(&store, "a");
    store_one(&store, &a);
    let (_, known) = store.providers_of_issuer(&issuer("a")).unwrap().remove(0);
    let key = store.key_access(secret("a")).unwrap().unwrap().key;
    let mut hand = database.connect();
    // A superuser would not notice that the role's right is gone.
    hand.batch_execute(
        "REVOKE UPDATE ON api_keys FROM tenantry_tenant; REVOKE SELECT ON identities FROM tenantry_tenant; \
         REVOKE INSERT ON identity_providers FROM tenantry_tenant",
    )
    .unwrap();
    assert!(store.revoke_api_key(&a, key.id, now()).is_err());
    assert!(store.api_key_used(secret("a"), now()).is_err());
    assert!(store.create_identity_provider(&a, &provider("x")).is_err());
    let id = UserId::generate(now());
    let admission = store.admit_identity(a.id(), &known, &identity("a"), id, &Actor::system(), now());
    assert!(admission.is_err(), "{admission:?}");
}

#[test]
fn credentials_are_found_by_an_index_under_their_policies() {
    as_bound_owner(|_, conn, _| {
        conn.batch_execute(
            "BEGIN; SELECT set_config('app.tenant_id', 'b', true); \
             INSERT INTO api_keys (tenant_id, id, secret_hash, name, prefix, permissions, created_by, created_at) \
                SELECT 'b', n, sha256(n::TEXT::BYTEA), 'x', 'x', '', 'system', n FROM generate_series(1, 10000) AS n; \
             INSERT INTO identity_providers (tenant_id, id, name, issuer, audience, email_claim, default_role, creates_users, \
                is_active, created_at, updated_at) \
                SELECT 'b', n, 'x', 'https://' || n, 'x', 'x', 'member', true, true, 0, 0 FROM generate_series(1, 10000) AS n; \
             COMMIT; ANALYZE api_keys; ANALYZE identity_providers",
        )
        .unwrap();
        conn.batch_execute(&format!("BEGIN; {}", asking())).unwrap();
        for (query, index) in [
            (
                "SELECT * FROM api_keys WHERE secret_hash = decode(repeat('61', 32), 'hex')",
                "api_keys_secret_hash_key",
            ),
            (
                "SELECT * FROM identity_providers WHERE issuer = 'https://a.example' AND is_active",
                "identity_providers_by_issuer",
            ),
        ] {
            let plan: Vec<String> = sql::<Text>(&format!("EXPLAIN {query}")).load(conn).unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains(index), "{plan}");
        }
    });
}
