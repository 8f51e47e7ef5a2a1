//! What every [`UserStore`] must do, beside a [`TenantStore`] of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Actor, Email, Page, PasswordHash, Role, User, UserId};

use super::samples::{at, full_tenant, full_user, tenant, tenant_id, user};
use crate::{StoreError, TenantChange, TenantStore, UserChange, UserFilter, UserStore};

/// A user is read back as it was written, by id and by address, with nothing or everything set.
pub fn a_user_is_read_back_as_it_was_written<S: TenantStore + UserStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    for user in [user("ada@example.org"), full_user("bob@example.org", "acme")] {
        store.create_user(&user, &Actor::system()).unwrap();
        assert_eq!(store.user(user.id).unwrap(), Some(user.clone()));
        assert_eq!(store.user_by_email(&user.email).unwrap(), Some(user));
    }
}

/// An id that exists cannot be given again.
pub fn a_user_id_is_taken<S: TenantStore + UserStore>(store: &S) {
    let first = user("ada@example.org");
    store.create_user(&first, &Actor::system()).unwrap();
    let second = User {
        id: first.id,
        ..user("bob@example.org")
    };
    assert!(matches!(
        store.create_user(&second, &Actor::system()),
        Err(StoreError::IdTaken)
    ));
    assert_eq!(store.user(first.id).unwrap(), Some(first));
    assert_eq!(store.user_by_email(&second.email).unwrap(), None);
}

/// An address that exists cannot be given again, however it is spelled.
pub fn an_address_is_taken_in_every_spelling<S: TenantStore + UserStore>(store: &S) {
    let first = user("ada@example.org");
    store.create_user(&first, &Actor::system()).unwrap();
    for spelling in ["ada@example.org", "ADA@Example.ORG"] {
        assert!(
            matches!(
                store.create_user(&user(spelling), &Actor::system()),
                Err(StoreError::EmailTaken)
            ),
            "{spelling}"
        );
        assert_eq!(
            store.user_by_email(&Email::parse(spelling).unwrap()).unwrap(),
            Some(first.clone())
        );
    }
}

/// A user of a tenant that does not exist is refused.
pub fn a_user_of_an_unknown_tenant_is_refused<S: TenantStore + UserStore>(store: &S) {
    let user = full_user("ada@example.org", "nowhere");
    assert!(matches!(
        store.create_user(&user, &Actor::system()),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.user(user.id).unwrap(), None);
}

/// An absent user is `None`, not an error.
pub fn an_absent_user_is_none<S: TenantStore + UserStore>(store: &S) {
    store
        .create_user(&user("ada@example.org"), &Actor::system())
        .unwrap();
    let absent = UserId::generate(at(0));
    assert_eq!(store.user(absent).unwrap(), None);
    assert_eq!(
        store
            .user_by_email(&Email::parse("ad%@example.org").unwrap())
            .unwrap(),
        None
    );
    assert_eq!(store.access(absent, None, at(0)).unwrap(), None);
}

/// The list is ordered by the bytes of the address, cut into pages, and knows its whole length.
pub fn users_are_listed_by_address_in_pages_with_the_total<S: TenantStore + UserStore>(store: &S) {
    let ordered = [
        "a+b@x.org",
        "a-b@x.org",
        "a@x.org",
        "a_b@x.org",
        "aa@x.org",
        "z@x.org",
        "é@x.org",
    ];
    for email in [
        "é@x.org",
        "aa@x.org",
        "a@x.org",
        "z@x.org",
        "a_b@x.org",
        "a-b@x.org",
        "a+b@x.org",
    ] {
        store.create_user(&user(email), &Actor::system()).unwrap();
    }
    let mut listed = Vec::new();
    let mut page = Page::new(4, 0).unwrap();
    for wanted in [4, 3, 0] {
        let paged = store.users(&UserFilter::default(), page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 7));
        listed.extend(paged.items.into_iter().map(|user| user.email.to_string()));
        page = page.next().unwrap();
    }
    assert_eq!(listed, ordered);
}

/// A filter by tenant lets through that tenant's users alone, in items and total.
pub fn users_of_one_tenant_are_listed_alone<S: TenantStore + UserStore>(store: &S) {
    for id in ["acme", "acme2"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let wanted = full_user("a@acme.org", "acme");
    for user in [
        &wanted,
        &full_user("b@acme2.org", "acme2"),
        &user("c@nowhere.org"),
    ] {
        store.create_user(user, &Actor::system()).unwrap();
    }
    let filter = UserFilter {
        tenant: Some(tenant_id("acme")),
        ..UserFilter::default()
    };
    let paged = store.users(&filter, Page::default()).unwrap();
    assert_eq!((paged.items, paged.total), (vec![wanted], 1));
}

/// A filter by rank lets through superusers alone, or all others, in items and total.
pub fn users_are_listed_with_or_without_superusers<S: TenantStore + UserStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let member = User {
        is_superuser: false,
        ..full_user("a@acme.org", "acme")
    };
    let root = User {
        is_superuser: true,
        ..full_user("b@acme.org", "acme")
    };
    for user in [&member, &root, &user("c@nowhere.org")] {
        store.create_user(user, &Actor::system()).unwrap();
    }
    for (is_superuser, wanted) in [(false, member), (true, root)] {
        let filter = UserFilter {
            tenant: Some(tenant_id("acme")),
            is_superuser: Some(is_superuser),
        };
        let paged = store.users(&filter, Page::default()).unwrap();
        assert_eq!((paged.items, paged.total), (vec![wanted], 1));
    }
}

/// A change within a tenant does not reach users of another tenant or of none, nor superusers.
pub fn a_change_within_a_tenant_reaches_its_users_alone<S: TenantStore + UserStore>(store: &S) {
    for id in ["acme", "globex"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let of = |is_superuser, email, tenant| User {
        is_superuser,
        ..full_user(email, tenant)
    };
    let root = of(true, "r@acme.org", "acme");
    let change = UserChange {
        is_active: Some(false),
        within: Some(tenant_id("acme")),
        ..UserChange::default()
    };
    // A second superuser, so that the first is not the last.
    let nomad = User {
        is_superuser: true,
        ..user("c@nowhere.org")
    };
    for other in [
        root,
        of(false, "g@globex.org", "globex"),
        user("d@nowhere.org"),
        nomad,
    ] {
        store.create_user(&other, &Actor::system()).unwrap();
        assert_eq!(store.update_user(other.id, &change, at(60)).unwrap(), None);
        assert_eq!(store.user(other.id).unwrap(), Some(other));
    }
    let own = of(false, "a@acme.org", "acme");
    store.create_user(&own, &Actor::system()).unwrap();
    let changed = store.update_user(own.id, &change, at(60)).unwrap();
    assert!(changed.is_some_and(|user| !user.is_active));
}

/// An update changes what it names, keeps the rest, sets `updated_at`, and gives the user as it is then.
pub fn an_update_changes_what_it_names_and_keeps_the_rest<S: TenantStore + UserStore>(store: &S) {
    for id in ["acme", "globex"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let mut wanted = full_user("ada@example.org", "acme");
    let other = full_user("bob@example.org", "acme");
    store.create_user(&wanted, &Actor::system()).unwrap();
    store.create_user(&other, &Actor::system()).unwrap();

    wanted.updated_at = at(60);
    assert_eq!(
        store
            .update_user(wanted.id, &UserChange::default(), at(60))
            .unwrap(),
        Some(wanted.clone())
    );

    let change = UserChange {
        tenant: Some(Some(tenant_id("globex"))),
        role: Some(Role::Member),
        is_active: Some(true),
        is_superuser: Some(false),
        password_hash: Some(PasswordHash::from_stored("$argon2id$new".into())),
        end_sessions: true,
        actor: Actor::system(),
        within: None,
    };
    wanted.tenant = Some(tenant_id("globex"));
    wanted.role = Role::Member;
    wanted.is_active = true;
    wanted.is_superuser = false;
    wanted.password_hash.clone_from(&change.password_hash);
    wanted.token_version = 8;
    wanted.updated_at = at(61);
    assert_eq!(
        store.update_user(wanted.id, &change, at(61)).unwrap(),
        Some(wanted.clone())
    );
    assert_eq!(store.user(wanted.id).unwrap(), Some(wanted));
    assert_eq!(store.user(other.id).unwrap(), Some(other));
}

/// `Some(None)` takes a user out of its tenant, and nothing else from the user; it ends the sessions, as every such change does.
pub fn an_update_clears_the_tenant<S: TenantStore + UserStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let mut wanted = full_user("ada@example.org", "acme");
    store.create_user(&wanted, &Actor::system()).unwrap();
    let change = UserChange {
        tenant: Some(None),
        ..UserChange::default()
    };
    wanted.tenant = None;
    wanted.token_version += 1;
    wanted.updated_at = at(9);
    assert_eq!(
        store.update_user(wanted.id, &change, at(9)).unwrap(),
        Some(wanted.clone())
    );
    assert_eq!(store.user(wanted.id).unwrap(), Some(wanted));
}

/// A user cannot move to a tenant that does not exist; nothing of such an update is kept.
pub fn an_update_to_an_unknown_tenant_is_refused<S: TenantStore + UserStore>(store: &S) {
    let user = user("ada@example.org");
    store.create_user(&user, &Actor::system()).unwrap();
    let change = UserChange {
        tenant: Some(Some(tenant_id("nowhere"))),
        is_superuser: Some(true),
        end_sessions: true,
        ..UserChange::default()
    };
    assert!(matches!(
        store.update_user(user.id, &change, at(9)),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.user(user.id).unwrap(), Some(user));
}

/// An update of an absent user is `None`, whatever it would change.
pub fn an_update_of_an_absent_user_is_none<S: TenantStore + UserStore>(store: &S) {
    let unknown_tenant = Some(Some(tenant_id("nowhere")));
    for tenant in [None, Some(None), unknown_tenant] {
        let change = UserChange {
            tenant,
            end_sessions: true,
            ..UserChange::default()
        };
        assert_eq!(
            store
                .update_user(UserId::generate(at(0)), &change, at(1))
                .unwrap(),
            None
        );
    }
}

/// Ending sessions from several places at once raises the token version each time.
pub fn ending_sessions_at_once_counts_each_time<S: TenantStore + UserStore>(store: &S) {
    let user = user("ada@example.org");
    store.create_user(&user, &Actor::system()).unwrap();
    let change = UserChange {
        end_sessions: true,
        ..UserChange::default()
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..5 {
                    store.update_user(user.id, &change, at(9)).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(store.user(user.id).unwrap().unwrap().token_version, 20);
}

/// The highest token version is kept and not passed, so that it cannot come round to an old one.
pub fn the_last_token_version_is_not_passed<S: TenantStore + UserStore>(store: &S) {
    let user = User {
        token_version: u32::MAX,
        ..user("ada@example.org")
    };
    store.create_user(&user, &Actor::system()).unwrap();
    let change = UserChange {
        end_sessions: true,
        ..UserChange::default()
    };
    assert!(matches!(
        store.update_user(user.id, &change, at(9)),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.user(user.id).unwrap(), Some(user));
}

/// Access gives the user with its tenant as both are now, active or not.
pub fn access_gives_the_user_with_the_tenant<S: TenantStore + UserStore>(store: &S) {
    let mut tenant = full_tenant("acme");
    store.create_tenant(&tenant, &Actor::system()).unwrap();
    let member = full_user("ada@example.org", "acme");
    let loner = user("bob@example.org");
    store.create_user(&member, &Actor::system()).unwrap();
    store.create_user(&loner, &Actor::system()).unwrap();

    let access = store.access(member.id, None, at(0)).unwrap().unwrap();
    assert_eq!((&access.user, access.tenant.as_ref()), (&member, Some(&tenant)));
    let access = store.access(loner.id, None, at(0)).unwrap().unwrap();
    assert_eq!((access.user, access.tenant), (loner, None));

    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(&tenant.id, &off, at(70)).unwrap().unwrap();
    tenant.is_active = false;
    tenant.updated_at = at(70);
    assert_eq!(
        store.access(member.id, None, at(0)).unwrap().unwrap().tenant,
        Some(tenant)
    );
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + UserStore>(store: &S) {
    let good = user("ada@example.org");
    store.create_user(&good, &Actor::system()).unwrap();
    let hash = Some(PasswordHash::from_stored("$argon2id$\0".into()));
    let bad = User {
        password_hash: hash.clone(),
        ..user("bob@example.org")
    };
    assert!(matches!(
        store.create_user(&bad, &Actor::system()),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.user(bad.id).unwrap(), None);
    let change = UserChange {
        password_hash: hash,
        ..UserChange::default()
    };
    assert!(matches!(
        store.update_user(good.id, &change, at(9)),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.user(good.id).unwrap(), Some(good));
}
