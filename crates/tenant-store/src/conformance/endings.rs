//! What must end every session of a user, and what must not.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Actor, Role, User, UserId};

use super::accounts::{AccountStore, begun, by, hash, is_live, live, login, member, refreshed};
use super::samples::{at, tenant, tenant_id, user};
use crate::{Refreshed, StoreError, TenantChange, UserChange};

fn changes() -> [(&'static str, UserChange); 7] {
    let none = UserChange::default;
    [
        (
            "password",
            UserChange {
                password_hash: Some(hash("other")),
                ..none()
            },
        ),
        (
            "tenant",
            UserChange {
                tenant: Some(Some(tenant_id("globex"))),
                ..none()
            },
        ),
        (
            "no tenant",
            UserChange {
                tenant: Some(None),
                ..none()
            },
        ),
        (
            "role",
            UserChange {
                role: Some(Role::Admin),
                ..none()
            },
        ),
        (
            "rank",
            UserChange {
                is_superuser: Some(true),
                ..none()
            },
        ),
        (
            "state",
            UserChange {
                is_active: Some(false),
                ..none()
            },
        ),
        (
            "told to",
            UserChange {
                end_sessions: true,
                ..none()
            },
        ),
    ]
}

/// A change of a user's password, tenant, role, rank or state ends every session of that user and raises the token version by one,
/// whether or not it is told to, and says when it was.
pub fn a_change_of_the_user_ends_every_session<S: AccountStore>(store: &S) {
    store.create_tenant(&tenant("globex"), &Actor::system()).unwrap();
    let other = member(store, "other@example.org", "acme");
    let kept = begun(store, &other, 0, 999_999);
    for (number, (what, change)) in (0..).zip(changes()) {
        let ada = member(store, &format!("{number}@example.org"), "acme");
        let sessions = [1, 2].map(|session| begun(store, &ada, 0, number * 10 + session).id);
        let changed = store.update_user(ada.id, &change, at(50)).unwrap().unwrap();
        assert_eq!(changed.token_version, 1, "{what}");
        assert_eq!(store.user(ada.id).unwrap(), Some(changed), "{what}");
        assert_eq!(live(store, ada.id, 50), [], "{what}");
        for session in sessions {
            assert!(!is_live(store, ada.id, session, 50), "{what}");
        }
        assert_eq!(
            refreshed(store, number * 10 + 1, 5_000, 50),
            Refreshed::Refused,
            "{what}"
        );
        let access = store.access(ada.id, None, at(51)).unwrap().unwrap();
        assert_eq!(access.sessions_ended_at, Some(at(50)), "{what}");
    }
    assert!(is_live(store, other.id, kept.id, 50));
}

/// A change to what is so already ends nothing, and raises no token version.
pub fn a_change_that_changes_nothing_ends_nothing<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    let same = UserChange {
        tenant: Some(ada.tenant.clone()),
        role: Some(ada.role),
        is_active: Some(ada.is_active),
        is_superuser: Some(ada.is_superuser),
        password_hash: ada.password_hash.clone(),
        ..UserChange::default()
    };
    for change in [same, UserChange::default()] {
        let changed = store.update_user(ada.id, &change, at(5)).unwrap();
        let wanted = User {
            updated_at: at(5),
            ..ada.clone()
        };
        assert_eq!(changed, Some(wanted));
    }
    assert!(is_live(store, ada.id, session.id, 6));
    let access = store.access(ada.id, None, at(6)).unwrap().unwrap();
    assert_eq!(access.sessions_ended_at, None);
}

/// Deactivating a tenant ends the sessions of all its users, once, and of nobody else's.
pub fn deactivating_a_tenant_ends_its_users_sessions<S: AccountStore>(store: &S) {
    let [ada, bob] = ["ada@example.org", "bob@example.org"].map(|email| member(store, email, "acme"));
    let eve = member(store, "eve@example.org", "globex");
    let of =
        [(&ada, 1), (&bob, 2), (&eve, 3)].map(|(user, refresh)| (user, begun(store, user, 0, refresh).id));
    let acme = tenant_id("acme");
    let switch = |on| TenantChange {
        is_active: Some(on),
        ..TenantChange::default()
    };
    let others = TenantChange {
        name: Some("Acme".into()),
        ..switch(true)
    };
    store.update_tenant(&acme, &others, at(1)).unwrap().unwrap();
    for (user, session) in &of {
        assert!(is_live(store, user.id, *session, 1));
    }
    for at_second in [2, 3] {
        store
            .update_tenant(&acme, &switch(false), at(at_second))
            .unwrap()
            .unwrap();
        for (user, session) in &of {
            let is_out = user.id != eve.id;
            assert_eq!(is_live(store, user.id, *session, 4), !is_out);
            assert_eq!(
                store.user(user.id).unwrap().unwrap().token_version,
                u32::from(is_out)
            );
            let access = store.access(user.id, None, at(4)).unwrap().unwrap();
            assert_eq!(access.sessions_ended_at, is_out.then(|| at(2)));
        }
    }
    store.update_tenant(&acme, &switch(true), at(5)).unwrap().unwrap();
    assert_eq!((live(store, ada.id, 6), live(store, bob.id, 6)), (vec![], vec![]));
    assert_eq!(refreshed(store, 1, 9, 6), Refreshed::Refused);
}

/// A tenant of which one user's token version cannot be raised is not deactivated, and nobody's sessions end.
pub fn a_tenant_is_deactivated_whole_or_not_at_all<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let worn = User {
        tenant: ada.tenant.clone(),
        token_version: u32::MAX,
        ..user("worn@example.org")
    };
    store.create_user(&worn, &Actor::system()).unwrap();
    let session = begun(store, &ada, 0, 1);
    let off = TenantChange {
        is_active: Some(false),
        system_prompt: Some(Some("x".into())),
        ..TenantChange::default()
    };
    let refused = store.update_tenant(&tenant_id("acme"), &off, at(1));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.tenant(&tenant_id("acme")).unwrap(), Some(tenant("acme")));
    assert!(is_live(store, ada.id, session.id, 1));
    assert_eq!(store.user(ada.id).unwrap(), Some(ada));
}

/// Stores that many active superusers.
fn superusers<S: AccountStore, const COUNT: usize>(store: &S) -> [UserId; COUNT] {
    std::array::from_fn(|number| {
        let root = User {
            is_superuser: true,
            ..user(&format!("root{number}@example.org"))
        };
        store.create_user(&root, &Actor::system()).unwrap();
        root.id
    })
}

fn stepping_down() -> [UserChange; 2] {
    [
        UserChange {
            is_superuser: Some(false),
            ..UserChange::default()
        },
        UserChange {
            is_active: Some(false),
            ..UserChange::default()
        },
    ]
}

/// The last active superuser is neither demoted nor deactivated, and nothing of such a change is kept; any other may be.
pub fn the_last_active_superuser_stays<S: AccountStore>(store: &S) {
    let [first, second, third] = superusers(store);
    // An inactive superuser is none, and a member makes none.
    let [demoted, deactivated] = stepping_down();
    store.update_user(first, &deactivated, at(1)).unwrap().unwrap();
    store.update_user(second, &demoted, at(1)).unwrap().unwrap();
    let last = store.user(third).unwrap().unwrap();
    let session = begun(store, &last, 2, 1);
    for change in stepping_down() {
        let change = UserChange {
            end_sessions: true,
            role: Some(Role::Admin),
            ..change
        };
        let refused = store.update_user(last.id, &change, at(3));
        assert!(matches!(refused, Err(StoreError::LastSuperuser)), "{refused:?}");
    }
    assert_eq!(store.user(last.id).unwrap(), Some(last.clone()));
    assert!(is_live(store, last.id, session.id, 3));
    // Other changes are made, and who is no active superuser may become less.
    let password = UserChange {
        password_hash: Some(hash("other")),
        ..UserChange::default()
    };
    store.update_user(last.id, &password, at(4)).unwrap().unwrap();
    store.update_user(first, &demoted, at(4)).unwrap().unwrap();
    store.update_user(second, &deactivated, at(4)).unwrap().unwrap();
}

/// Superusers who step down at once leave one.
pub fn superusers_who_step_down_at_once_leave_one<S: AccountStore>(store: &S) {
    let roots: [UserId; 4] = superusers(store);
    for round in 0..3 {
        let refused: usize = std::thread::scope(|threads| {
            let changes = roots.iter().zip(stepping_down().into_iter().cycle());
            let leaving: Vec<_> = changes
                .map(|(root, change)| threads.spawn(move || store.update_user(*root, &change, at(1))))
                .collect();
            let answers = leaving.into_iter().map(|thread| thread.join().unwrap());
            answers
                .filter(|answer| matches!(answer, Err(StoreError::LastSuperuser)))
                .count()
        });
        assert_eq!(refused, 1, "round {round}");
        let left = roots.iter().map(|root| store.user(*root).unwrap().unwrap());
        assert_eq!(left.filter(|user| user.is_superuser && user.is_active).count(), 1);
        let back = UserChange {
            is_superuser: Some(true),
            is_active: Some(true),
            ..UserChange::default()
        };
        for root in &roots {
            store.update_user(*root, &back, at(2)).unwrap().unwrap();
        }
    }
}

/// Who is logging in and going on while the sessions are ended has none after that.
pub fn no_session_outlives_an_ending_at_the_same_time<S: AccountStore>(store: &S) {
    for round in 0..4 {
        let ada = member(store, &format!("{round}@example.org"), "acme");
        let first = 10_000 * (round + 1);
        let session = begun(store, &ada, 0, first);
        std::thread::scope(|threads| {
            let ada = &ada;
            threads.spawn(move || {
                let goes_on = |step: &u32| {
                    let rotated = refreshed(store, first + step, first + step + 1, 1);
                    matches!(rotated, Refreshed::Rotated { .. })
                };
                (0..1_000).take_while(goes_on).count()
            });
            threads.spawn(move || {
                let begins = |step: &u32| {
                    store
                        .begin_session(&login(ada, 1, first + 5_000 + step), &by(ada.id))
                        .unwrap()
                };
                (0..1_000).take_while(begins).count()
            });
            threads.spawn(move || {
                let has_begun = |_: &u32| live(store, ada.id, 1).len() > 2;
                (0..1_000).take_while(|step| !has_begun(step)).count();
                if round % 2 == 0 {
                    let ends = UserChange {
                        end_sessions: true,
                        ..UserChange::default()
                    };
                    store.update_user(ada.id, &ends, at(1)).unwrap().unwrap();
                } else {
                    let off = TenantChange {
                        is_active: Some(false),
                        ..TenantChange::default()
                    };
                    store
                        .update_tenant(&tenant_id("acme"), &off, at(1))
                        .unwrap()
                        .unwrap();
                }
            });
        });
        assert_eq!(live(store, ada.id, 1), []);
        assert!(!is_live(store, ada.id, session.id, 1));
        let on = TenantChange {
            is_active: Some(true),
            ..TenantChange::default()
        };
        store
            .update_tenant(&tenant_id("acme"), &on, at(2))
            .unwrap()
            .unwrap();
    }
}

/// How often each of those who change something at once does so.
const ROUNDS: usize = 8;

/// Users moved between tenants that are switched off and on meanwhile are changed all the same: none waits for another for ever.
pub fn changes_of_users_and_tenants_at_once_are_all_made<S: AccountStore>(store: &S) {
    let homes = ["acme", "globex"];
    let users: Vec<_> = (0..4)
        .zip(homes.into_iter().cycle())
        .map(|(number, home)| member(store, &format!("{number}@example.org"), home).id)
        .collect();
    std::thread::scope(|threads| {
        for user in &users {
            threads.spawn(move || {
                for (round, home) in (0..ROUNDS).zip(homes.into_iter().rev().cycle()) {
                    let change = UserChange {
                        tenant: Some(Some(tenant_id(home))),
                        is_superuser: Some(round % 3 == 0),
                        ..UserChange::default()
                    };
                    match store.update_user(*user, &change, at(1)) {
                        Ok(changed) => assert!(changed.is_some()),
                        Err(error) => assert!(matches!(error, StoreError::LastSuperuser), "{error:?}"),
                    }
                }
            });
        }
        for home in homes {
            threads.spawn(move || {
                for (round, on) in (0..ROUNDS).zip([false, true].into_iter().cycle()) {
                    let change = TenantChange {
                        is_active: Some(on),
                        system_prompt: Some(Some(format!("{round}"))),
                        ..TenantChange::default()
                    };
                    let changed = store.update_tenant(&tenant_id(home), &change, at(1));
                    assert!(changed.unwrap().is_some());
                }
            });
        }
    });
}
