use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tempfile::TempDir;
use tenantry_domain::{Actor, ChatSettings, Email, Page, Role, Tenant, TenantId, Timestamp, User, UserId};

use super::*;
use crate::{TenantStore, UserFilter, UserStore};

mod account_plans;
mod accounts;
mod audit;
mod chat;
mod credentials;
mod plans;
mod settings;
mod turns;
mod upgrade;
mod whole;

mod conformance {
    use super::*;

    crate::conformance_tests!(migrated());
}

fn open(folder: &Path, options: PoolOptions) -> SqlStore {
    let url = DatabaseUrl::parse(&format!("sqlite://{}", folder.join("records.db").display())).unwrap();
    SqlStore::connect(&url, options).unwrap()
}

fn empty() -> (SqlStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(folder.path(), PoolOptions::default()), folder)
}

fn migrated() -> (SqlStore, TempDir) {
    let (store, folder) = empty();
    store.migrate().unwrap();
    (store, folder)
}

fn sql(store: &SqlStore, statements: &str) {
    store.run(|conn| conn.batch_execute(statements)).unwrap();
}

fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap()
}

fn user(email: &str) -> User {
    User {
        id: UserId::generate(now()),
        email: Email::parse(email).unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: None,
        role: Role::default(),
        token_version: 0,
        created_at: now(),
        updated_at: now(),
    }
}

fn known_names() -> Vec<String> {
    let (store, _folder) = empty();
    store.pending().unwrap()
}

#[test]
fn both_databases_have_the_same_migrations_and_each_can_be_undone() {
    let trees = ["sqlite", "postgres"].map(|database| {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(database);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(tree).unwrap() {
            let entry = entry.unwrap();
            for half in ["up.sql", "down.sql"] {
                assert!(
                    entry.path().join(half).is_file(),
                    "{} lacks {half}",
                    entry.path().display()
                );
            }
            names.push(entry.file_name().into_string().unwrap());
        }
        names.sort();
        names
    });
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0], known_names(), "built in");
}

#[test]
fn migrating_says_what_it_applied_and_the_second_time_nothing() {
    let (store, _folder) = empty();
    assert_eq!(store.applied().unwrap(), [""; 0]);
    let pending = store.pending().unwrap();
    assert_eq!(store.migrate().unwrap(), pending);
    assert_eq!(store.migrate().unwrap(), [""; 0]);
    assert_eq!(store.pending().unwrap(), [""; 0]);
    assert_eq!(store.applied().unwrap(), pending);
}

#[test]
fn asking_what_is_pending_changes_nothing() {
    let (store, _folder) = empty();
    store.pending().unwrap();
    store.applied().unwrap();
    let tables: i64 = store
        .run(|conn| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "(SELECT count(*) FROM sqlite_master)",
            ))
            .get_result(conn)
        })
        .unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn of_five_that_start_at_once_one_migrates_and_all_go_on() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let applied: Vec<_> = std::thread::scope(|threads| {
            let started: Vec<_> = (0..5)
                .map(|_| threads.spawn(|| open(folder.path(), PoolOptions::default()).migrate().unwrap()))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(
            applied.iter().filter(|names| !names.is_empty()).count(),
            1,
            "{applied:?}"
        );
        assert_eq!(applied.concat(), known_names());
    }
}

#[test]
fn up_down_and_up_again_ends_where_it_began() {
    let (store, _folder) = migrated();
    let schema = || -> Vec<String> {
        let dump = diesel::dsl::sql::<diesel::sql_types::Text>(
            "name || coalesce(sql, '') FROM sqlite_master ORDER BY 1",
        );
        store.run(|conn| diesel::select(dump.clone()).load(conn)).unwrap()
    };
    let before = schema();
    store.revert_all().unwrap();
    assert!(
        schema()
            .iter()
            .all(|object| object.contains("__diesel_schema_migrations")),
        "{:?}",
        schema()
    );
    assert_eq!(store.applied().unwrap(), [""; 0]);
    assert_eq!(store.migrate().unwrap(), known_names());
    assert_eq!(schema(), before);
}

#[test]
fn a_database_newer_than_the_program_is_left_alone() {
    let (store, _folder) = migrated();
    sql(
        &store,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')",
    );
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
fn a_migration_that_fails_leaves_nothing_behind() {
    let (store, _folder) = empty();
    sql(&store, "CREATE TABLE documents (id TEXT)");
    assert!(matches!(
        store.migrate(),
        Err(MigrateError::Store(StoreError::Failed(_)))
    ));
    assert_eq!(store.applied().unwrap(), [""; 0]);
    sql(&store, "DROP TABLE documents");
    assert_eq!(store.migrate().unwrap(), known_names());
}

#[test]
fn a_superuser_made_by_hand_is_one_at_once() {
    let (store, folder) = migrated();
    let user = user("ada@example.org");
    store.create_user(&user, &Actor::system()).unwrap();
    let mut hand = SqliteConnection::establish(folder.path().join("records.db").to_str().unwrap()).unwrap();
    hand.batch_execute("UPDATE users SET is_superuser = true WHERE email = 'ada@example.org'")
        .unwrap();
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
    let (store, _folder) = migrated();
    sql(
        &store,
        "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme'); \
         INSERT INTO users (id, email) VALUES ('00000000-0000-7000-8000-000000000000', 'ada@example.org')",
    );
    let tenant: Tenant = store.tenant(&TenantId::parse("acme").unwrap()).unwrap().unwrap();
    assert!(tenant.is_active && tenant.created_at > now());
    assert_eq!((tenant.chat, tenant.llm), (ChatSettings::default(), None));
    let user = store
        .user_by_email(&Email::parse("Ada@Example.org").unwrap())
        .unwrap()
        .unwrap();
    assert!(user.is_active && !user.is_superuser && user.token_version == 0);
    assert_eq!(user.role, Role::Member);
}

#[test]
fn what_a_hand_must_not_write_is_refused_by_the_database() {
    let (store, _folder) = migrated();
    store
        .create_user(&user("ada@example.org"), &Actor::system())
        .unwrap();
    for statement in [
        "INSERT INTO tenants (id, name) VALUES ('Acme', 'x')",
        "INSERT INTO tenants (id, name) VALUES ('', 'x')",
        "INSERT INTO tenants (id, name) VALUES ('-a', 'x')",
        "INSERT INTO users (id, email) VALUES ('x', 'Ada@example.org')",
        "UPDATE users SET is_superuser = 'yes'",
        "UPDATE users SET tenant_id = 'nowhere'",
        "UPDATE users SET token_version = -1",
        "UPDATE users SET role = 'owner'",
        "INSERT INTO tenants (id, name, llm_api_key) VALUES ('a', 'x', 'v1.a.b')",
    ] {
        assert!(
            store.run(|conn| conn.batch_execute(statement)).is_err(),
            "{statement}"
        );
    }
}

#[test]
fn a_row_that_cannot_be_read_is_a_failure_that_names_the_table() {
    let (store, _folder) = migrated();
    sql(
        &store,
        "INSERT INTO users (id, email) VALUES ('not a uuid', 'ada@example.org')",
    );
    let error = store.users(&UserFilter::default(), Page::default()).unwrap_err();
    let StoreError::Failed(cause) = error else {
        panic!("{error:?}")
    };
    assert_eq!(cause.to_string(), "a row of users cannot be read");
}

#[test]
fn every_connection_of_the_pool_has_the_settings() {
    let (store, _folder) = empty();
    let (mut one, mut two) = (store.acquire().unwrap(), store.acquire().unwrap());
    for conn in [&mut *one, &mut *two] {
        for (pragma, wanted) in [
            ("busy_timeout", "5000"),
            ("foreign_keys", "1"),
            ("synchronous", "1"),
            ("journal_mode", "wal"),
        ] {
            let query = format!(
                "(SELECT CAST({column} AS TEXT) FROM pragma_{pragma})",
                column = match pragma {
                    "busy_timeout" => "timeout",
                    other => other,
                }
            );
            let found: String = diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(&query))
                .get_result(conn)
                .unwrap();
            assert_eq!(found, wanted, "{pragma}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_store, folder) = migrated();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{}",
            entry.path().display()
        );
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_unavailable_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(&format!("sqlite://{}/none/x.db", folder.path().display())).unwrap();
    // A store that tried until the timeout would hang the test.
    let options = PoolOptions {
        acquire_timeout: Duration::from_hours(24),
        ..PoolOptions::default()
    };
    assert!(matches!(
        SqlStore::connect(&url, options),
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_store_without_a_free_connection_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let options = PoolOptions {
        max_size: std::num::NonZeroU32::MIN,
        acquire_timeout: Duration::ZERO,
    };
    let store = open(folder.path(), options);
    let held = std::iter::repeat_with(|| store.acquire())
        .take(1_000)
        .find_map(Result::ok)
        .expect("one connection");
    assert!(matches!(store.ping(), Err(StoreError::Unavailable(_))));
    drop(held);
    store.ping().unwrap();
}

#[test]
fn a_locked_database_is_unavailable() {
    let (store, _folder) = migrated();
    let (mut one, mut two) = (store.acquire().unwrap(), store.acquire().unwrap());
    one.batch_execute("BEGIN IMMEDIATE").unwrap();
    two.batch_execute("PRAGMA busy_timeout = 0").unwrap();
    let error = two
        .batch_execute("UPDATE users SET is_active = true")
        .unwrap_err();
    assert!(matches!(store_error(error), StoreError::Unavailable(_)));
}

#[test]
fn a_store_opens_while_somebody_else_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SqliteConnection::establish(folder.path().join("records.db").to_str().unwrap()).unwrap();
    writer
        .batch_execute("CREATE TABLE by_hand (x); BEGIN IMMEDIATE")
        .unwrap();
    std::thread::scope(|threads| {
        let opening = threads.spawn(|| open(folder.path(), PoolOptions::default()));
        // Long enough for the first attempt to be refused.
        std::thread::sleep(Duration::from_millis(200));
        assert!(!opening.is_finished());
        writer.batch_execute("COMMIT").unwrap();
        opening.join().unwrap().ping().unwrap();
    });
}

#[test]
fn sqlite_says_that_it_has_no_row_level_security() {
    let (store, _folder) = migrated();
    assert_eq!(store.isolation().unwrap(), Isolation::Unsupported);
    let (empty, _folder) = empty();
    assert!(matches!(empty.isolation(), Err(StoreError::Failed(_))));
}
