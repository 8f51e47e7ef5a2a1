//! What every [`SessionStore`](crate::SessionStore) must do with sessions, beside the users and tenants of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::net::IpAddr;

use tenantry_domain::{Actor, LoginMethod, Session, SessionId, UserId};

use super::accounts::{AccountStore, END, begun, by, hash, is_live, live, login, member, refreshed, token};
use super::samples::{at, user};
use crate::{MAX_SESSIONS, NewSession, Refreshed, StoreError, UserChange};

/// A session is listed as it was begun, with nothing or everything set.
pub fn a_session_is_read_back_as_it_was_begun<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bare = begun(store, &ada, 0, 1);
    let mut full = login(&ada, 1, 2);
    full.session = Session {
        method: LoginMethod::Identity,
        client: Some("Ænglisc \"browser\"; 'x' \u{1F989}".into()),
        address: Some("2001:db8::7".parse::<IpAddr>().unwrap()),
        used_at: at(2),
        ..full.session
    };
    assert!(store.begin_session(&full, &by(ada.id)).unwrap());
    assert_eq!(store.sessions(ada.id, at(3)).unwrap(), [full.session, bare]);
}

/// The id of a session cannot be given again, nor its refresh token; nothing of such a session is kept.
pub fn a_session_id_is_taken<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let first = begun(store, &ada, 0, 1);
    let mut same_id = login(&ada, 1, 2);
    same_id.session.id = first.id;
    for taken in [same_id, login(&ada, 1, 1)] {
        let begun = store.begin_session(&taken, &by(ada.id));
        assert!(matches!(begun, Err(StoreError::IdTaken)), "{begun:?}");
    }
    assert_eq!(store.sessions(ada.id, at(1)).unwrap(), [first]);
    assert_eq!(refreshed(store, 2, 3, 1), Refreshed::Refused);
}

/// A session begins for the user whose credential was verified, and not for what became of that user meanwhile.
pub fn a_session_does_not_begin_for_a_user_who_changed<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let absent = user("bob@example.org");
    assert!(
        !store
            .begin_session(&login(&absent, 0, 1), &by(absent.id))
            .unwrap()
    );

    let ends = UserChange {
        end_sessions: true,
        ..UserChange::default()
    };
    let changed = store.update_user(ada.id, &ends, at(1)).unwrap().unwrap();
    let stale = NewSession {
        rehash: Some((hash("newer"), hash("first"))),
        ..login(&ada, 2, 1)
    };
    assert!(!store.begin_session(&stale, &by(ada.id)).unwrap());
    assert_eq!(store.user(ada.id).unwrap(), Some(changed.clone()));
    begun(store, &changed, 3, 1);

    let off = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    let inactive = store.update_user(ada.id, &off, at(4)).unwrap().unwrap();
    assert!(!store.begin_session(&login(&inactive, 5, 2), &by(ada.id)).unwrap());
    assert_eq!(live(store, ada.id, 5), []);
}

/// A hash under newer parameters takes the place of the one that was verified, and of no other; no session ends of it.
pub fn a_rehash_replaces_the_verified_hash_alone<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let earlier = begun(store, &ada, 0, 1);
    let mut wanted = ada.clone();
    for (number, older, kept) in [
        (2, "first", "newer 2"),
        (3, "first", "newer 2"),
        (4, "newer 2", "newer 4"),
    ] {
        let newer = hash(&format!("newer {number}"));
        let new = NewSession {
            rehash: Some((newer, hash(older))),
            ..login(&ada, 1, number)
        };
        assert!(store.begin_session(&new, &by(ada.id)).unwrap());
        wanted.password_hash = Some(hash(kept));
        assert_eq!(store.user(ada.id).unwrap(), Some(wanted.clone()), "{number}");
    }
    assert!(is_live(store, ada.id, earlier.id, 1));
}

/// The list has the most recently used first, of one moment the one of the highest id.
pub fn sessions_are_listed_by_their_last_use<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let [one, two, three] = [(0, 1), (5, 2), (5, 3)].map(|(at, refresh)| begun(store, &ada, at, refresh).id);
    let latest = [two.max(three), two.min(three)];
    assert_eq!(live(store, ada.id, 6), [latest[0], latest[1], one]);
    let rotated = refreshed(store, 1, 11, 9);
    assert!(matches!(rotated, Refreshed::Rotated { .. }), "{rotated:?}");
    assert_eq!(live(store, ada.id, 9), [one, latest[0], latest[1]]);
    assert_eq!(store.sessions(UserId::generate(at(0)), at(9)).unwrap(), []);
}

/// A user sees and ends no session but their own.
pub fn a_session_of_another_user_does_not_exist<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bob = member(store, "bob@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    assert!(!is_live(store, bob.id, session.id, 1));
    assert_eq!(live(store, bob.id, 1), []);
    for (user, id) in [(bob.id, session.id), (UserId::generate(at(0)), session.id)] {
        assert!(!store.end_session(user, id, &by(bob.id), at(1)).unwrap());
    }
    assert!(is_live(store, ada.id, session.id, 1));
}

/// A session is over at its time: it is not listed, ended or refreshed, and lets nobody in.
pub fn a_session_is_over_at_its_time<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    assert!(is_live(store, ada.id, session.id, END - 1));
    assert_eq!(live(store, ada.id, END - 1), [session.id]);
    assert!(!is_live(store, ada.id, session.id, END));
    assert_eq!(live(store, ada.id, END), []);
    assert_eq!(refreshed(store, 1, 2, END), Refreshed::Refused);
    assert!(
        !store
            .end_session(ada.id, session.id, &by(ada.id), at(END))
            .unwrap()
    );
}

/// A refresh that is not the last does not make the session longer.
pub fn refreshing_does_not_move_the_end<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    assert!(matches!(
        refreshed(store, 1, 2, END - 1),
        Refreshed::Rotated { .. }
    ));
    let wanted = Session {
        used_at: at(END - 1),
        ..session
    };
    assert_eq!(store.sessions(ada.id, at(END - 1)).unwrap(), [wanted]);
    assert_eq!(refreshed(store, 2, 3, END), Refreshed::Refused);
}

/// Of more than [`MAX_SESSIONS`] live sessions the least recently used is ended, also when its clock was ahead; those that are over do
/// not count.
pub fn of_too_many_sessions_the_least_used_is_ended<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let bob = begun(store, &member(store, "bob@example.org", "acme"), 0, 999);
    let mut over = login(&ada, 0, 998);
    over.session.expires_at = at(1);
    assert!(store.begin_session(&over, &by(ada.id)).unwrap());
    let most = u32::try_from(MAX_SESSIONS).unwrap();
    let sessions: Vec<_> = (1..=most)
        .map(|number| begun(store, &ada, i64::from(number) + 10, number).id)
        .collect();
    assert_eq!(live(store, ada.id, 500).len(), MAX_SESSIONS);
    let second = *sessions.get(1).unwrap();
    // The first is used again, so that the second is the least used.
    assert!(matches!(refreshed(store, 1, 901, 600), Refreshed::Rotated { .. }));
    let last = begun(store, &ada, 5, 902).id;
    let kept = live(store, ada.id, 700);
    assert_eq!(kept.len(), MAX_SESSIONS);
    let gone: Vec<_> = sessions.into_iter().filter(|id| !kept.contains(id)).collect();
    assert!(kept.contains(&last));
    assert_eq!(gone, [second]);
    assert_eq!(refreshed(store, 2, 903, 700), Refreshed::Refused);
    assert!(is_live(store, bob.user, bob.id, 700));
}

/// A refresh token gives its session and user, and the next token its place: that one works then, and the session was used.
pub fn a_refresh_token_gives_the_next<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let other = begun(store, &ada, 0, 77).id;
    let mut session = begun(store, &ada, 0, 1);
    for number in 1..4 {
        session.used_at = at(number.into());
        let wanted = Refreshed::Rotated {
            session: session.clone(),
            user: Box::new(ada.clone()),
        };
        assert_eq!(refreshed(store, number, number + 1, number.into()), wanted);
    }
    assert_eq!(live(store, ada.id, 9), [session.id, other]);
    assert!(is_live(store, ada.id, session.id, 9));
}

/// A refresh token that was used, however long ago, ends its session and no other: its latest token works no more either.
pub fn a_refresh_token_used_twice_ends_its_session<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let other = begun(store, &ada, 0, 77).id;
    let session = begun(store, &ada, 0, 1);
    for number in 1..4 {
        let rotated = refreshed(store, number, number + 1, 1);
        assert!(matches!(rotated, Refreshed::Rotated { .. }), "{rotated:?}");
    }
    assert_eq!(refreshed(store, 1, 50, 2), Refreshed::Reused);
    assert!(!is_live(store, ada.id, session.id, 2));
    for ended in [1, 3, 4, 50] {
        assert_eq!(refreshed(store, ended, 60, 3), Refreshed::Refused, "{ended}");
    }
    assert_eq!(live(store, ada.id, 3), [other]);
    // The user is as before: whoever has the password logs in again.
    assert_eq!(store.user(ada.id).unwrap(), Some(ada));
}

/// Of many who present one refresh token at once, the first gets the next token, the second ends the session, and the rest find it
/// ended.
pub fn a_refresh_token_presented_at_once_is_taken_once<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let other = begun(store, &ada, 0, 77).id;
    for round in 0..5 {
        let first = 1_000 * (round + 1);
        let session = begun(store, &ada, 0, first);
        let answers: Vec<_> = std::thread::scope(|threads| {
            let clients: Vec<_> = (1..=8)
                .map(|client| threads.spawn(move || refreshed(store, first, first + client, 1)))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let count = |of: fn(&Refreshed) -> bool| answers.iter().filter(|answer| of(answer)).count();
        let counts = [
            count(|answer| matches!(answer, Refreshed::Rotated { .. })),
            count(|answer| *answer == Refreshed::Reused),
            count(|answer| *answer == Refreshed::Refused),
        ];
        assert_eq!(counts, [1, 1, 6], "{answers:?}");
        assert!(!is_live(store, ada.id, session.id, 1));
        for client in 1..=8 {
            assert_eq!(refreshed(store, first + client, 1, 1), Refreshed::Refused);
        }
    }
    assert_eq!(live(store, ada.id, 1), [other]);
}

/// Clients that go on with sessions of their own at once all do.
pub fn sessions_refreshed_at_once_all_go_on<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let clients: Vec<_> = (1..=4)
        .map(|client| (client, begun(store, &ada, 0, client * 100)))
        .collect();
    std::thread::scope(|threads| {
        for (client, _) in &clients {
            threads.spawn(move || {
                for step in 0..10 {
                    let presented = client * 100 + step;
                    let rotated = refreshed(store, presented, presented + 1, i64::from(step) + 1);
                    assert!(matches!(rotated, Refreshed::Rotated { .. }), "{rotated:?}");
                }
            });
        }
    });
    assert_eq!(live(store, ada.id, 20).len(), clients.len());
}

/// Text that is no refresh token of a session is refused, and changes nothing.
pub fn an_unknown_refresh_token_is_refused<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    assert_eq!(refreshed(store, 2, 3, 1), Refreshed::Refused);
    assert_eq!(refreshed(store, 3, 4, 1), Refreshed::Refused);
    assert_eq!(store.sessions(ada.id, at(1)).unwrap(), [session]);
}

/// A session is ended once, and no other with it: it lets nobody in, is not listed, and has no token any more.
pub fn an_ended_session_is_over<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let [other, ended] = [1, 2].map(|refresh| begun(store, &ada, 0, refresh).id);
    assert!(matches!(refreshed(store, 2, 3, 1), Refreshed::Rotated { .. }));
    assert!(
        !store
            .end_session(ada.id, SessionId::generate(at(0)), &by(ada.id), at(2))
            .unwrap()
    );
    for is_first in [true, false] {
        assert_eq!(
            store.end_session(ada.id, ended, &by(ada.id), at(2)).unwrap(),
            is_first
        );
    }
    assert!(!is_live(store, ada.id, ended, 2));
    for token in [2, 3] {
        assert_eq!(refreshed(store, token, 9, 2), Refreshed::Refused, "{token}");
    }
    assert_eq!(live(store, ada.id, 2), [other]);
}

/// Access says whether the session is live; without one, that nothing speaks against it.
pub fn access_looks_at_the_session<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let session = begun(store, &ada, 0, 1);
    assert!(is_live(store, ada.id, session.id, 1));
    assert!(!is_live(store, ada.id, SessionId::generate(at(0)), 1));
    let access = store.access(ada.id, None, at(1)).unwrap().unwrap();
    assert!(access.session_is_live && access.sessions_ended_at.is_none());
    assert_eq!(access.tenant.map(|tenant| tenant.id), ada.tenant);
    assert_eq!(
        store
            .access(UserId::generate(at(0)), Some(session.id), at(1))
            .unwrap(),
        None
    );
}

/// A client's name with U+0000 is refused as [`StoreError::Failed`], as is such a hash, and no session begins.
pub fn text_with_nul_is_refused_and_nothing_stored<S: AccountStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let mut bad_client = login(&ada, 0, 1);
    bad_client.session.client = Some("a\0b".into());
    let bad_hash = NewSession {
        rehash: Some((hash("\0"), hash("first"))),
        ..login(&ada, 0, 1)
    };
    for bad in [bad_client, bad_hash] {
        let begun = store.begin_session(&bad, &Actor::system());
        assert!(matches!(begun, Err(StoreError::Failed(_))), "{begun:?}");
    }
    assert_eq!(live(store, ada.id, 0), []);
    assert_eq!(store.user(ada.id).unwrap(), Some(ada));
    assert_eq!(
        token(1),
        login(&member(store, "bob@example.org", "acme"), 0, 1).refresh
    );
}
