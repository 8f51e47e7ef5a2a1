use std::error::Error as _;

use diesel::connection::SimpleConnection;
use tenantry_domain::{Dimension, Generation};
use tenantry_vector_client::conformance::{chunk, scope, version};
use tenantry_vector_client::{PgVectorOptions, PgVectorStore, VectorError, VectorStore};

use crate::database::{Database, count};
use crate::{put, search, texts};

/// What the source of a refusal says.
fn refusal(opened: Result<PgVectorStore, VectorError>) -> String {
    match opened {
        Err(error @ VectorError::Refused(_)) => error.source().unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_servers_may_start_at_once() {
    let database = Database::create();
    std::thread::scope(|threads| {
        let opening: Vec<_> = (0..6).map(|_| threads.spawn(|| database.store())).collect();
        for store in opening {
            put(
                &store.join().unwrap(),
                &scope("a"),
                1,
                &[chunk(0, "apples", None)],
            );
        }
    });
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "tenantry_vector_schema WHERE version = 1"), 1);
    assert_eq!(count(&mut conn, "tenantry_vector_chunks"), 1);
}

#[test]
fn what_is_stored_is_there_after_opening_again() {
    let database = Database::create();
    put(
        &database.store(),
        &scope("a"),
        1,
        &[chunk(0, "apples", Some(&[1.0, 0.0]))],
    );
    assert_eq!(
        texts(&search(&database.store(), &scope("a"), "apples", None)),
        ["apples"]
    );
}

#[test]
fn tables_of_a_later_version_are_left_alone() {
    let database = Database::create();
    drop(database.store());
    let mut conn = database.connect();
    conn.batch_execute("UPDATE tenantry_vector_schema SET version = 99")
        .unwrap();
    let said = refusal(database.open(None, PgVectorOptions::default()));
    assert!(said.contains("99") && said.contains("later version"), "{said}");
}

#[test]
fn a_user_who_may_not_add_the_extension_is_told_what_to_do() {
    let database = Database::create();
    let user = format!("guest_of_{}", database.name());
    let mut conn = database.connect();
    conn.batch_execute(&format!("CREATE ROLE {user} LOGIN")).unwrap();
    let said = refusal(database.open(Some(&user), PgVectorOptions::default()));
    assert!(said.contains("CREATE EXTENSION vector"), "{said}");
    conn.batch_execute("CREATE EXTENSION vector; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        .unwrap();
    let said = refusal(database.open(Some(&user), PgVectorOptions::default()));
    assert!(said.contains("tables could not be made"), "{said}");
    conn.batch_execute(&format!("DROP ROLE {user}")).unwrap();
}

#[test]
fn an_old_extension_is_refused_with_what_to_do() {
    let database = Database::create();
    let mut conn = database.connect();
    // Not an old version, but what the catalog says of one.
    conn.batch_execute(
        "CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'",
    )
    .unwrap();
    let said = refusal(database.open(None, PgVectorOptions::default()));
    assert!(
        said.contains("0.7.4") && said.contains("ALTER EXTENSION vector UPDATE"),
        "{said}"
    );
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let opened = PgVectorStore::open("postgres://nobody@127.0.0.1:1/none", PgVectorOptions::default());
    let error = opened.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[test]
fn vectors_longer_than_the_type_are_refused_and_the_longest_are_kept() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let long = |length: usize| chunk(0, "long", Some(&vec![1.0; length]));
    let index = tenant.index(Generation::FIRST);
    let refused = store.upsert(
        index,
        version(1, 1),
        &tenantry_domain::Metadata::default(),
        &[long(16_001)],
    );
    let Err(VectorError::Refused(source)) = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("16000"), "{source}");
    assert_eq!(store.count(index).unwrap(), 0);
    put(&store, &tenant, 1, &[long(16_000)]);
    let wanted = tenantry_domain::Embedding::new(vec![1.0; 16_000]).unwrap();
    assert_eq!(wanted.dimension(), Dimension::new(16_000).unwrap());
    let found = search(&store, &tenant, "", Some(&wanted));
    assert!(found[0].score.dense.unwrap() > 0.999);
}

#[test]
fn the_password_is_not_told() {
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "SUPERUSER");
    let store = database.store_with(Some(&user), PgVectorOptions::default());
    assert!(!format!("{store:?}").contains("hunter2"));
    drop(store);
    database.take_from(&user);
}
