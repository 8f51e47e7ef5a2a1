use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{Actor, AuditAction, AuditEvent, Email, Page, Role, User, UserId};
use tenantry_tenant_store::{
    AuditFilter, AuditLog, AuditStore, Isolation, PoolOptions, SqlStore, StoreError, TenantChange,
    TenantStore, UserStore,
};

use crate::database::Database;
use crate::{migrated, now, tenant};

const TABLES: [&str; 2] = ["audit_log", "audit_heads"];

/// A store with an entry in the log of each of the tenants `a` and `b` and of the platform.
fn three_logs() -> (SqlStore, Database) {
    let (store, database) = migrated();
    enter_three(&store);
    (store, database)
}

fn enter_three(store: &SqlStore) {
    for id in ["a", "b"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let event = AuditEvent::new(AuditAction::LoginFailed);
    store
        .record(&AuditLog::Platform, &Actor::system(), &event, now())
        .unwrap();
}

fn count(conn: &mut PgConnection, from: &str) -> i64 {
    diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {from})")))
        .get_result(conn)
        .unwrap()
}

/// Begins a transaction with these settings, under the tenants' role or not.
fn begin(conn: &mut PgConnection, role: bool, settings: &[(&str, &str)]) {
    conn.batch_execute("BEGIN").unwrap();
    if role {
        conn.batch_execute("SET LOCAL ROLE tenantry_tenant").unwrap();
    }
    for (name, value) in settings {
        conn.batch_execute(&format!("SELECT set_config('app.{name}', '{value}', true)"))
            .unwrap();
    }
}

fn rollback(conn: &mut PgConnection) {
    conn.batch_execute("ROLLBACK").unwrap();
}

fn changed(conn: &mut PgConnection, statement: &str) -> usize {
    diesel::sql_query(statement).execute(conn).unwrap()
}

fn insert_into(log: &str) -> String {
    format!(
        "INSERT INTO audit_log (tenant_id, number, done_at, actor_kind, action, details, previous_hash, hash) \
         VALUES ('{log}', 99, 0, 'system', 'login.failed', '{{}}', '', '')"
    )
}

#[test]
fn one_tenants_transaction_sees_its_own_log_alone() {
    let (_store, database) = three_logs();
    let mut conn = database.connect();
    for table in TABLES {
        assert_eq!(count(&mut conn, table), 3, "{table}: a superuser sees all");
        for log in ["a", "b", "-"] {
            begin(&mut conn, true, &[("tenant_id", log)]);
            assert_eq!(count(&mut conn, table), 1, "{table}");
            assert_eq!(count(&mut conn, &format!("{table} WHERE tenant_id = '{log}'")), 1);
            rollback(&mut conn);
        }
        for settings in [&[][..], &[("operator", "audit")], &[("operator", "erase")]] {
            begin(&mut conn, true, settings);
            assert_eq!(count(&mut conn, table), 0, "{table} {settings:?}");
            rollback(&mut conn);
        }
    }
}

#[test]
fn the_tenants_role_adds_to_its_own_log_and_changes_nothing() {
    let (_store, database) = three_logs();
    let mut conn = database.connect();
    for log in ["b", "-"] {
        begin(&mut conn, true, &[("tenant_id", "a")]);
        let error = conn.batch_execute(&insert_into(log)).unwrap_err().to_string();
        assert!(error.contains("row-level security"), "{error}");
        rollback(&mut conn);
    }
    for refused in [
        "UPDATE audit_log SET done_at = 1",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
    ] {
        begin(&mut conn, true, &[("tenant_id", "a"), ("operator", "erase")]);
        let error = conn.batch_execute(refused).unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{refused}: {error}");
        rollback(&mut conn);
    }
    begin(&mut conn, true, &[("tenant_id", "a")]);
    assert_eq!(changed(&mut conn, &insert_into("a")), 1);
    assert_eq!(changed(&mut conn, "UPDATE audit_heads SET number = 7"), 1);
    conn.batch_execute("COMMIT").unwrap();
    assert_eq!(count(&mut conn, "audit_heads WHERE number = 7"), 1);
}

#[test]
fn the_tables_owner_changes_no_entry_either() {
    drop(migrated()); // The role exists, and the owner below is no member of it.
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
        enter_three(&store);
        let all = store.audit(&AuditFilter::default(), Page::default()).unwrap();
        assert_eq!((all.items.len(), all.total), (3, 3));
        assert_eq!(store.audit_logs().unwrap().len(), 3);

        let mut conn = database.connect_as(&user);
        for table in TABLES {
            assert_eq!(count(&mut conn, table), 0, "{table}");
        }
        for settings in [
            &[("tenant_id", "a")][..],
            &[("operator", "audit")],
            &[("operator", "audit"), ("tenant_id", "a")],
        ] {
            begin(&mut conn, false, settings);
            for statement in ["UPDATE audit_log SET done_at = 1", "DELETE FROM audit_log"] {
                assert_eq!(changed(&mut conn, statement), 0, "{settings:?}: {statement}");
            }
            rollback(&mut conn);
        }
        begin(&mut conn, false, &[("operator", "audit")]);
        for table in TABLES {
            assert_eq!(count(&mut conn, table), 3, "{table}");
        }
        assert_eq!(changed(&mut conn, "UPDATE audit_heads SET number = 7"), 0);
        rollback(&mut conn);
    }
    database.take_from(&user);
}

#[test]
fn the_operator_erases_one_tenants_log_and_never_the_platforms() {
    drop(migrated());
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        enter_three(&store);
        let mut conn = database.connect_as(&user);
        for log in ["-", ""] {
            begin(&mut conn, false, &[("operator", "erase"), ("tenant_id", log)]);
            assert_eq!(changed(&mut conn, "DELETE FROM audit_log"), 0, "{log}");
            rollback(&mut conn);
        }
        begin(&mut conn, false, &[("operator", "erase"), ("tenant_id", "a")]);
        assert_eq!(changed(&mut conn, "DELETE FROM audit_log"), 1);
        conn.batch_execute("COMMIT").unwrap();
        let all = store.audit(&AuditFilter::default(), Page::default()).unwrap();
        assert_eq!(all.total, 2);
    }
    database.take_from(&user);
}

#[test]
fn what_is_done_is_entered_under_the_role_or_not_done() {
    let (store, database) = three_logs();
    assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
    let mut hand = database.connect();
    // A superuser would not notice that the role's right is gone.
    hand.batch_execute("REVOKE INSERT ON audit_log FROM tenantry_tenant")
        .unwrap();
    let ada = User {
        id: UserId::generate(now()),
        email: Email::parse("ada@example.org").unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: Some(tenant("a").id),
        role: Role::default(),
        token_version: 0,
        created_at: now(),
        updated_at: now(),
    };
    let refused = store.create_user(&ada, &Actor::system());
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.user(ada.id).unwrap(), None);
    let change = TenantChange {
        name: Some("changed".into()),
        ..TenantChange::default()
    };
    let refused = store.update_tenant(&tenant("a").id, &change, now());
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.tenant(&tenant("a").id).unwrap().unwrap().name, "a");
    hand.batch_execute("GRANT INSERT ON audit_log TO tenantry_tenant")
        .unwrap();
    store.create_user(&ada, &Actor::system()).unwrap();
    let log = AuditLog::Tenant(tenant("a").id);
    assert_eq!(store.audit_head(&log).unwrap().number, 2);
    // Without the right the store would not take the role in the first place.
    hand.batch_execute("REVOKE INSERT ON audit_log FROM tenantry_tenant")
        .unwrap();
    let isolation = database.store().isolation().unwrap();
    assert!(
        matches!(isolation, Isolation::NotEnforced { .. }),
        "{isolation:?}"
    );
}
