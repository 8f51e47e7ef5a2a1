//! What every store must enter in its audit log of sessions and links.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Actor, AuditAction, Principal, User};

use super::accounts::{AccountStore, begun, by, hash, login, member, refreshed, token};
use super::audit::{log, told};
use super::samples::{at, user};
use crate::{AuditLog, AuditStore, MAX_SESSIONS, NewSession, Refreshed};

/// What was told of the log since it said `before` entries.
fn since<S: AuditStore>(store: &S, before: &mut usize) -> Vec<String> {
    let all = told(store, &log("acme"));
    let new = all.iter().skip(*before).cloned().collect();
    *before = all.len();
    new
}

/// A log-in, a refresh, the end of a session and a token that was used twice are entered in the log of the user's tenant.
pub fn what_becomes_of_a_session_is_entered<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let mut place = told(store, &log("acme")).len();
    let session = begun(store, &ada, 0, 1);
    let (id, who) = (session.id, ada.id);
    let logged_in = format!("login.succeeded user {who} method=password session={id}");
    assert_eq!(since(store, &mut place), [logged_in]);

    assert!(matches!(refreshed(store, 1, 2, 1), Refreshed::Rotated { .. }));
    assert_eq!(
        since(store, &mut place),
        [format!("session.refreshed session {id} user={who}")]
    );

    assert_eq!(refreshed(store, 1, 3, 2), Refreshed::Reused);
    assert_eq!(
        since(store, &mut place),
        [format!("session.reuse_detected session {id} user={who}")]
    );

    let id = begun(store, &ada, 3, 4).id;
    assert!(store.end_session(who, id, &by(who), at(4)).unwrap());
    assert_eq!(
        since(store, &mut place).last(),
        Some(&format!("session.ended session {id} user={who}"))
    );
    assert!(told(store, &AuditLog::Platform).is_empty());
}

/// Whoever proves to have the refresh token is the user, from where the request came; who uses it twice is nobody that is known.
pub fn a_refresh_is_the_users_own_deed<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    begun(store, &ada, 0, 1);
    let nobody = Actor {
        principal: Principal::Anonymous,
        ..by(ada.id)
    };
    for next in [2, 3] {
        store
            .refresh_session(token(1), token(next), &nobody, at(1))
            .unwrap();
    }
    let entries = store.audit_after(&log("acme"), 0, u16::MAX).unwrap();
    let of = |action| entries.iter().find(|entry| entry.action == action).unwrap();
    assert_eq!(of(AuditAction::LoggedIn).actor, by(ada.id));
    assert_eq!(of(AuditAction::LoggedIn).at, at(0));
    assert_eq!(of(AuditAction::SessionRefreshed).actor, by(ada.id));
    assert_eq!(of(AuditAction::SessionRefreshed).at, at(1));
    assert_eq!(of(AuditAction::RefreshTokenReused).actor, nobody);
}

/// The session that there was no room for is entered as ended, before the log-in that took its place.
pub fn a_session_that_made_room_is_entered<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let most = u32::try_from(MAX_SESSIONS).unwrap();
    let first = begun(store, &ada, 0, 0).id;
    for number in 1..most {
        begun(store, &ada, 1, number);
    }
    let mut place = told(store, &log("acme")).len();
    let last = begun(store, &ada, 2, most).id;
    let who = ada.id;
    let wanted = [
        format!("session.ended session {first} reason=too many sessions user={who}"),
        format!("login.succeeded user {who} method=password session={last}"),
    ];
    assert_eq!(since(store, &mut place), wanted);
}

/// A link is entered when it is made and when it is used; of a user without a tenant in the platform's log.
pub fn what_becomes_of_a_link_is_entered<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let root = User {
        is_superuser: true,
        ..user("root@example.org")
    };
    store.create_user(&root, &Actor::system()).unwrap();
    for (secret, user) in [(1, &ada), (2, &root)] {
        let of_user = AuditLog::of(user.tenant.as_ref());
        let before = told(store, &of_user).len();
        assert!(
            store
                .issue_reset(user.id, token(secret), at(9), &by(root.id), at(0))
                .unwrap()
        );
        store
            .redeem_reset(
                token(secret),
                &hash("new"),
                &Actor::of(Principal::Anonymous),
                at(1),
            )
            .unwrap()
            .unwrap();
        let id = user.id;
        let wanted = [
            format!("password.reset_issued user {id} expires_at={}", at(9)),
            format!("password.reset user {id}"),
        ];
        let entered: Vec<_> = told(store, &of_user).into_iter().skip(before).collect();
        assert_eq!(entered, wanted);
    }
}

/// What was refused is not entered: not a session that did not begin, nor a token or a link that did not work.
pub fn what_sessions_refuse_is_not_entered<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let taken = begun(store, &ada, 0, 1);
    let before = [log("acme"), AuditLog::Platform].map(|log| told(store, &log));
    let stale = NewSession {
        token_version: 9,
        ..login(&ada, 1, 2)
    };
    assert!(!store.begin_session(&stale, &by(ada.id)).unwrap());
    let mut again = login(&ada, 1, 2);
    again.session.id = taken.id;
    store.begin_session(&again, &by(ada.id)).unwrap_err();
    assert_eq!(refreshed(store, 7, 8, 1), Refreshed::Refused);
    let absent = user("bob@example.org").id;
    assert!(!store.end_session(absent, taken.id, &by(absent), at(1)).unwrap());
    assert!(
        !store
            .issue_reset(absent, token(7), at(9), &by(absent), at(1))
            .unwrap()
    );
    assert_eq!(
        store
            .redeem_reset(token(7), &hash("new"), &by(absent), at(1))
            .unwrap(),
        None
    );
    assert_eq!(
        [log("acme"), AuditLog::Platform].map(|log| told(store, &log)),
        before
    );
}

/// Neither a hash nor what a client calls itself is entered.
pub fn no_secret_of_a_session_is_entered<S: AccountStore + AuditStore>(store: &S) {
    let ada = member(store, "ada@example.org", "acme");
    let mut new = login(&ada, 0, 1);
    new.session.client = Some("marker of a client".into());
    new.rehash = Some((hash("marker"), hash("first")));
    assert!(store.begin_session(&new, &by(ada.id)).unwrap());
    refreshed(store, 1, 2, 1);
    assert!(
        store
            .issue_reset(ada.id, token(3), at(9), &by(ada.id), at(1))
            .unwrap()
    );
    store
        .redeem_reset(token(3), &hash("marker"), &by(ada.id), at(2))
        .unwrap()
        .unwrap();
    let all = told(store, &log("acme")).join("\n");
    for secret in ["marker", "argon2", "070707"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
