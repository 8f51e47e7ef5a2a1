use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_tenant_store::{DocumentStore, Isolation, PoolOptions, SqlStore, StoreError};

use crate::database::Database;
use crate::{document, migrated, scope};

/// A store with one document of each of the tenants `a` and `b`.
fn two_tenants() -> (SqlStore, Database) {
    let (store, database) = migrated();
    store_two(&store);
    (store, database)
}

fn store_two(store: &SqlStore) {
    for id in ["a", "b"] {
        let scope = scope(store, id);
        store.create_document(&scope, &document(id)).unwrap();
    }
}

/// Begins a transaction under the tenants' role, for `tenant` where one is named.
fn begin(conn: &mut PgConnection, tenant: Option<&str>) {
    conn.batch_execute("BEGIN; SET LOCAL ROLE tenantry_tenant")
        .unwrap();
    if let Some(tenant) = tenant {
        conn.batch_execute(&format!("SELECT set_config('app.tenant_id', '{tenant}', true)"))
            .unwrap();
    }
}

fn count(conn: &mut PgConnection, from: &str) -> i64 {
    diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {from})")))
        .get_result(conn)
        .unwrap()
}

const INSERT_INTO_B: &str = "INSERT INTO documents (tenant_id, id, title, media_type, characters, text) \
    VALUES ('b', 'x', 'x', 'text/plain', 1, 'x')";

#[test]
fn raw_sql_of_one_tenant_sees_none_of_anothers_rows() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    assert_eq!(
        count(&mut conn, "documents"),
        2,
        "without the role a superuser sees all"
    );
    begin(&mut conn, Some("a"));
    assert_eq!(count(&mut conn, "documents"), 1);
    assert_eq!(count(&mut conn, "documents WHERE tenant_id = 'b'"), 0);
    assert_eq!(count(&mut conn, "documents WHERE title = 'a'"), 1);
}

#[test]
fn raw_sql_without_a_tenant_sees_no_row() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    begin(&mut conn, None);
    assert_eq!(count(&mut conn, "documents"), 0);
    conn.batch_execute("ROLLBACK").unwrap();
    // After a transaction that had the setting, PostgreSQL leaves it empty instead of absent.
    begin(&mut conn, Some("a"));
    assert_eq!(count(&mut conn, "documents"), 1);
    conn.batch_execute("COMMIT").unwrap();
    begin(&mut conn, None);
    assert_eq!(count(&mut conn, "documents"), 0);
}

#[test]
fn raw_sql_of_one_tenant_writes_nothing_of_anothers() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for refused in [INSERT_INTO_B, "UPDATE documents SET tenant_id = 'b'"] {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(refused).unwrap_err();
        assert!(error.to_string().contains("row-level security"), "{error}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
    begin(&mut conn, Some("a"));
    for missed in [
        "UPDATE documents SET title = 'x' WHERE tenant_id = 'b'",
        "DELETE FROM documents WHERE tenant_id = 'b'",
    ] {
        assert_eq!(
            diesel::sql_query(missed).execute(&mut conn).unwrap(),
            0,
            "{missed}"
        );
    }
    conn.batch_execute("COMMIT").unwrap();
    assert_eq!(count(&mut conn, "documents WHERE tenant_id = title"), 2);
}

#[test]
fn the_tenants_role_reaches_no_other_table() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in ["tenants", "users", "crypto_state", "__diesel_schema_migrations"] {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(&format!("SELECT * FROM {table}")).unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn the_stores_own_tenant_work_runs_under_the_role() {
    let (store, database) = migrated();
    let scope = scope(&store, "a");
    let document = document("a");
    store.create_document(&scope, &document).unwrap();
    assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
    // A superuser would not notice that the role's right is gone.
    database
        .connect()
        .batch_execute("REVOKE SELECT ON documents FROM tenantry_tenant")
        .unwrap();
    assert!(matches!(
        store.document(&scope, document.id),
        Err(StoreError::Failed(_))
    ));
    database
        .connect()
        .batch_execute("GRANT SELECT ON documents TO tenantry_tenant")
        .unwrap();
    assert!(store.document(&scope, document.id).unwrap().is_some());
}

#[test]
fn an_owner_who_may_not_take_the_role_is_bound_all_the_same() {
    drop(migrated()); // The role exists, and the owner below is no member of it.
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
        store_two(&store);
        let mut conn = database.connect_as(&user);
        assert!(conn.batch_execute("SET ROLE tenantry_tenant").is_err());
        assert_eq!(count(&mut conn, "documents"), 0);
        conn.batch_execute("BEGIN; SELECT set_config('app.tenant_id', 'a', true)")
            .unwrap();
        assert_eq!(count(&mut conn, "documents"), 1);
        assert!(conn.batch_execute(INSERT_INTO_B).is_err());
    }
    database.take_from(&user);
}

#[test]
fn an_owner_who_may_make_roles_takes_the_tenants_role() {
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "CREATEROLE");
    {
        // The role may stand since another test; from PostgreSQL 16 on only its maker may pass it on.
        database
            .connect()
            .batch_execute(&format!("GRANT tenantry_tenant TO {user}"))
            .ok();
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
        database
            .connect_as(&user)
            .batch_execute("SET ROLE tenantry_tenant")
            .unwrap();
        let mut conn = database.connect();
        conn.batch_execute("REVOKE SELECT ON documents FROM tenantry_tenant")
            .unwrap();
        let scope = scope(&store, "a");
        assert!(matches!(
            store.document(&scope, document("a").id),
            Err(StoreError::Failed(_))
        ));
    }
    database.take_from(&user);
}

#[test]
fn a_user_whom_nothing_binds_is_told_so() {
    drop(migrated());
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "BYPASSRLS");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        let isolation = store.isolation().unwrap();
        let Isolation::NotEnforced { reason } = isolation else {
            panic!("{isolation:?}")
        };
        assert!(
            reason.contains("tenantry_tenant") && reason.contains("bypasses"),
            "{reason}"
        );
        store_two(&store);
    }
    database.take_from(&user);
}

#[test]
fn isolation_is_not_known_before_there_are_tables() {
    let database = Database::create();
    let store = database.store();
    assert!(matches!(store.isolation(), Err(StoreError::Failed(_))));
    store.migrate().unwrap();
    assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
}
