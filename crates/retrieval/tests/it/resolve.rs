//! Who is let in, and what for.

use tenantry_domain::{Ingesters, Permission, TenantId, UserId};
use tenantry_retrieval::{ResolveError, TenantUpdate, UserUpdate};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{TenantChange, TenantStore, UserChange, UserStore};

use crate::support::{World, claims, plain};

#[test]
fn a_member_reaches_the_own_tenant() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let caller = world.enter(&claims(&ada)).unwrap();
    assert_eq!(
        world.resolver.scope(&caller, Permission::Chat).unwrap().id(),
        &acme
    );
    assert!(matches!(
        world.resolver.superuser(&caller),
        Err(ResolveError::NotSuperuser)
    ));
}

#[test]
fn an_unknown_user_an_ended_session_and_a_moved_user_look_the_same() {
    let world = World::new();
    let (acme, other) = (world.tenant("acme"), world.tenant("other"));
    let ada = world.user("ada@example.org", Some(&acme));
    let stranger = UserId::generate(world.now());
    let mut ended = claims(&ada);
    ended.token_version += 1;
    let mut moved = claims(&ada);
    moved.tenant = Some(other);
    let mut tenantless = claims(&ada);
    tenantless.tenant = None;
    let mut unknown = claims(&ada);
    unknown.user = stranger;
    for claims in [ended, moved, tenantless, unknown] {
        assert!(
            matches!(world.enter(&claims), Err(ResolveError::Unauthenticated)),
            "{claims:?}"
        );
    }
}

#[test]
fn a_suspended_tenant_is_closed_to_its_members_at_once() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let caller = world.enter(&claims(&ada)).unwrap();
    world.tenants.deactivate(&world.root, &acme).unwrap().unwrap();
    let now = world.as_now(&ada);
    for user in [&ada, &now] {
        let refused = world.enter(&claims(user));
        assert!(matches!(refused, Err(ResolveError::TenantForbidden)));
    }
    let unknown = TenantId::parse("unknown").unwrap();
    for id in [&acme, &unknown] {
        let scope = world.resolver.operator_scope(&world.root, id);
        assert!(matches!(scope, Err(ResolveError::TenantForbidden)), "{id}");
    }
    drop(caller);
    let back = TenantUpdate {
        is_active: Some(true),
        ..TenantUpdate::default()
    };
    world.tenants.update(&world.root, &acme, &back).unwrap().unwrap();
    let ended = world.enter(&claims(&ada));
    assert!(matches!(ended, Err(ResolveError::Unauthenticated)));
    assert!(world.enter(&claims(&now)).is_ok());
}

#[test]
fn a_user_without_a_tenant_has_no_scope() {
    let world = World::new();
    let ada = world.user("ada@example.org", None);
    let caller = world.enter(&claims(&ada)).unwrap();
    assert!(matches!(
        world.resolver.scope(&caller, Permission::Chat),
        Err(ResolveError::TenantForbidden)
    ));
}

#[test]
fn a_right_that_is_given_by_hand_works_at_once() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let let_in = |ingesters| {
        let change = TenantChange {
            ingesters: Some(ingesters),
            ..TenantChange::default()
        };
        let in_store = world.store.inner();
        in_store.update_tenant(&acme, &change, world.now()).unwrap();
    };
    let_in(Ingesters::Admins);
    let caller = world.enter(&claims(&ada)).unwrap();
    let ingest = || world.resolver.scope(&caller, Permission::Ingest);
    assert!(matches!(
        ingest(),
        Err(ResolveError::PermissionRequired(Permission::Ingest))
    ));
    let_in(Ingesters::Members);
    assert!(ingest().is_ok());
}

#[test]
fn a_right_that_is_taken_by_hand_ends_within_a_second() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    assert!(world.enter(&claims(&ada)).is_ok());
    let suspend = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    world
        .store
        .inner()
        .update_tenant(&acme, &suspend, world.now())
        .unwrap();
    world.later(999);
    assert!(world.enter(&claims(&ada)).is_ok(), "remembered for a second");
    world.later(1);
    assert!(matches!(
        world.enter(&claims(&ada)),
        Err(ResolveError::TenantForbidden)
    ));
}

#[test]
fn a_change_made_here_ends_sessions_at_once() {
    let world = World::new();
    let (acme, other) = (world.tenant("acme"), world.tenant("other"));
    for (n, update) in [
        UserUpdate {
            tenant: Some(Some(other)),
            ..UserUpdate::default()
        },
        UserUpdate {
            is_active: Some(false),
            ..UserUpdate::default()
        },
        UserUpdate {
            password: Some("another long password".into()),
            ..UserUpdate::default()
        },
    ]
    .into_iter()
    .enumerate()
    {
        let user = world.user(&format!("user{n}@example.org"), Some(&acme));
        assert!(world.enter(&claims(&user)).is_ok());
        world
            .accounts
            .update(&world.root, user.id, update)
            .unwrap()
            .unwrap();
        assert!(
            matches!(world.enter(&claims(&user)), Err(ResolveError::Unauthenticated)),
            "{n}"
        );
    }
}

#[test]
fn a_token_for_a_former_tenant_opens_neither_tenant_for_a_superuser() {
    let world = World::new();
    let (acme, other) = (world.tenant("acme"), world.tenant("other"));
    let ada = world.user("ada@example.org", Some(&acme));
    let change = UserChange {
        is_superuser: Some(true),
        tenant: Some(Some(other)),
        ..UserChange::default()
    };
    let in_store = world.store.inner();
    let moved = in_store.update_user(ada.id, &change, world.now()).unwrap();
    // As it would be for a change by hand, which raises no version.
    let mut former = claims(&moved.unwrap());
    former.tenant = ada.tenant;
    let caller = world.enter(&former).unwrap();
    assert!(world.resolver.superuser(&caller).is_ok());
    assert!(matches!(
        world.resolver.scope(&caller, Permission::Chat),
        Err(ResolveError::TenantForbidden)
    ));
}

#[test]
fn a_right_given_by_hand_is_no_use_to_a_session_that_ended_by_hand() {
    let world = World::new();
    let acme = world.tenant("acme");
    let closed = |is_active| TenantChange {
        is_active: Some(is_active),
        ..TenantChange::default()
    };
    let in_store = world.store.inner();
    let change_user = |id, change: UserChange| in_store.update_user(id, &change, world.now()).unwrap();

    let ada = world.user("ada@example.org", None);
    let caller = world.enter(&claims(&ada)).unwrap();
    let promoted_and_ended = UserChange {
        is_superuser: Some(true),
        end_sessions: true,
        ..UserChange::default()
    };
    change_user(ada.id, promoted_and_ended);
    assert!(matches!(
        world.resolver.superuser(&caller),
        Err(ResolveError::Unauthenticated)
    ));

    let bo = world.user("bo@example.org", Some(&acme));
    let promoted = UserChange {
        is_superuser: Some(true),
        ..UserChange::default()
    };
    change_user(bo.id, promoted);
    in_store
        .update_tenant(&acme, &closed(false), world.now())
        .unwrap();
    let bo = world.as_now(&bo);
    let caller = world.enter(&claims(&bo)).unwrap();
    in_store.update_tenant(&acme, &closed(true), world.now()).unwrap();
    let deactivated = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    change_user(bo.id, deactivated);
    assert!(matches!(
        world.resolver.scope(&caller, Permission::Chat),
        Err(ResolveError::Unauthenticated)
    ));
}

#[test]
fn a_dead_store_is_an_outage_and_no_refusal() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    world.store.fail_when(|_| Some(unavailable()));
    let refused = world.enter(&claims(&ada));
    assert!(matches!(refused, Err(ResolveError::Store(error)) if error.is_transient()));
    world.store.heal();
    assert!(world.enter(&claims(&ada)).is_ok());
}

#[test]
fn an_id_is_never_used_again() {
    let world = World::new();
    let acme = world.tenant("acme");
    world.tenants.deactivate(&world.root, &acme).unwrap();
    let again = world.tenants.create(&world.root, plain("acme"));
    assert!(again.is_err());
}
