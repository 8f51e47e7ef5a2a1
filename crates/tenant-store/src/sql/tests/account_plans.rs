//! What a log-in, a request and a refresh cost, which must not grow with the users and sessions that there are.

use std::sync::{Arc, Mutex};

use tenantry_domain::{PasswordHash, TokenHash};

use super::plans::{assert_by_index, plan, watched};
use super::*;
use crate::conformance::accounts::{begun, by, is_live, live, login, member, refreshed, token};
use crate::conformance::samples::at;
use crate::{
    Attempt, NewSession, Refreshed, SessionStore, TenantChange, ThrottlePolicy, ThrottleStore, UserChange,
};

const POLICY: ThrottlePolicy = ThrottlePolicy {
    free: 9,
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(1),
    forget_after: Duration::from_hours(1),
};

/// A user with a few sessions and one with a long one, among many users with sessions, links and failures.
fn populous(store: &SqlStore) -> [User; 2] {
    let users = ["ada@example.org", "bob@example.org"].map(|email| member(store, email, "acme"));
    let numbers =
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) ";
    let id = "printf('01901000-0000-7000-8000-%012d', n)";
    let bytes = "CAST(printf('%032d', n) AS BLOB)";
    sql(
        store,
        &format!(
            "{numbers} INSERT INTO tenants (id, name) SELECT 't' || n, 'x' FROM numbers; \
             {numbers} INSERT INTO users (id, email, tenant_id) SELECT {id}, n || '@example.org', 't' || n FROM numbers; \
             {numbers} INSERT INTO sessions (id, user_id, token_version, method, created_at, used_at, expires_at) \
                 SELECT {id}, {id}, 0, 'password', n, n, 9000000000000000 FROM numbers; \
             {numbers} INSERT INTO refresh_tokens (hash, session_id) SELECT {bytes}, {id} FROM numbers; \
             {numbers} INSERT INTO password_resets (user_id, secret, expires_at) SELECT {id}, {bytes}, 9000000000000000 FROM numbers; \
             {numbers} INSERT INTO login_throttle (key, failures, last_at) SELECT {bytes}, 1, 9000000000000000 FROM numbers"
        ),
    );
    let long = begun(store, &users[1], 0, 999);
    sql(
        store,
        &format!(
            "{numbers} INSERT INTO refresh_tokens (hash, session_id, is_used) \
             SELECT CAST(printf('u%031d', n) AS BLOB), '{}', TRUE FROM numbers",
            long.id
        ),
    );
    users
}

/// The statements that were made since the last look, but for those that enter them in the audit log.
fn taken(statements: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    let mut taken = std::mem::take(&mut *statements.lock().unwrap());
    taken.retain(|statement| !statement.contains("audit_"));
    taken
}

#[test]
fn a_session_costs_the_same_however_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let [ada, bob] = populous(&store);
    taken(&statements);
    let mut all = Vec::new();
    let mut cost = |wanted: usize, step: &str| {
        let taken = taken(&statements);
        assert_eq!(taken.len(), wanted, "{step}: {taken:#?}");
        all.extend(taken);
    };
    // Two of the statements begin and end the transaction.
    let hashes = ["newer", "first"].map(|hash| PasswordHash::from_stored(hash.into()));
    let [newer, older] = hashes;
    let new = NewSession {
        rehash: Some((newer, older)),
        ..login(&ada, 0, 1)
    };
    assert!(store.begin_session(&new, &by(ada.id)).unwrap());
    cost(8, "log in");
    assert!(is_live(&store, ada.id, new.session.id, 1));
    cost(1, "a request");
    assert!(matches!(refreshed(&store, 1, 2, 1), Refreshed::Rotated { .. }));
    cost(9, "refresh");
    assert_eq!(refreshed(&store, 12_345_678, 2, 1), Refreshed::Refused);
    cost(1, "an unknown token");
    assert_eq!(live(&store, ada.id, 1).len(), 1);
    cost(1, "list");
    assert!(
        store
            .end_session(ada.id, new.session.id, &by(ada.id), at(1))
            .unwrap()
    );
    cost(4, "end");
    assert!(
        store
            .issue_reset(ada.id, token(3), at(9), &by(ada.id), at(1))
            .unwrap()
    );
    cost(5, "make a link");
    assert!(store.reset_user(token(3), at(2)).unwrap().is_some());
    cost(1, "look at a link");
    let password = PasswordHash::from_stored("new".into());
    assert!(
        store
            .redeem_reset(token(3), &password, &by(ada.id), at(2))
            .unwrap()
            .is_some()
    );
    cost(8, "set the password");
    let ends = UserChange {
        end_sessions: true,
        ..UserChange::default()
    };
    store.update_user(bob.id, &ends, at(3)).unwrap().unwrap();
    cost(6, "end all");
    assert_by_index(&store, &all, 12);
}

#[test]
fn a_throttle_costs_the_same_however_many_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    populous(&store);
    taken(&statements);
    let names: [TokenHash; 2] = [token(1), token(2)];
    let keys = names.map(|key| (key, POLICY));
    assert_eq!(store.attempt(&keys, at(0)).unwrap(), Attempt::Allowed);
    store.undo(&names).unwrap();
    store.succeeded(&names).unwrap();
    store.forget_attempts(at(1)).unwrap();
    let all = taken(&statements);
    assert!(all.len() < 20, "{all:#?}");
    assert_by_index(&store, &all, 3);
}

#[test]
fn switching_a_tenant_off_and_a_superuser_reads_no_other_user() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let [ada, bob] = populous(&store);
    for user in [&ada, &bob] {
        let promoted = UserChange {
            is_superuser: Some(true),
            ..UserChange::default()
        };
        store.update_user(user.id, &promoted, at(1)).unwrap().unwrap();
    }
    taken(&statements);
    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store
        .update_tenant(&TenantId::parse("acme").unwrap(), &off, at(2))
        .unwrap()
        .unwrap();
    let demoted = UserChange {
        is_superuser: Some(false),
        ..UserChange::default()
    };
    store.update_user(ada.id, &demoted, at(3)).unwrap().unwrap();
    let (special, rest): (Vec<_>, Vec<_>) = taken(&statements).into_iter().partition(|statement| {
        statement.contains("`is_superuser` AND") || statement.contains("`tenant_id` = ?) ORDER BY")
    });
    assert_by_index(&store, &rest, 7);
    // One sorts what it found; the other reads the whole of an index that has active superusers alone in it.
    assert_eq!(special.len(), 2, "{special:#?}");
    for (statement, index) in special.iter().zip(["users_by_tenant", "users_superusers"]) {
        let plan = plan(&store, statement);
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
    }
}
