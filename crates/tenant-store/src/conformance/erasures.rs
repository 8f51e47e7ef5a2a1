//! What every [`TenantEraseStore`](crate::TenantEraseStore) must do, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Actor, AuditAction, Generation, Page, Principal, User};

use super::samples::{at, scope, tenant, tenant_id};
use super::whole::{WholeStore, deactivate, emptied, filled, member, read};
use crate::{AuditHead, AuditLog, StoreError, UserChange, UserFilter};

/// After its erasure nothing of a tenant is found by any means, and what another one has is as it was.
pub fn an_erased_tenant_leaves_nothing_and_others_everything<S: WholeStore>(store: &S) {
    let (acme, ada) = filled(store, "acme", 1);
    let (globex, _) = filled(store, "globex", 101);
    let others = read(store, globex.id());
    deactivate(store, acme.id());
    assert!(emptied(store, acme.id()) > 20);
    assert_eq!(store.erase_some(acme.id(), 3).unwrap(), 0);
    assert!(store.tenant(acme.id()).unwrap().is_some(), "the tenant goes last");
    store
        .finish_erasure(acme.id(), &Actor::system(), at(70))
        .unwrap()
        .unwrap();
    assert_eq!(store.tenant(acme.id()).unwrap(), None);
    assert_eq!(store.user(ada).unwrap(), None);
    assert_eq!(store.sessions(ada, at(60)).unwrap(), []);
    assert_eq!(store.generations(acme.id()).unwrap(), []);
    let log = AuditLog::Tenant(acme.id().clone());
    assert_eq!(store.audit_after(&log, 0, 10).unwrap(), []);
    assert_eq!(store.audit_head(&log).unwrap(), AuditHead::START);
    assert!(!store.audit_logs().unwrap().contains(&log));
    assert!(
        !store
            .read_tenant(acme.id(), &mut |_| std::ops::ControlFlow::Continue(()))
            .unwrap()
    );
    let filter = UserFilter {
        tenant: Some(acme.id().clone()),
        ..UserFilter::default()
    };
    assert_eq!(store.users(&filter, Page::default()).unwrap().total, 0);
    let keys = [1, 2].map(|byte| tenantry_domain::TokenHash::from_bytes([byte; 32]));
    assert!(store.key_access(keys[0]).unwrap().is_none());
    assert_eq!(read(store, globex.id()), others);
    assert!(
        store
            .key_access(tenantry_domain::TokenHash::from_bytes([101; 32]))
            .unwrap()
            .is_some()
    );
}

/// A tenant that may be used is not erased.
pub fn an_active_tenant_is_not_erased<S: WholeStore>(store: &S) {
    let (acme, _) = filled(store, "acme", 1);
    let before = read(store, acme.id());
    assert!(matches!(
        store.erase_some(acme.id(), 3),
        Err(StoreError::Failed(_))
    ));
    let finished = store.finish_erasure(acme.id(), &Actor::system(), at(70));
    assert!(matches!(finished, Err(StoreError::Failed(_))));
    assert_eq!(read(store, acme.id()), before);
}

/// A superuser stays, and keeps the tenant until they have left it.
pub fn a_superuser_is_never_erased<S: WholeStore>(store: &S) {
    let (acme, _) = filled(store, "acme", 1);
    let root = User {
        is_superuser: true,
        ..member("root", &acme)
    };
    store.create_user(&root, &Actor::system()).unwrap();
    deactivate(store, acme.id());
    emptied(store, acme.id());
    let finished = store.finish_erasure(acme.id(), &Actor::system(), at(70));
    assert!(matches!(finished, Err(StoreError::Failed(_))));
    assert!(store.user(root.id).unwrap().is_some());
    let leaves = UserChange {
        tenant: Some(None),
        ..UserChange::default()
    };
    store.update_user(root.id, &leaves, at(71)).unwrap();
    assert!(
        store
            .finish_erasure(acme.id(), &Actor::system(), at(72))
            .unwrap()
            .is_some()
    );
    assert!(store.user(root.id).unwrap().unwrap().is_superuser);
}

/// The id of an erased tenant is nobody's ever after.
pub fn an_erased_id_is_never_used_again<S: WholeStore>(store: &S) {
    scope(store, "acme");
    deactivate(store, &tenant_id("acme"));
    store
        .finish_erasure(&tenant_id("acme"), &Actor::system(), at(70))
        .unwrap();
    let again = store.create_tenant(&tenant("acme"), &Actor::system());
    assert!(matches!(again, Err(StoreError::IdTaken)));
    assert_eq!(store.tenant(&tenant_id("acme")).unwrap(), None);
    store.create_tenant(&tenant("acme-2"), &Actor::system()).unwrap();
}

/// What is remembered: the hash of the id (computed apart, with sha256sum), a number, who, when, and every row that went.
pub fn an_erasure_is_remembered_by_the_hash_of_the_id<S: WholeStore>(store: &S) {
    const ACME: &str = "822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757";
    let (acme, _) = filled(store, "acme", 1);
    scope(store, "globex");
    deactivate(store, acme.id());
    deactivate(store, &tenant_id("globex"));
    let operator = Actor::of(Principal::Operator);
    let first = store
        .finish_erasure(&tenant_id("globex"), &operator, at(69))
        .unwrap()
        .unwrap();
    assert_eq!(first.number, 1);
    emptied(store, acme.id());
    let gone = store
        .finish_erasure(acme.id(), &operator, at(70))
        .unwrap()
        .unwrap();
    assert_eq!(store.erased_tenant(acme.id()).unwrap(), Some(gone.clone()));
    assert_eq!(store.erased_tenant(&tenant_id("initech")).unwrap(), None);
    assert_eq!((gone.number, gone.at, gone.by), (2, at(70), Principal::Operator));
    for (table, rows) in [
        ("tenants", 1),
        ("users", 1),
        ("documents", 2),
        ("document_segments", 1),
        ("jobs", 2),
        ("source_parts", 1),
        ("conversations", 2),
        ("messages", 3),
        ("usage_by_day", 1),
        ("system_prompts", 2),
        ("api_keys", 1),
        ("identity_providers", 2),
        ("identities", 1),
        ("indexes", 1),
    ] {
        assert_eq!(gone.removed.get(table), Some(&rows), "{table}");
    }
    let hash = gone
        .id_hash
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(hash, ACME);
    let entry = store
        .audit_after(&AuditLog::Platform, 0, 100)
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(entry.action, AuditAction::TenantErased);
    assert_eq!(entry.target, Some(("tenant".into(), hash)));
    assert_eq!(entry.details.get("receipt").map(String::as_str), Some("2"));
}

/// What stores of vectors may have is known by the generations, those of forgotten indexes too.
pub fn every_generation_is_told<S: WholeStore>(store: &S) {
    let acme = scope(store, "acme");
    assert_eq!(store.generations(acme.id()).unwrap(), []);
    store.indexes(&acme, None, at(1)).unwrap();
    let next = store.begin_index(&acme, None, at(2)).unwrap().generation;
    store.forget_index(&acme, next).unwrap();
    deactivate(store, acme.id());
    assert_eq!(store.generations(acme.id()).unwrap(), [Generation::FIRST, next]);
}

/// There is nothing to do for a tenant that is not there.
pub fn an_absent_tenant_is_not_erased<S: WholeStore>(store: &S) {
    assert_eq!(store.erase_some(&tenant_id("acme"), 3).unwrap(), 0);
    assert_eq!(
        store
            .finish_erasure(&tenant_id("acme"), &Actor::system(), at(1))
            .unwrap(),
        None
    );
    assert_eq!(store.erased_tenant(&tenant_id("acme")).unwrap(), None);
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
}

/// Giving room back changes no record.
pub fn vacuuming_changes_no_record<S: WholeStore>(store: &S) {
    let (acme, _) = filled(store, "acme", 1);
    let before = read(store, acme.id());
    store.vacuum().unwrap();
    assert_eq!(read(store, acme.id()), before);
}
