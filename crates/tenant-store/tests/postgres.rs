//! What holds on a PostgreSQL server, which `scripts/with-postgres` starts for the tests.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step fails the test")]

#[path = "postgres/audit.rs"]
mod audit;
#[path = "postgres/database.rs"]
mod database;
#[path = "postgres/erasure.rs"]
mod erasure;
#[path = "postgres/isolation.rs"]
mod isolation;
#[path = "postgres/migrations.rs"]
mod migrations;
#[path = "postgres/outages.rs"]
mod outages;
#[path = "postgres/plans.rs"]
mod plans;
#[path = "postgres/presented.rs"]
mod presented;
#[path = "postgres/sessions.rs"]
mod sessions;
#[path = "postgres/upgrade.rs"]
mod upgrade;

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use tenantry_domain::{
    Actor, ChatSettings, ContentHash, DocumentId, Email, Ingesters, JobId, Metadata, PineconeSettings, Role,
    SearchSettings, SourceId, Tenant, TenantId, TenantScope, Timestamp, User, UserId,
};
use tenantry_tenant_store::{SqlStore, Submission, TenantStore, UserStore};

use database::Database;

mod conformance {
    use super::*;

    tenantry_tenant_store::conformance_tests!(migrated());
}

/// A store on a database of its own, with its tables.
fn migrated() -> (SqlStore, Database) {
    let database = Database::create();
    let store = database.store();
    store.migrate().unwrap();
    (store, database)
}

fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap()
}

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).unwrap(),
        name: id.into(),
        pinecone: PineconeSettings::default(),
        system_prompt: None,
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

fn scope(store: &SqlStore, id: &str) -> TenantScope {
    store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    Arc::new(tenant(id)).activate(Actor::system()).unwrap()
}

fn submission(title: &str) -> Submission {
    Submission {
        source: SourceId::generate(now()),
        document: DocumentId::generate(now()),
        job: JobId::generate(now()),
        external_id: None,
        title: Some(title.into()),
        file_name: None,
        declared: None,
        metadata: Metadata::default(),
        hash: ContentHash::from_bytes([7; 32]),
        at: now(),
    }
}

#[test]
fn a_superuser_made_by_hand_is_one_at_once() {
    let (store, database) = migrated();
    let user = User {
        id: UserId::generate(now()),
        email: Email::parse("ada@example.org").unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: None,
        role: Role::default(),
        token_version: 0,
        created_at: now(),
        updated_at: now(),
    };
    store.create_user(&user, &Actor::system()).unwrap();
    let hand = "UPDATE users SET is_superuser = true WHERE email = 'ada@example.org'";
    database.connect().batch_execute(hand).unwrap();
    assert!(
        store
            .access(user.id, None, user.created_at)
            .unwrap()
            .unwrap()
            .user
            .is_superuser
    );
}

#[test]
fn a_row_written_by_hand_has_sensible_defaults() {
    let (store, database) = migrated();
    let hand = "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme'); \
        INSERT INTO users (id, email) VALUES ('00000000-0000-7000-8000-000000000000', 'ada@example.org')";
    database.connect().batch_execute(hand).unwrap();
    let tenant = store.tenant(&TenantId::parse("acme").unwrap()).unwrap().unwrap();
    assert!(tenant.is_active && tenant.created_at > now());
    let user = store
        .user_by_email(&Email::parse("Ada@Example.org").unwrap())
        .unwrap()
        .unwrap();
    assert!(user.is_active && !user.is_superuser && user.token_version == 0);
}

#[test]
fn what_a_hand_must_not_write_is_refused_by_the_database() {
    let (_store, database) = migrated();
    let mut hand = database.connect();
    hand.batch_execute("INSERT INTO users (id, email) VALUES ('x', 'ada@example.org')")
        .unwrap();
    for statement in [
        "INSERT INTO tenants (id, name) VALUES ('Acme', 'x')",
        "INSERT INTO tenants (id, name) VALUES ('', 'x')",
        "INSERT INTO tenants (id, name) VALUES ('-a', 'x')",
        "INSERT INTO users (id, email) VALUES ('y', 'Ada@example.org')",
        "UPDATE users SET tenant_id = 'nowhere'",
        "UPDATE users SET token_version = -1",
    ] {
        assert!(hand.batch_execute(statement).is_err(), "{statement}");
    }
}

#[test]
fn every_session_has_its_limits() {
    let (store, database) = migrated();
    // Only the store's own session knows its settings: a trigger writes them into the row.
    let witness = "CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            NEW.name = concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), \
                current_setting('idle_in_transaction_session_timeout'), current_setting('lc_messages'), \
                current_setting('application_name')); \
            RETURN NEW; END $$; \
        CREATE TRIGGER witness BEFORE INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION witness()";
    database.connect().batch_execute(witness).unwrap();
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let written = store.tenant(&TenantId::parse("acme").unwrap()).unwrap().unwrap();
    assert_eq!(written.name, "10s 3s 30s C tenantry");
}
