use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_domain::{Actor, LoginMethod, Session, SessionId, Timestamp, TokenHash, UserId};
use tenantry_tenant_store::{NewSession, SessionStore};

use crate::{migrated, now};

#[test]
fn a_log_in_removes_sessions_that_are_over_and_waits_for_nobody() {
    let (store, database) = migrated();
    let ada = UserId::generate(now());
    let mut hand = database.connect();
    hand.batch_execute(&format!(
        "INSERT INTO users (id, email) VALUES ('{ada}', 'ada@example.org'), ('gone', 'gone@example.org'); \
         INSERT INTO sessions (id, user_id, token_version, method, created_at, used_at, expires_at) \
             SELECT name, 'gone', 0, 'password', 0, 0, 0 FROM unnest(ARRAY['held', 'over']) AS name; \
         INSERT INTO refresh_tokens (hash, session_id) SELECT sha256(id::BYTEA), id FROM sessions"
    ))
    .unwrap();
    hand.batch_execute("BEGIN; SELECT id FROM sessions WHERE id = 'held' FOR UPDATE")
        .unwrap();
    let day = 86_400_000_000;
    let session = Session {
        id: SessionId::generate(now()),
        user: ada,
        method: LoginMethod::Password,
        client: None,
        address: None,
        created_at: now(),
        used_at: now(),
        expires_at: Timestamp::from_unix_micros(now().unix_micros() + day).unwrap(),
    };
    let new = NewSession {
        session,
        refresh: TokenHash::from_bytes([1; 32]),
        token_version: 0,
        rehash: None,
    };
    assert!(store.begin_session(&new, &Actor::system()).unwrap());
    let left = "session_id FROM refresh_tokens ORDER BY session_id COLLATE \"C\"";
    let left: Vec<String> = diesel::select(sql::<Text>(left)).load(&mut hand).unwrap();
    assert_eq!(left, [new.session.id.to_string(), "held".into()]);
}
