//! What tables tell of sessions, and what hands that write into them do to these.

use super::*;
use crate::conformance::accounts::{begun, hash, is_live, live, login, member, refreshed, token};
use crate::conformance::samples::at;
use crate::{Attempt, NewSession, Refreshed, SessionStore, ThrottlePolicy, ThrottleStore};

fn rows(store: &SqlStore, from: &str) -> i64 {
    let count = format!("(SELECT count(*) FROM {from})");
    let count = diesel::dsl::sql::<diesel::sql_types::BigInt>(&count);
    store.run(|conn| diesel::select(count).get_result(conn)).unwrap()
}

#[test]
fn a_session_that_was_ended_leaves_nothing() {
    let (store, _folder) = migrated();
    let ada = member(&store, "ada@example.org", "acme");
    let first = begun(&store, &ada, 0, 1);
    for number in 1..5 {
        assert!(matches!(
            refreshed(&store, number, number + 1, 1),
            Refreshed::Rotated { .. }
        ));
    }
    assert_eq!((rows(&store, "sessions"), rows(&store, "refresh_tokens")), (1, 5));
    assert_eq!(rows(&store, "refresh_tokens WHERE NOT is_used"), 1);
    assert!(
        store
            .end_session(ada.id, first.id, &Actor::system(), at(1))
            .unwrap()
    );
    begun(&store, &ada, 0, 11);
    assert!(matches!(refreshed(&store, 11, 12, 1), Refreshed::Rotated { .. }));
    assert_eq!(refreshed(&store, 11, 13, 1), Refreshed::Reused);
    assert_eq!((rows(&store, "sessions"), rows(&store, "refresh_tokens")), (0, 0));
}

#[test]
fn sessions_that_are_over_do_not_pile_up() {
    let (store, _folder) = migrated();
    let gone: Vec<_> = (0..5)
        .map(|n| member(&store, &format!("{n}@example.org"), "acme"))
        .collect();
    for (number, user) in (0..30).zip(gone.iter().cycle()) {
        let mut new = login(user, 0, 100 + number);
        new.session.expires_at = at(10);
        assert!(store.begin_session(&new, &Actor::system()).unwrap());
    }
    // Who never comes back leaves sessions, which others' log-ins remove.
    let ada = member(&store, "ada@example.org", "acme");
    for number in 0..4 {
        begun(&store, &ada, 20, number);
    }
    assert_eq!((rows(&store, "sessions"), rows(&store, "refresh_tokens")), (4, 4));
}

#[test]
fn a_token_version_raised_by_hand_ends_every_session() {
    let (store, _folder) = migrated();
    let mut ada = member(&store, "ada@example.org", "acme");
    let session = begun(&store, &ada, 0, 1);
    sql(&store, "UPDATE users SET token_version = token_version + 1");
    assert!(!is_live(&store, ada.id, session.id, 1));
    assert!(live(&store, ada.id, 1).is_empty());
    assert_eq!(refreshed(&store, 1, 2, 1), Refreshed::Refused);
    assert!(
        !store
            .end_session(ada.id, session.id, &Actor::system(), at(1))
            .unwrap()
    );
    ada.token_version = 1;
    begun(&store, &ada, 2, 3);
    assert_eq!((rows(&store, "sessions"), rows(&store, "refresh_tokens")), (1, 1));
}

#[test]
fn who_was_switched_off_by_hand_is_not_given_the_next_token() {
    let (store, _folder) = migrated();
    let ada = member(&store, "ada@example.org", "acme");
    begun(&store, &ada, 0, 1);
    for table in ["users", "tenants"] {
        sql(&store, &format!("UPDATE {table} SET is_active = FALSE"));
        assert_eq!(refreshed(&store, 1, 2, 1), Refreshed::Refused, "{table}");
        sql(&store, &format!("UPDATE {table} SET is_active = TRUE"));
    }
    // A superuser is let in whatever became of the tenant.
    sql(
        &store,
        "UPDATE tenants SET is_active = FALSE; UPDATE users SET is_superuser = TRUE",
    );
    assert!(matches!(refreshed(&store, 1, 2, 1), Refreshed::Rotated { .. }));
    // Who used the token twice has it from somebody else, whatever became of the user.
    sql(&store, "UPDATE users SET is_active = FALSE");
    assert_eq!(refreshed(&store, 1, 3, 1), Refreshed::Reused);
    assert_eq!(rows(&store, "sessions"), 0);
}

#[test]
fn a_removed_user_leaves_no_session() {
    let (store, _folder) = migrated();
    let ada = member(&store, "ada@example.org", "acme");
    begun(&store, &ada, 0, 1);
    assert!(
        store
            .issue_reset(ada.id, token(9), at(9), &Actor::system(), at(0))
            .unwrap()
    );
    sql(&store, "DELETE FROM users");
    let left = ["sessions", "refresh_tokens", "password_resets"].map(|table| rows(&store, table));
    assert_eq!(left, [0, 0, 0]);
}

#[test]
fn an_attempt_that_waits_writes_nothing() {
    let (store, _folder) = migrated();
    let policy = ThrottlePolicy {
        free: 0,
        first_wait: Duration::from_mins(1),
        longest_wait: Duration::from_mins(1),
        forget_after: Duration::from_hours(1),
    };
    assert_eq!(
        store.attempt(&[(token(1), policy)], at(0)).unwrap(),
        Attempt::Allowed
    );
    for key in 2..9 {
        let both = [(token(1), policy), (token(key), policy)];
        assert_eq!(
            store.attempt(&both, at(1)).unwrap(),
            Attempt::Wait { until: at(60) }
        );
    }
    assert_eq!(rows(&store, "login_throttle"), 1);
    store.undo(&[token(1)]).unwrap();
    assert_eq!(rows(&store, "login_throttle"), 0);
}

#[test]
fn no_secret_is_kept_but_by_its_hash() {
    let (store, _folder) = migrated();
    let ada = member(&store, "ada@example.org", "acme");
    begun(&store, &ada, 0, 1);
    store
        .issue_reset(ada.id, token(2), at(9), &Actor::system(), at(0))
        .unwrap();
    for statement in [
        "INSERT INTO refresh_tokens (hash, session_id) SELECT 'tnr_secret', id FROM sessions",
        "UPDATE refresh_tokens SET hash = x'00'",
        "UPDATE password_resets SET secret = x'00'",
        "INSERT INTO login_throttle (key, failures, last_at) VALUES ('ada@example.org', 1, 0)",
    ] {
        assert!(
            store.run(|conn| conn.batch_execute(statement)).is_err(),
            "{statement}"
        );
    }
}

#[test]
fn what_cannot_be_entered_is_not_done_to_sessions() {
    let (store, _folder) = migrated();
    let ada = member(&store, "ada@example.org", "acme");
    let bob = member(&store, "bob@example.org", "acme");
    let session = begun(&store, &ada, 0, 1);
    begun(&store, &bob, 0, 11);
    assert!(matches!(refreshed(&store, 11, 12, 1), Refreshed::Rotated { .. }));
    let by = Actor::system();
    assert!(store.issue_reset(ada.id, token(31), at(99), &by, at(0)).unwrap());
    sql(
        &store,
        "CREATE TRIGGER closed BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'closed'); END",
    );
    let all = || {
        let users = [&ada, &bob].map(|user| store.user(user.id).unwrap());
        let sessions = [&ada, &bob].map(|user| store.sessions(user.id, at(1)).unwrap());
        let used = rows(&store, "refresh_tokens WHERE is_used");
        let tables = ["refresh_tokens", "password_resets", "audit_log", "audit_heads"];
        let link = store.reset_user(token(31), at(1)).unwrap();
        (
            users,
            sessions,
            used,
            tables.map(|table| rows(&store, table)),
            link,
        )
    };
    let before = all();
    let [newer, older] = ["newer", "first"].map(hash);
    let new = NewSession {
        rehash: Some((newer.clone(), older)),
        ..login(&ada, 1, 2)
    };
    let refused = [
        store.begin_session(&new, &by).map(drop),
        store.refresh_session(token(1), token(2), &by, at(1)).map(drop),
        store.refresh_session(token(11), token(13), &by, at(1)).map(drop),
        store.end_session(ada.id, session.id, &by, at(1)).map(drop),
        store.issue_reset(bob.id, token(32), at(99), &by, at(1)).map(drop),
        store.redeem_reset(token(31), &newer, &by, at(1)).map(drop),
    ];
    for (place, refused) in refused.iter().enumerate() {
        assert!(
            matches!(refused, Err(StoreError::Failed(_))),
            "{place}: {refused:?}"
        );
    }
    assert_eq!(all(), before);
    sql(&store, "DROP TRIGGER closed");
    assert!(store.begin_session(&new, &by).unwrap());
}
