use std::net::TcpListener;
use std::num::NonZeroU32;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::TenantId;
use tenantry_tenant_store::{DatabaseUrl, PoolOptions, SqlStore, StoreError, TenantStore};

use crate::database::{Database, pause};
use crate::migrated;

fn acme() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn one_connection() -> PoolOptions {
    PoolOptions {
        max_size: NonZeroU32::MIN,
        acquire_timeout: Duration::from_millis(500),
    }
}

/// Waits until the store's statement waits for a lock that `holder` holds.
fn wait_until_blocked(holder: &mut PgConnection) {
    let waiting = "(SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while diesel::select(sql::<BigInt>(waiting))
        .get_result::<i64>(holder)
        .unwrap()
        == 0
    {
        pause();
    }
}

#[test]
fn a_connection_killed_while_idle_is_replaced_unseen() {
    let (_, database) = migrated();
    let store = database.store_with(None, one_connection());
    for _ in 0..3 {
        assert_eq!(store.tenant(&acme()).unwrap(), None);
        database.kill_connections();
    }
    store.ping().unwrap();
}

#[test]
fn a_connection_killed_at_work_is_unavailable_and_then_replaced() {
    let (_, database) = migrated();
    let store = database.store_with(None, one_connection());
    let mut holder = database.connect();
    holder.batch_execute("BEGIN; LOCK TABLE tenants").unwrap();
    std::thread::scope(|threads| {
        let call = threads.spawn(|| store.tenant(&acme()));
        wait_until_blocked(&mut holder);
        // The holder stays, so that the statement cannot end otherwise.
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        holder.batch_execute(kill).unwrap();
        assert!(matches!(call.join().unwrap(), Err(StoreError::Unavailable(_))));
    });
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(store.tenant(&acme()).unwrap(), None);
}

#[test]
fn a_statement_that_waits_too_long_for_a_lock_is_unavailable() {
    let (store, database) = migrated();
    let mut holder = database.connect();
    holder.batch_execute("BEGIN; LOCK TABLE tenants").unwrap();
    assert!(matches!(store.tenant(&acme()), Err(StoreError::Unavailable(_))));
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(store.tenant(&acme()).unwrap(), None);
}

#[test]
fn a_database_that_went_away_is_unavailable_and_service_returns_by_itself() {
    let (_, database) = migrated();
    let store = database.store_with(None, one_connection());
    assert_eq!(store.tenant(&acme()).unwrap(), None);
    database.open(false);
    for _ in 0..3 {
        assert!(matches!(store.tenant(&acme()), Err(StoreError::Unavailable(_))));
    }
    database.open(true);
    // The pool tries again by itself, at intervals no longer than the acquire timeout.
    assert!((0..20).any(|_| store.tenant(&acme()).is_ok()));
}

#[test]
fn a_refused_connection_is_unavailable_at_once() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = DatabaseUrl::parse(&format!("postgres://ada:hunter2@127.0.0.1:{port}/tenantry")).unwrap();
    // A store that tried until the timeout would hang the test.
    let options = PoolOptions {
        acquire_timeout: Duration::from_hours(24),
        ..PoolOptions::default()
    };
    let error = SqlStore::connect(&url, options).unwrap_err();
    let StoreError::Unavailable(cause) = &error else {
        panic!("{error:?}")
    };
    let told = format!("{error} {error:?} {cause}");
    assert!(told.contains("127.0.0.1") && !told.contains("hunter2"), "{told}");
}

#[test]
fn a_server_that_does_not_answer_is_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada:hunter2@{}/tenantry", silent.local_addr().unwrap());
    let connected = SqlStore::connect(&DatabaseUrl::parse(&url).unwrap(), PoolOptions::default());
    assert!(matches!(connected, Err(StoreError::Unavailable(_))));
}

#[test]
fn a_wrong_login_is_told_without_the_password() {
    let database = Database::create();
    let user = format!("nobody_of_{}", database.name());
    let url = database.url_as(&user);
    let error = SqlStore::connect(&DatabaseUrl::parse(&url).unwrap(), PoolOptions::default()).unwrap_err();
    let StoreError::Unavailable(cause) = &error else {
        panic!("{error:?}")
    };
    let told = format!("{error} {error:?} {cause}");
    assert!(told.contains(&user) && !told.contains("hunter2"), "{told}");
}
