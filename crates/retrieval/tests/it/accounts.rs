//! Making accounts and logging in.

use tenantry_domain::{Actor, Role};
use tenantry_retrieval::{AccountError, Client, LoginError, NewUser, RegisterError, UserUpdate};
use tenantry_tenant_store::{StoreError, UserChange, UserStore};

use crate::support::{PASSWORD, World};

#[test]
fn the_right_password_logs_in_whatever_the_case_of_the_address() {
    let world = World::new();
    let ada = world.user("ada@example.org", None);
    let user = world.log_in("Ada@Example.org", PASSWORD).unwrap();
    assert_eq!(user.user.id, ada.id);
}

#[test]
fn every_reason_to_refuse_a_login_is_the_same_error() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let bob = world.user("bob@example.org", None);
    let inactive = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    world.accounts.update(&world.root, bob.id, inactive).unwrap();
    let too_long = "x".repeat(1_025);
    for (email, password) in [
        ("nobody@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("ada@example.org", "wrong password!"),
        ("ada@example.org", ""),
        ("ada@example.org", too_long.as_str()),
        ("bob@example.org", PASSWORD),
    ] {
        let refused = world.log_in(email, password);
        assert!(matches!(refused, Err(LoginError::Refused)), "{email}");
    }
    world.tenants.deactivate(&world.root, &acme).unwrap();
    let refused = world.log_in(ada.email.as_str(), PASSWORD);
    assert!(matches!(refused, Err(LoginError::Refused)));
}

#[test]
fn a_superuser_logs_in_even_when_the_own_tenant_is_suspended() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let promote = UserUpdate {
        is_superuser: Some(true),
        ..UserUpdate::default()
    };
    world.accounts.update(&world.root, ada.id, promote).unwrap();
    world.tenants.deactivate(&world.root, &acme).unwrap();
    assert!(world.log_in("ada@example.org", PASSWORD).is_ok());
}

#[test]
fn an_outdated_hash_is_renewed_at_login() {
    let world = World::new();
    let ada = world.user("ada@example.org", None);
    world.hasher.outdate();
    world.log_in("ada@example.org", PASSWORD).unwrap();
    let renewed = world.store.inner().user(ada.id).unwrap().unwrap();
    assert_ne!(renewed.password_hash, ada.password_hash);
    assert_eq!(renewed.token_version, ada.token_version, "other sessions go on");
    assert!(world.log_in("ada@example.org", PASSWORD).is_ok());
}

#[test]
fn an_account_without_a_hash_cannot_log_in() {
    let world = World::new();
    let mut ada = world.user("ada@example.org", None);
    ada.id = tenantry_domain::UserId::generate(world.now());
    ada.email = "eve@example.org".parse().unwrap();
    ada.password_hash = None;
    world.store.inner().create_user(&ada, &Actor::system()).unwrap();
    let refused = world.log_in("eve@example.org", PASSWORD);
    assert!(matches!(refused, Err(LoginError::Refused)));
}

#[test]
fn whoever_registers_has_neither_tenant_nor_rights() {
    let world = World::new();
    let user = world
        .accounts
        .register("New@Example.org", PASSWORD.into(), &Client::default())
        .unwrap();
    assert_eq!(user.email.as_str(), "new@example.org");
    assert!(user.tenant.is_none() && !user.is_superuser && user.is_active);
}

#[test]
fn an_address_is_taken_once_and_a_tenant_must_exist() {
    let world = World::new();
    world.user("ada@example.org", None);
    let again = world
        .accounts
        .register("ADA@example.org", PASSWORD.into(), &Client::default());
    assert!(matches!(
        again,
        Err(RegisterError::Account(AccountError::Store(
            StoreError::EmailTaken
        )))
    ));
    let new = NewUser {
        email: "bob@example.org".into(),
        password: PASSWORD.into(),
        is_superuser: false,
        tenant: Some("nowhere".parse().unwrap()),
        role: Role::Member,
    };
    let lost = world.accounts.create(&world.root, new);
    assert!(matches!(
        lost,
        Err(AccountError::Store(StoreError::UnknownTenant))
    ));
    assert!(
        world
            .accounts
            .user_by_email(&world.root, "bob@example.org")
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_weak_password_and_a_wrong_address_are_refused() {
    let world = World::new();
    for (email, password) in [
        ("ada@example.org", "short"),
        ("lovelace@example.org", "lovelace-lovelace"),
        ("ada@example.org", "my tenantry password"),
        ("ada", PASSWORD),
    ] {
        assert!(
            world
                .accounts
                .register(email, password.into(), &Client::default())
                .is_err(),
            "{email} {password}"
        );
    }
}

#[test]
fn nothing_happens_to_a_user_who_is_not_there() {
    let world = World::new();
    let nobody = tenantry_domain::UserId::generate(world.now());
    let update = UserUpdate {
        is_active: Some(true),
        ..UserUpdate::default()
    };
    assert!(
        world
            .accounts
            .update(&world.root, nobody, update)
            .unwrap()
            .is_none()
    );
    assert!(
        world
            .store
            .inner()
            .update_user(nobody, &UserChange::default(), world.now())
            .unwrap()
            .is_none()
    );
}
