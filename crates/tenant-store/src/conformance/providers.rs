//! What every [`IdentityStore`] must do with the providers of a tenant, beside the tenants and the audit log of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{AuditAction, IdentityProvider, IdentityProviderId, Page, Role, TenantScope};

use super::samples::{at, foreign_scope, full_provider, provider, scope};
use crate::{AuditFilter, AuditLog, AuditStore, IdentityStore, StoreError, TenantChange, TenantStore};

fn stored<S: IdentityStore>(store: &S, scope: &TenantScope, issuer: &str) -> IdentityProvider {
    let provider = provider(issuer);
    store.create_identity_provider(scope, &provider).unwrap();
    provider
}

fn listed<S: IdentityStore>(store: &S, scope: &TenantScope) -> Vec<IdentityProvider> {
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let listed = store.identity_providers(scope, page).unwrap();
    assert_eq!(listed.total, u64::try_from(listed.items.len()).unwrap());
    listed.items
}

fn actions<S: AuditStore>(store: &S, scope: &TenantScope) -> Vec<(AuditAction, Option<String>)> {
    let filter = AuditFilter {
        log: Some(AuditLog::Tenant(scope.id().clone())),
        target: Some("identity_provider".into()),
        ..AuditFilter::default()
    };
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let found = store.audit(&filter, page).unwrap().items;
    let told = found.into_iter().rev();
    told.map(|entry| (entry.action, entry.details.get("fields").cloned()))
        .collect()
}

/// A provider is read back as it was written, with nothing or everything set.
pub fn a_provider_is_read_back_as_it_was_written<S: TenantStore + IdentityStore>(store: &S) {
    let acme = scope(store, "acme");
    for provider in [
        provider("https://a.example"),
        full_provider("https://b.example/Æ?'x'"),
    ] {
        store.create_identity_provider(&acme, &provider).unwrap();
        let read = store.identity_provider(&acme, provider.id).unwrap();
        assert_eq!(read, Some(provider));
    }
    let absent = IdentityProviderId::generate(at(0));
    assert_eq!(store.identity_provider(&acme, absent).unwrap(), None);
}

/// An id, and an issuer with the same audience and tenant claim, cannot be given twice in a tenant, neither at first nor by a change.
pub fn tokens_are_accepted_by_one_provider_of_a_tenant<S: TenantStore + IdentityStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "acme2"));
    let first = stored(store, &acme, "https://a.example");
    let with = |change: fn(&mut IdentityProvider)| {
        let mut other = provider("https://a.example");
        change(&mut other);
        other
    };
    let same_id = IdentityProvider {
        id: first.id,
        ..provider("https://b.example")
    };
    for taken in [
        same_id,
        provider("https://a.example"),
        with(|other| other.is_active = false),
    ] {
        let refused = store.create_identity_provider(&acme, &taken);
        assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    }
    assert_eq!(listed(store, &acme).len(), 1);
    let claim = |value: &str| Some(("tid".to_owned(), value.to_owned()));
    let mut others = vec![
        with(|other| other.audience = "B".into()),
        with(|other| other.issuer = "https://A.example".into()),
        with(|other| other.issuer.push('/')),
    ];
    for value in ["one", "two"] {
        let mut other = provider("https://a.example");
        other.claims.tenant = claim(value);
        others.push(other);
    }
    for other in &others {
        store.create_identity_provider(&acme, other).unwrap();
    }
    store.create_identity_provider(&globex, &first).unwrap();
    for other in &others {
        let same = IdentityProvider {
            id: other.id,
            ..first.clone()
        };
        let refused = store.update_identity_provider(&acme, &same);
        assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
        assert_eq!(
            store.identity_provider(&acme, other.id).unwrap().as_ref(),
            Some(other)
        );
    }
    assert!(
        store.update_identity_provider(&acme, &first).unwrap(),
        "itself stands in no way"
    );
}

/// A provider of a tenant that does not exist is refused.
pub fn a_provider_of_an_unknown_tenant_is_refused<S: TenantStore + IdentityStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let refused = store.create_identity_provider(&nowhere, &provider("https://a.example"));
    assert!(matches!(refused, Err(StoreError::UnknownTenant)), "{refused:?}");
    assert_eq!(store.providers_of_issuer("https://a.example").unwrap(), []);
}

/// Another tenant's provider is neither read, listed, changed nor removed, though its id is known.
pub fn a_provider_of_another_tenant_does_not_exist<S: TenantStore + IdentityStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "acme2"));
    let of_acme = stored(store, &acme, "https://a.example");
    assert_eq!(store.identity_provider(&globex, of_acme.id).unwrap(), None);
    assert_eq!(listed(store, &globex), []);
    let changed = IdentityProvider {
        audience: "globex".into(),
        ..of_acme.clone()
    };
    assert!(!store.update_identity_provider(&globex, &changed).unwrap());
    assert!(
        !store
            .remove_identity_provider(&globex, of_acme.id, at(9))
            .unwrap()
    );
    store.create_identity_provider(&globex, &changed).unwrap();
    assert!(
        store
            .remove_identity_provider(&globex, of_acme.id, at(9))
            .unwrap()
    );
    assert_eq!(listed(store, &acme), [of_acme]);
}

/// Providers are listed by id, cut into pages.
pub fn providers_are_listed_by_id_in_pages_with_the_total<S: TenantStore + IdentityStore>(store: &S) {
    let acme = scope(store, "acme");
    let mut ids: Vec<_> = (0..5)
        .map(|n| stored(store, &acme, &format!("https://{n}.example")).id)
        .collect();
    ids.sort();
    let mut found = Vec::new();
    let mut page = Page::new(3, 0).unwrap();
    for wanted in [3, 2, 0] {
        let paged = store.identity_providers(&acme, page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 5));
        found.extend(paged.items.into_iter().map(|provider| provider.id));
        page = page.next().unwrap();
    }
    assert_eq!(found, ids);
}

/// A change replaces every value but the moment of creation, also to nothing.
pub fn a_change_replaces_all_but_the_creation<S: TenantStore + IdentityStore + AuditStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = stored(store, &acme, "https://a.example");
    let full = IdentityProvider {
        id: first.id,
        created_at: at(50),
        updated_at: at(51),
        ..full_provider("https://b.example")
    };
    assert!(store.update_identity_provider(&acme, &full).unwrap());
    let expected = IdentityProvider {
        created_at: first.created_at,
        ..full
    };
    assert_eq!(listed(store, &acme), [expected]);
    assert!(store.update_identity_provider(&acme, &first).unwrap());
    assert!(store.update_identity_provider(&acme, &first).unwrap());
    assert_eq!(
        store.identity_provider(&acme, first.id).unwrap().as_ref(),
        Some(&first)
    );
    assert!(
        !store
            .update_identity_provider(&acme, &provider("https://c.example"))
            .unwrap()
    );
    assert!(store.remove_identity_provider(&acme, first.id, at(60)).unwrap());
    assert!(!store.remove_identity_provider(&acme, first.id, at(60)).unwrap());
    assert_eq!(listed(store, &acme), []);
    let all = Some("name issuer audience claims creates_users is_active".to_owned());
    let told = [
        (AuditAction::IdentityProviderAdded, None),
        (AuditAction::IdentityProviderChanged, all.clone()),
        (AuditAction::IdentityProviderChanged, all),
        (AuditAction::IdentityProviderRemoved, None),
    ];
    assert_eq!(actions(store, &acme), told);
}

/// An issuer's providers are the active ones of active tenants whose issuer is that one to the letter, by tenant and id.
pub fn the_providers_of_an_issuer_are_found_in_every_active_tenant<S: TenantStore + IdentityStore>(
    store: &S,
) {
    let issuer = "https://a.example/";
    let [globex, acme, closed] = ["globex", "acme", "closed"].map(|id| scope(store, id));
    let of_globex = stored(store, &globex, issuer);
    let of_acme = stored(store, &acme, issuer);
    let mut second = provider(issuer);
    second.audience = "second".into();
    store.create_identity_provider(&acme, &second).unwrap();
    stored(store, &closed, issuer);
    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(closed.id(), &off, at(9)).unwrap().unwrap();
    let mut idle = provider(issuer);
    (idle.audience, idle.is_active) = ("idle".into(), false);
    store.create_identity_provider(&acme, &idle).unwrap();
    stored(store, &acme, "https://A.example/");
    stored(store, &acme, "https://a.example");
    let found: Vec<_> = store
        .providers_of_issuer(issuer)
        .unwrap()
        .into_iter()
        .map(|(tenant, provider)| (tenant.to_string(), provider))
        .collect();
    let mut of_acme = [of_acme, second];
    of_acme.sort_by_key(|provider| provider.id);
    let [first, second] = of_acme.map(|provider| ("acme".to_owned(), provider));
    assert_eq!(found, [first, second, ("globex".to_owned(), of_globex)]);
    for other in ["", "https://b.example", "%", "https://a.example/\0"] {
        assert_eq!(store.providers_of_issuer(other).unwrap(), [], "{other:?}");
    }
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + IdentityStore>(store: &S) {
    let acme = scope(store, "acme");
    let good = stored(store, &acme, "https://a.example");
    let spoil: [fn(&mut IdentityProvider); 7] = [
        |bad| bad.name.push('\0'),
        |bad| bad.issuer.push('\0'),
        |bad| bad.audience.push('\0'),
        |bad| bad.claims.email.push('\0'),
        |bad| bad.claims.tenant = Some(("tid".into(), "\0".into())),
        |bad| bad.claims.role = Some("\0".into()),
        |bad| bad.claims.roles.extend([("\0".to_owned(), Role::Admin)]),
    ];
    for spoil in spoil {
        let mut bad = full_provider("https://b.example");
        spoil(&mut bad);
        let created = store.create_identity_provider(&acme, &bad);
        assert!(matches!(created, Err(StoreError::Failed(_))), "{created:?}");
        bad.id = good.id;
        let changed = store.update_identity_provider(&acme, &bad);
        assert!(matches!(changed, Err(StoreError::Failed(_))), "{changed:?}");
    }
    assert_eq!(listed(store, &acme), [good]);
}
