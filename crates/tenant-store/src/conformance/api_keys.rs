//! What every [`ApiKeyStore`] must do, beside the tenants and the audit log of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    ApiKey, ApiKeyId, AuditAction, Page, Permission, Permissions, Principal, TenantScope, Timestamp,
    TokenHash, UserId,
};

use super::samples::{at, foreign_scope, scope};
use crate::{
    ApiKeyStore, AuditFilter, AuditLog, AuditStore, KeyAccess, StoreError, TenantChange, TenantStore,
};

/// A key with no more than it must have.
fn key(seconds: i64) -> ApiKey {
    ApiKey {
        id: ApiKeyId::generate(at(seconds)),
        name: "Importer \"A\"; 'x' \u{1F989}".into(),
        prefix: "tnk_0a1b2c3d".into(),
        permissions: Permissions::of(&[Permission::Chat]),
        created_by: Principal::User(UserId::generate(at(0))),
        created_at: at(seconds),
        expires_at: None,
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    }
}

fn secret(byte: u8) -> TokenHash {
    TokenHash::from_bytes([byte; 32])
}

/// Stores a key of that second with that secret.
fn stored<S: ApiKeyStore>(store: &S, scope: &TenantScope, seconds: i64, byte: u8) -> ApiKey {
    let key = key(seconds);
    store.create_api_key(scope, &key, secret(byte)).unwrap();
    key
}

fn read<S: ApiKeyStore>(store: &S, scope: &TenantScope, id: ApiKeyId) -> ApiKey {
    store.api_key(scope, id).unwrap().unwrap()
}

fn listed<S: ApiKeyStore>(store: &S, scope: &TenantScope) -> Vec<ApiKey> {
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let listed = store.api_keys(scope, page).unwrap();
    assert_eq!(listed.total, u64::try_from(listed.items.len()).unwrap());
    listed.items
}

/// What was done to the tenant's keys, the latest last.
fn entries<S: AuditStore>(store: &S, scope: &TenantScope) -> Vec<(AuditAction, String, Timestamp)> {
    let filter = AuditFilter {
        log: Some(AuditLog::Tenant(scope.id().clone())),
        target: Some("api_key".into()),
        ..AuditFilter::default()
    };
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let found = store.audit(&filter, page).unwrap().items;
    found
        .into_iter()
        .rev()
        .map(|entry| (entry.action, entry.target.unwrap().1, entry.at))
        .collect()
}

/// A key is read back as it was written, by its id and by its secret, whatever its values are.
pub fn a_key_is_read_back_as_it_was_written<S: TenantStore + ApiKeyStore>(store: &S) {
    let acme = scope(store, "acme");
    let full = ApiKey {
        permissions: Permissions::ALL,
        created_by: Principal::Operator,
        expires_at: Some(at(99)),
        used_at: Some(at(7)),
        revoked_at: Some(at(8)),
        replaced_by: Some(ApiKeyId::generate(at(6))),
        ..key(5)
    };
    let by_key = ApiKey {
        created_by: Principal::ApiKey(full.id),
        permissions: Permissions::default(),
        ..key(6)
    };
    for (key, byte) in [(key(4), 1), (full, 2), (by_key, 3)] {
        store.create_api_key(&acme, &key, secret(byte)).unwrap();
        assert_eq!(store.api_key(&acme, key.id).unwrap(), Some(key.clone()));
        let access = store.key_access(secret(byte)).unwrap().unwrap();
        assert_eq!(access.key, key);
        assert_eq!(Some(access.tenant), store.tenant(acme.id()).unwrap());
    }
    assert_eq!(store.api_key(&acme, ApiKeyId::generate(at(4))).unwrap(), None);
    assert_eq!(store.key_access(secret(9)).unwrap(), None);
}

/// An id that the tenant gave, and a secret that anybody has, cannot be given again.
pub fn an_id_and_a_secret_are_taken<S: TenantStore + ApiKeyStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "acme2"));
    let first = stored(store, &acme, 1, 1);
    let again = ApiKey {
        id: first.id,
        ..key(2)
    };
    for (scope, key, byte) in [(&acme, &again, 2), (&acme, &key(3), 1), (&globex, &key(4), 1)] {
        let refused = store.create_api_key(scope, key, secret(byte));
        assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    }
    assert_eq!(store.key_access(secret(1)).unwrap().unwrap().key, first);
    assert_eq!(listed(store, &acme), [first]);
    assert_eq!(listed(store, &globex), []);
}

/// A key of a tenant that does not exist is refused.
pub fn a_key_of_an_unknown_tenant_is_refused<S: TenantStore + ApiKeyStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let refused = store.create_api_key(&nowhere, &key(1), secret(1));
    assert!(matches!(refused, Err(StoreError::UnknownTenant)), "{refused:?}");
    assert_eq!(store.key_access(secret(1)).unwrap(), None);
}

/// Another tenant's key is neither read, listed, revoked nor rotated, though its id is known.
pub fn a_key_of_another_tenant_does_not_exist<S: TenantStore + ApiKeyStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "acme2"));
    let of_acme = stored(store, &acme, 1, 1);
    let same_id = ApiKey {
        id: of_acme.id,
        name: "globex".into(),
        ..key(2)
    };
    store.create_api_key(&globex, &same_id, secret(2)).unwrap();
    let initech = scope(store, "initech");
    assert_eq!(store.api_key(&initech, of_acme.id).unwrap(), None);
    assert_eq!(listed(store, &initech), []);
    assert_eq!(store.revoke_api_key(&initech, of_acme.id, at(3)).unwrap(), None);
    let rotated = store.rotate_api_key(&initech, of_acme.id, &key(3), secret(3), at(4));
    assert!(!rotated.unwrap());
    assert_eq!(store.key_access(secret(3)).unwrap(), None);
    store.revoke_api_key(&globex, of_acme.id, at(3)).unwrap().unwrap();
    store.api_key_used(secret(2), at(4)).unwrap();
    assert_eq!(read(store, &acme, of_acme.id), of_acme);
    assert_eq!(read(store, &globex, of_acme.id).revoked_at, Some(at(3)));
    assert_eq!(store.key_access(secret(1)).unwrap().unwrap().key, of_acme);
}

/// Keys are listed the newest first, live or not, of one moment the highest id first, cut into pages.
pub fn keys_are_listed_newest_first_in_pages_with_the_total<S: TenantStore + ApiKeyStore>(store: &S) {
    let acme = scope(store, "acme");
    let mut keys: Vec<_> = [3, 1, 2, 2, 5].map(key).into();
    for (key, byte) in keys.iter().zip(1..) {
        store.create_api_key(&acme, key, secret(byte)).unwrap();
    }
    let revoked = keys.first().unwrap().id;
    store.revoke_api_key(&acme, revoked, at(9)).unwrap().unwrap();
    keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
    let mut found = Vec::new();
    let mut page = Page::new(2, 0).unwrap();
    for wanted in [2, 2, 1, 0] {
        let paged = store.api_keys(&acme, page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 5));
        found.extend(paged.items.into_iter().map(|key| key.id));
        page = page.next().unwrap();
    }
    assert_eq!(found, keys.iter().map(|key| key.id).collect::<Vec<_>>());
}

/// A revoked key says when it was, and stays so when it is revoked again; one that does not exist is `None`.
pub fn a_key_is_revoked_once<S: TenantStore + ApiKeyStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    let key = stored(store, &acme, 1, 1);
    let revoked = ApiKey {
        revoked_at: Some(at(5)),
        ..key.clone()
    };
    for now in [at(5), at(6)] {
        let answer = store.revoke_api_key(&acme, key.id, now).unwrap();
        assert_eq!(answer.as_ref(), Some(&revoked));
    }
    assert_eq!(read(store, &acme, key.id), revoked);
    assert!(!store.key_access(secret(1)).unwrap().unwrap().key.is_live(at(5)));
    let absent = ApiKeyId::generate(at(1));
    assert_eq!(store.revoke_api_key(&acme, absent, at(7)).unwrap(), None);
    let told = [
        (AuditAction::ApiKeyCreated, key.id.to_string(), at(1)),
        (AuditAction::ApiKeyRevoked, key.id.to_string(), at(5)),
    ];
    assert_eq!(entries(store, &acme), told);
}

/// A rotated key lives on until the given moment, or its own end where that comes first, and names its successor.
pub fn a_rotated_key_overlaps_with_its_successor<S: TenantStore + ApiKeyStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    for (ends, byte) in [(None, 1), (Some(at(10)), 3), (Some(at(99)), 5)] {
        let old = ApiKey {
            expires_at: ends,
            ..key(1)
        };
        store.create_api_key(&acme, &old, secret(byte)).unwrap();
        let next = key(4);
        let rotated = store.rotate_api_key(&acme, old.id, &next, secret(byte + 1), at(20));
        assert!(rotated.unwrap());
        let kept = ApiKey {
            expires_at: ends.filter(|end| *end < at(20)).or(Some(at(20))),
            replaced_by: Some(next.id),
            ..old
        };
        assert_eq!(read(store, &acme, kept.id), kept);
        assert_eq!(store.key_access(secret(byte)).unwrap().unwrap().key, kept);
        assert_eq!(store.key_access(secret(byte + 1)).unwrap().unwrap().key, next);
        let (action, target, when) = entries(store, &acme).pop().unwrap();
        let told = (AuditAction::ApiKeyRotated, kept.id.to_string(), at(4));
        assert_eq!((action, target, when), told);
    }
}

/// A key that is revoked, over, replaced or not there is not rotated, and nothing is added.
pub fn only_a_live_key_without_a_successor_is_rotated<S: TenantStore + ApiKeyStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    let revoked = stored(store, &acme, 1, 1);
    store.revoke_api_key(&acme, revoked.id, at(2)).unwrap().unwrap();
    let over = ApiKey {
        expires_at: Some(at(4)),
        ..key(1)
    };
    store.create_api_key(&acme, &over, secret(2)).unwrap();
    let replaced = stored(store, &acme, 1, 3);
    let rotate = |id, byte| store.rotate_api_key(&acme, id, &key(4), secret(byte), at(50));
    assert!(rotate(replaced.id, 4).unwrap());
    let before = (listed(store, &acme), entries(store, &acme));
    for id in [revoked.id, over.id, replaced.id, ApiKeyId::generate(at(1))] {
        assert!(!rotate(id, 9).unwrap(), "{id}");
    }
    assert_eq!((listed(store, &acme), entries(store, &acme)), before);
    assert_eq!(store.key_access(secret(9)).unwrap(), None);
}

/// A rotation whose successor cannot be added leaves the key as it was.
pub fn a_refused_successor_leaves_the_key_alone<S: TenantStore + ApiKeyStore>(store: &S) {
    let acme = scope(store, "acme");
    let (old, other) = (stored(store, &acme, 1, 1), stored(store, &acme, 2, 2));
    let taken_id = ApiKey {
        id: other.id,
        ..key(3)
    };
    for (next, byte) in [(key(3), 2), (taken_id, 3)] {
        let refused = store.rotate_api_key(&acme, old.id, &next, secret(byte), at(9));
        assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
        assert_eq!(listed(store, &acme), [other.clone(), old.clone()]);
    }
}

/// Of those who rotate a key at once one gets a successor.
pub fn of_rotations_at_once_one_wins<S: TenantStore + ApiKeyStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    let old = stored(store, &acme, 1, 1);
    let won: Vec<_> = std::thread::scope(|threads| {
        let rotate = |byte: u8| {
            let (acme, id) = (&acme, old.id);
            threads.spawn(move || {
                let next = key(i64::from(byte));
                let won = store.rotate_api_key(acme, id, &next, secret(byte), at(90));
                won.unwrap().then_some(next.id)
            })
        };
        let threads: Vec<_> = (2..8).map(rotate).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(won.len(), 1);
    assert_eq!(read(store, &acme, old.id).replaced_by, won.first().copied());
    assert_eq!(listed(store, &acme).len(), 2);
    assert_eq!(entries(store, &acme).len(), 2);
}

/// The key comes with its tenant as that is now, also when it was deactivated.
pub fn access_gives_the_tenant_as_it_is<S: TenantStore + ApiKeyStore>(store: &S) {
    let acme = scope(store, "acme");
    let key = stored(store, &acme, 1, 1);
    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    let tenant = store.update_tenant(acme.id(), &off, at(9)).unwrap().unwrap();
    assert!(!tenant.is_active);
    let access = KeyAccess { key, tenant };
    assert_eq!(store.key_access(secret(1)).unwrap(), Some(access));
}

/// The last use is the latest that was noted, in whatever order, and is entered in no log.
pub fn the_latest_use_is_kept<S: TenantStore + ApiKeyStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    let (key, other) = (stored(store, &acme, 1, 1), stored(store, &acme, 2, 2));
    for (used, wanted) in [(at(5), at(5)), (at(9), at(9)), (at(7), at(9))] {
        store.api_key_used(secret(1), used).unwrap();
        assert_eq!(read(store, &acme, key.id).used_at, Some(wanted));
    }
    store.api_key_used(secret(7), at(9)).unwrap();
    assert_eq!(read(store, &acme, other.id), other);
    assert_eq!(entries(store, &acme).len(), 2);
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + ApiKeyStore>(store: &S) {
    let acme = scope(store, "acme");
    let old = stored(store, &acme, 1, 1);
    let bad = ApiKey {
        name: "a\0b".into(),
        ..key(2)
    };
    let created = store.create_api_key(&acme, &bad, secret(2));
    assert!(matches!(created, Err(StoreError::Failed(_))), "{created:?}");
    let rotated = store.rotate_api_key(&acme, old.id, &bad, secret(2), at(9));
    assert!(matches!(rotated, Err(StoreError::Failed(_))), "{rotated:?}");
    assert_eq!(listed(store, &acme), [old]);
}
