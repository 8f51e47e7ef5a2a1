use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_tenant_store::{MigrateError, StoreError};

use crate::database::Database;
use crate::migrated;

/// Tables, columns, constraints, indexes, policies and rights of a database, one a line.
fn schema(database: &Database) -> Vec<String> {
    const DUMP: &str = "line FROM ( \
        SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, collation_name, is_nullable, \
            column_default) AS line FROM information_schema.columns WHERE table_schema = 'public' \
        UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint \
            WHERE connamespace = 'public'::regnamespace \
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
        UNION ALL SELECT concat_ws(' ', relname, relrowsecurity, relforcerowsecurity, relacl) FROM pg_class \
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
        UNION ALL SELECT concat_ws(' ', tablename, policyname, cmd, qual, with_check) FROM pg_policies \
        UNION ALL SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname = 'public' \
    ) AS lines ORDER BY line";
    diesel::select(sql::<Text>(DUMP))
        .load(&mut database.connect())
        .unwrap()
}

#[test]
fn migrating_says_what_it_applied_and_the_second_time_nothing() {
    let database = Database::create();
    let store = database.store();
    assert_eq!(store.applied().unwrap(), [""; 0]);
    let pending = store.pending().unwrap();
    assert!(!pending.is_empty());
    assert_eq!(store.migrate().unwrap(), pending);
    assert_eq!(store.migrate().unwrap(), [""; 0]);
    assert_eq!(store.pending().unwrap(), [""; 0]);
    assert_eq!(store.applied().unwrap(), pending);
}

#[test]
fn asking_what_is_pending_changes_nothing() {
    let database = Database::create();
    let before = schema(&database);
    database.store().pending().unwrap();
    database.store().applied().unwrap();
    assert_eq!(schema(&database), before);
}

#[test]
fn of_five_that_start_at_once_one_migrates_and_all_go_on() {
    for _ in 0..3 {
        let database = Database::create();
        let known = database.store().pending().unwrap();
        let applied: Vec<_> = std::thread::scope(|threads| {
            let started: Vec<_> = (0..5)
                .map(|_| threads.spawn(|| database.store().migrate().unwrap()))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(
            applied.iter().filter(|names| !names.is_empty()).count(),
            1,
            "{applied:?}"
        );
        assert_eq!(applied.concat(), known);
    }
}

#[test]
fn up_down_and_up_again_ends_where_it_began() {
    let (store, database) = migrated();
    let before = schema(&database);
    assert!(
        before.iter().any(|line| line.starts_with("documents one_tenant")),
        "{before:#?}"
    );
    store.revert_all().unwrap();
    let between = schema(&database);
    assert!(
        between
            .iter()
            .all(|line| line.contains("__diesel_schema_migrations") || line.starts_with("public")),
        "{between:#?}"
    );
    assert_eq!(store.applied().unwrap(), [""; 0]);
    store.migrate().unwrap();
    assert_eq!(schema(&database), before);
}

#[test]
fn a_database_newer_than_the_program_is_left_alone() {
    let (store, database) = migrated();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    database.connect().batch_execute(newer).unwrap();
    for error in [store.migrate().unwrap_err(), store.pending().unwrap_err()] {
        assert!(
            matches!(&error, MigrateError::DatabaseNewer { version } if version == "29990101000000"),
            "{error:?}"
        );
    }
    assert_eq!(
        store.applied().unwrap().last().map(String::as_str),
        Some("29990101000000")
    );
}

#[test]
fn a_migration_that_fails_is_undone_and_can_be_tried_again() {
    let database = Database::create();
    let store = database.store();
    database
        .connect()
        .batch_execute("CREATE TABLE documents (id TEXT)")
        .unwrap();
    assert!(matches!(
        store.migrate(),
        Err(MigrateError::Store(StoreError::Failed(_)))
    ));
    database.connect().batch_execute("DROP TABLE documents").unwrap();
    let rest = store.pending().unwrap();
    assert!(
        rest.first().is_some_and(|name| name.ends_with("documents")),
        "{rest:?}"
    );
    assert_eq!(store.migrate().unwrap(), rest);
}

#[cfg(feature = "sqlite")]
#[test]
fn both_databases_have_the_same_columns() {
    use diesel::sqlite::SqliteConnection;
    use tenantry_tenant_store::{DatabaseUrl, PoolOptions, SqlStore};

    let (_store, database) = migrated();
    // Counted: PostgreSQL keeps the place of a column that was dropped.
    let columns = "concat_ws(' ', table_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), \
            column_name, is_nullable) \
        FROM information_schema.columns \
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'";
    let mut postgres: Vec<String> = diesel::select(sql::<Text>(columns))
        .load(&mut database.connect())
        .unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.db");
    let url = DatabaseUrl::parse(&format!("sqlite://{}", file.display())).unwrap();
    SqlStore::connect(&url, PoolOptions::default())
        .unwrap()
        .migrate()
        .unwrap();
    let columns = "tables.name || ' ' || (columns.cid + 1) || ' ' || columns.name || ' ' || \
            CASE columns.\"notnull\" WHEN 1 THEN 'NO' ELSE 'YES' END \
        FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
        WHERE tables.type = 'table' AND tables.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let mut sqlite: Vec<String> = diesel::select(sql::<Text>(columns)).load(&mut conn).unwrap();

    postgres.sort();
    sqlite.sort();
    assert_eq!(postgres, sqlite);
    assert!(postgres.len() > 30, "{postgres:?}");
}
