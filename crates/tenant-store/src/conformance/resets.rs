//! What every [`SessionStore`](crate::SessionStore) must do with one-time links to set a password.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Actor, PasswordHash, Principal, Role, User, UserId};

use super::accounts::{AccountStore, begun, by, hash, is_live, live, member, refreshed, token};
use super::samples::{at, tenant_id, user};
use crate::{Refreshed, StoreError, TenantChange, UserChange};

/// Makes a link with that secret that works until second 100.
fn issued<S: AccountStore>(store: &S, user: UserId, secret: u32) {
    let issued = store.issue_reset(user, token(secret), at(100), &Actor::system(), at(0));
    assert!(issued.unwrap());
}

fn redeemed<S: AccountStore>(store: &S, secret: u32, password: &PasswordHash, seconds: i64) -> Option<User> {
    let anonymous = Actor::of(Principal::Anonymous);
    store
        .redeem_reset(token(secret), password, &anonymous, at(seconds))
        .unwrap()
}

fn works<S: AccountStore>(store: &S, secret: u32, seconds: i64) -> bool {
    store.reset_user(token(secret), at(seconds)).unwrap().is_some()
}

/// A link sets its user's password once, and nobody else's; looking at it does not use it up.
pub fn a_link_sets_the_password_once<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bob = member(store, "bob@example.org", "acme");
    issued(store, ada.id, 1);
    issued(store, bob.id, 2);
    for _ in 0..2 {
        assert_eq!(store.reset_user(token(1), at(1)).unwrap(), Some(ada.clone()));
    }
    let wanted = User {
        password_hash: Some(hash("new")),
        token_version: ada.token_version + 1,
        updated_at: at(2),
        ..ada
    };
    assert_eq!(redeemed(store, 1, &hash("new"), 2), Some(wanted.clone()));
    assert_eq!(store.user(wanted.id).unwrap(), Some(wanted.clone()));
    assert!(!works(store, 1, 3));
    assert_eq!(redeemed(store, 1, &hash("again"), 3), None);
    assert_eq!(store.user(wanted.id).unwrap(), Some(wanted));
    assert_eq!(store.user(bob.id).unwrap(), Some(bob));
    assert!(works(store, 2, 3));
}

/// Setting the password ends every session of the user.
pub fn setting_the_password_ends_every_session<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bob = member(store, "bob@example.org", "acme");
    let session = begun(store, &ada, 0, 11);
    let other = begun(store, &bob, 0, 12);
    issued(store, ada.id, 1);
    assert!(is_live(store, ada.id, session.id, 1));
    // The same hash again is no change, and sets the password all the same.
    assert!(redeemed(store, 1, &hash("first"), 2).is_some());
    assert!(!is_live(store, ada.id, session.id, 3));
    assert_eq!(live(store, ada.id, 3), []);
    assert_eq!(refreshed(store, 11, 13, 3), Refreshed::Refused);
    let access = store.access(ada.id, None, at(3)).unwrap().unwrap();
    assert_eq!(access.sessions_ended_at, Some(at(2)));
    assert!(is_live(store, bob.id, other.id, 3));
}

/// A link works until its time, and a text that is none never.
pub fn a_link_works_until_its_time<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    issued(store, ada.id, 1);
    assert!(works(store, 1, 99));
    for (secret, seconds) in [(1, 100), (2, 50)] {
        assert!(!works(store, secret, seconds));
        assert_eq!(redeemed(store, secret, &hash("new"), seconds), None);
    }
    assert_eq!(store.user(ada.id).unwrap(), Some(ada));
}

/// Of a user's links the last alone works.
pub fn a_link_takes_the_place_of_the_one_before<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    for secret in [1, 2] {
        issued(store, ada.id, secret);
    }
    assert!(!works(store, 1, 1));
    assert_eq!(redeemed(store, 1, &hash("new"), 1), None);
    assert!(redeemed(store, 2, &hash("new"), 1).is_some());
}

/// A secret that another user's link has is refused, and that link goes on to be the other's.
pub fn a_secret_is_taken<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bob = member(store, "bob@example.org", "acme");
    issued(store, ada.id, 1);
    let taken = store.issue_reset(bob.id, token(1), at(100), &Actor::system(), at(0));
    assert!(matches!(taken, Err(StoreError::IdTaken)), "{taken:?}");
    assert_eq!(store.reset_user(token(1), at(1)).unwrap(), Some(ada));
}

/// There is no link for a user who does not exist, and none that works for an inactive one.
pub fn a_link_is_of_a_user_who_may_log_in<S: AccountStore>(store: &S) {
    let absent = UserId::generate(at(0));
    let issued_for = store.issue_reset(absent, token(1), at(100), &Actor::system(), at(0));
    assert!(!issued_for.unwrap());
    assert!(!works(store, 1, 1));

    let off = User {
        is_active: false,
        ..user("off@example.org")
    };
    store.create_user(&off, &Actor::system()).unwrap();
    issued(store, off.id, 2);
    assert!(!works(store, 2, 1));
    assert_eq!(redeemed(store, 2, &hash("new"), 1), None);
    assert_eq!(store.user(off.id).unwrap(), Some(off));
}

/// Whatever ends the user's sessions takes the link with it, so that who was handed one has no way to what its user became since; what
/// ends none, or one session alone, leaves it.
pub fn a_link_ends_with_all_the_sessions<S: AccountStore>(store: &S) {
    let none = UserChange::default;
    let changes = [
        UserChange {
            password_hash: Some(hash("other")),
            ..none()
        },
        UserChange {
            role: Some(Role::Admin),
            ..none()
        },
        UserChange {
            is_superuser: Some(true),
            ..none()
        },
        UserChange {
            tenant: Some(None),
            ..none()
        },
        UserChange {
            end_sessions: true,
            ..none()
        },
    ];
    for (secret, change) in (1..).zip(changes) {
        let ada = member(store, &format!("{secret}@example.org"), "acme");
        issued(store, ada.id, secret);
        store.update_user(ada.id, &change, at(1)).unwrap().unwrap();
        assert!(!works(store, secret, 2), "{change:?}");
        assert_eq!(redeemed(store, secret, &hash("new"), 2), None);
    }
    let ada = member(store, "ada@example.org", "acme");
    issued(store, ada.id, 50);
    let session = begun(store, &ada, 1, 11);
    store.end_session(ada.id, session.id, &by(ada.id), at(1)).unwrap();
    store.update_user(ada.id, &none(), at(1)).unwrap().unwrap();
    assert!(works(store, 50, 2));
    for is_active in [false, true] {
        let switch = TenantChange {
            is_active: Some(is_active),
            ..TenantChange::default()
        };
        store
            .update_tenant(&tenant_id("acme"), &switch, at(2))
            .unwrap()
            .unwrap();
        assert!(!works(store, 50, 3));
    }
}

/// Of many who redeem one link at once, one sets the password.
pub fn a_link_redeemed_at_once_sets_one_password<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    for round in 1..=5 {
        issued(store, ada.id, round);
        let set: Vec<_> = std::thread::scope(|threads| {
            let clients: Vec<_> = (0..8)
                .map(|client| threads.spawn(move || redeemed(store, round, &hash(&client.to_string()), 1)))
                .collect();
            let answers = clients.into_iter().map(|client| client.join().unwrap());
            answers.flatten().collect()
        });
        assert_eq!(set.len(), 1);
        let kept = store.user(ada.id).unwrap().unwrap();
        assert_eq!(kept.token_version, round);
        assert_eq!(set, [kept]);
    }
}

/// The highest token version is kept and not passed: the password stays, and the link.
pub fn the_last_token_version_is_not_passed<S: AccountStore>(store: &S) {
    let worn = User {
        token_version: u32::MAX,
        ..user("worn@example.org")
    };
    store.create_user(&worn, &Actor::system()).unwrap();
    issued(store, worn.id, 1);
    let refused = store.redeem_reset(token(1), &hash("new"), &Actor::system(), at(1));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.reset_user(token(1), at(1)).unwrap(), Some(worn));
}

/// A hash with U+0000 is refused as [`StoreError::Failed`], and the link works on.
pub fn text_with_nul_is_refused_and_nothing_stored<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    issued(store, ada.id, 1);
    let refused = store.redeem_reset(token(1), &hash("\0"), &Actor::system(), at(1));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.reset_user(token(1), at(1)).unwrap(), Some(ada));
}
