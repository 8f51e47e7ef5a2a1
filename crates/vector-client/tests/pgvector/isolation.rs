use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use tenantry_domain::Generation;
use tenantry_vector_client::conformance::{chunk, document, scope};
use tenantry_vector_client::{PgVectorOptions, PgVectorStore, VectorError, VectorStore};

use crate::database::{Database, count};
use crate::{put, search, texts};

const TABLES: [&str; 5] = ["indexes", "versions", "chunks", "postings", "embeddings"];

/// A store in which the tenants `a` and `b` have one chunk each, of the same document, version and ordinal.
fn two_tenants() -> (PgVectorStore, Database) {
    let database = Database::create();
    let store = database.store();
    store_two(&store);
    (store, database)
}

fn store_two(store: &PgVectorStore) {
    for id in ["a", "b"] {
        put(
            store,
            &scope(id),
            1,
            &[chunk(0, &format!("secret{id}"), Some(&[1.0, 0.0, 0.0]))],
        );
    }
}

/// Begins a transaction under the tenants' role, for `tenant` where one is named.
fn begin(conn: &mut PgConnection, tenant: Option<&str>) {
    conn.batch_execute("ROLLBACK; BEGIN; SET LOCAL ROLE tenantry_tenant")
        .unwrap();
    if let Some(tenant) = tenant {
        conn.batch_execute(&format!("SELECT set_config('app.tenant_id', '{tenant}', true)"))
            .unwrap();
    }
}

#[test]
fn raw_sql_without_a_tenant_sees_no_row() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in TABLES {
        let table = format!("tenantry_vector_{table}");
        assert!(
            count(&mut conn, &table) >= 2,
            "without the role a superuser sees all"
        );
        begin(&mut conn, None);
        assert_eq!(count(&mut conn, &table), 0, "{table}");
        begin(&mut conn, Some(""));
        assert_eq!(count(&mut conn, &table), 0, "{table}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn raw_sql_of_one_tenant_reads_none_of_anothers_rows() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    begin(&mut conn, Some("a"));
    for table in TABLES {
        let table = format!("tenantry_vector_{table}");
        for condition in [
            "tenant_id = 'b'",
            "tenant_id <> 'a'",
            "generation = 1 AND tenant_id > 'a'",
        ] {
            assert_eq!(
                count(&mut conn, &format!("{table} WHERE {condition}")),
                0,
                "{table}"
            );
        }
        let all = count(&mut conn, &format!("{table} WHERE true OR tenant_id = 'b'"));
        assert_eq!(
            all,
            count(&mut conn, &format!("{table} WHERE tenant_id = 'a'")),
            "{table}"
        );
    }
    let chunks = "tenantry_vector_chunks WHERE text = 'secretb' OR terms LIKE '%secretb%'";
    assert_eq!(count(&mut conn, chunks), 0);
    assert_eq!(
        count(&mut conn, "tenantry_vector_postings WHERE term = 'secretb'"),
        0
    );
    // The store's own statements, had they forgotten the tenant.
    let nearest =
        "(SELECT 1 FROM tenantry_vector_embeddings ORDER BY embedding <=> '[1,0,0]' LIMIT 9) AS nearest";
    assert_eq!(count(&mut conn, nearest), 1);
}

#[test]
fn raw_sql_of_one_tenant_writes_nothing_of_anothers() {
    let (store, database) = two_tenants();
    let mut conn = database.connect();
    for refused in [
        "INSERT INTO tenantry_vector_indexes (tenant_id, generation) VALUES ('b', 9)",
        "INSERT INTO tenantry_vector_versions (tenant_id, generation, document, version, metadata)
             VALUES ('b', 1, gen_random_uuid(), 1, '{}')",
        "INSERT INTO tenantry_vector_postings VALUES ('b', 1, 'x', 1, 1, 1, 1)",
        "INSERT INTO tenantry_vector_embeddings VALUES ('b', 1, 1, 1, 1, '[1]')",
        "UPDATE tenantry_vector_chunks SET tenant_id = 'b'",
    ] {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(refused).unwrap_err();
        assert!(error.to_string().contains("row-level security"), "{error}");
    }
    begin(&mut conn, Some("a"));
    for table in TABLES {
        for missed in [
            format!("UPDATE tenantry_vector_{table} SET generation = 7 WHERE tenant_id = 'b'"),
            format!("DELETE FROM tenantry_vector_{table} WHERE tenant_id = 'b'"),
        ] {
            let rows = diesel::sql_query(&missed).execute(&mut conn).unwrap();
            assert_eq!(rows, 0, "{missed}");
        }
        conn.batch_execute(&format!("DELETE FROM tenantry_vector_{table}"))
            .unwrap();
    }
    conn.batch_execute("COMMIT").unwrap();
    assert!(search(&store, &scope("a"), "secreta", None).is_empty());
    assert_eq!(texts(&search(&store, &scope("b"), "secretb", None)), ["secretb"]);
}

#[test]
fn the_tenants_role_knows_nothing_of_graphs_and_versions_of_tables() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in ["graphs", "schema"] {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(&format!("SELECT * FROM tenantry_vector_{table}"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{error}");
    }
}

#[test]
fn the_stores_own_work_runs_under_the_role() {
    let (store, database) = two_tenants();
    assert_eq!(store.unguarded_because(), None);
    let revoke = "REVOKE SELECT ON tenantry_vector_postings FROM tenantry_tenant";
    database.connect().batch_execute(revoke).unwrap();
    // A superuser would not notice that the role's right is gone.
    let index = scope("a");
    let query = tenantry_vector_client::VectorQuery::words("secreta", tenantry_domain::TopK::new(1).unwrap());
    let refused = store.search(index.index(Generation::FIRST), query);
    assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
}

#[test]
fn an_owner_who_may_not_take_the_role_is_bound_all_the_same() {
    drop(two_tenants()); // The role exists, and the owner below is no member of it.
    let database = Database::create();
    database
        .connect()
        .batch_execute("CREATE EXTENSION vector")
        .unwrap();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PgVectorOptions::default());
        assert_eq!(store.unguarded_because(), None);
        store_two(&store);
        let mut conn = PgConnection::establish(&database.url(Some(&user))).unwrap();
        assert!(conn.batch_execute("SET ROLE tenantry_tenant").is_err());
        assert_eq!(count(&mut conn, "tenantry_vector_chunks"), 0);
        assert_eq!(texts(&search(&store, &scope("a"), "secreta", None)), ["secreta"]);
        store
            .remove(scope("a").index(Generation::FIRST), document(1), None)
            .unwrap();
        assert_eq!(texts(&search(&store, &scope("b"), "secretb", None)), ["secretb"]);
    }
    database.take_from(&user);
}

#[test]
fn an_owner_who_may_make_roles_takes_the_tenants_role() {
    drop(two_tenants());
    let database = Database::create();
    database
        .connect()
        .batch_execute("CREATE EXTENSION vector")
        .unwrap();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "CREATEROLE");
    // From PostgreSQL 16 on only the role's maker may pass it on.
    database
        .connect()
        .batch_execute(&format!("GRANT tenantry_tenant TO {user}"))
        .unwrap();
    {
        let store = database.store_with(Some(&user), PgVectorOptions::default());
        assert_eq!(store.unguarded_because(), None);
        store_two(&store);
        let revoke = "REVOKE INSERT ON tenantry_vector_chunks FROM tenantry_tenant";
        database.connect().batch_execute(revoke).unwrap();
        let refused = store.upsert(
            scope("c").index(Generation::FIRST),
            tenantry_vector_client::conformance::version(1, 1),
            &tenantry_domain::Metadata::default(),
            &[chunk(0, "x", None)],
        );
        assert!(matches!(refused, Err(VectorError::Refused(_))), "{refused:?}");
    }
    database.take_from(&user);
}

#[test]
fn a_user_whom_nothing_binds_is_told_so() {
    drop(two_tenants());
    let database = Database::create();
    database
        .connect()
        .batch_execute("CREATE EXTENSION vector")
        .unwrap();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "BYPASSRLS");
    {
        let store = database.store_with(Some(&user), PgVectorOptions::default());
        let reason = store.unguarded_because().unwrap_or_default();
        assert!(
            reason.contains("tenantry_tenant") && reason.contains("bypasses"),
            "{reason}"
        );
        // The statements name their tenant all the same.
        store_two(&store);
        assert_eq!(
            texts(&search(&store, &scope("a"), "secreta secretb", None)),
            ["secreta"]
        );
    }
    database.take_from(&user);
}
