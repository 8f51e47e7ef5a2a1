use std::num::NonZeroU32;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use tenantry_domain::{Generation, TopK};
use tenantry_vector_client::conformance::{chunk, scope};
use tenantry_vector_client::{PgVectorOptions, VectorError, VectorQuery, VectorStore};

use crate::database::{Database, text};
use crate::{put, search, texts};

#[test]
fn a_store_heals_when_the_database_is_back() {
    let database = Database::create();
    let options = PgVectorOptions {
        acquire_timeout: Duration::from_millis(200),
        ..PgVectorOptions::default()
    };
    let store = database.store_with(None, options);
    let tenant = scope("a");
    put(&store, &tenant, 1, &[chunk(0, "apples", None)]);
    database.open_doors(false);
    let query = VectorQuery::words("apples", TopK::new(1).unwrap());
    let refused = store.search(tenant.index(Generation::FIRST), query);
    assert!(matches!(refused, Err(VectorError::Unavailable(_))), "{refused:?}");
    database.open_doors(true);
    // The pool tries a connection again after a pause of its own, which grows.
    let healed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        store.search(tenant.index(Generation::FIRST), query).is_ok()
    });
    assert!(healed);
    assert_eq!(texts(&search(&store, &tenant, "apples", None)), ["apples"]);
}

#[test]
fn a_call_that_finds_no_connection_free_is_told_to_come_again() {
    let database = Database::create();
    let options = PgVectorOptions {
        max_connections: NonZeroU32::MIN,
        acquire_timeout: Duration::from_millis(200),
        ..PgVectorOptions::default()
    };
    let store = database.store_with(None, options);
    let tenant = scope("a");
    put(&store, &tenant, 1, &[chunk(0, "apples", None)]);
    let mut other = database.connect();
    other
        .batch_execute("BEGIN; LOCK TABLE tenantry_vector_indexes IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    std::thread::scope(|threads| {
        let count = || store.count(tenant.index(Generation::FIRST));
        let waiting = threads.spawn(count);
        let free = |count: Result<u64, VectorError>| matches!(count, Err(VectorError::Unavailable(_)));
        // Whichever has the connection waits for the table until the limit of a lock, the other one for the connection.
        assert!(free(count()));
        other.batch_execute("ROLLBACK").unwrap();
        drop(waiting.join().unwrap());
    });
    assert_eq!(store.count(tenant.index(Generation::FIRST)).unwrap(), 1);
}

#[test]
fn every_session_has_its_limits() {
    let database = Database::create();
    let store = database.store();
    // Only the store's own session knows its settings: a trigger writes them into the row.
    let witness = "CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            NEW.metadata = to_jsonb(concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), \
                current_setting('idle_in_transaction_session_timeout'), current_setting('lc_messages'), current_user)); \
            RETURN NEW; END $$; \
        CREATE TRIGGER witness BEFORE INSERT ON tenantry_vector_versions FOR EACH ROW EXECUTE FUNCTION witness()";
    database.connect().batch_execute(witness).unwrap();
    put(&store, &scope("a"), 1, &[chunk(0, "apples", None)]);
    let written = text(
        &mut database.connect(),
        "SELECT metadata #>> '{}' FROM tenantry_vector_versions",
    );
    assert_eq!(written, "10s 3s 30s C tenantry_tenant");
}
