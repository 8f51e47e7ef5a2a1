//! What is left of an erased tenant in the database, as a dump shows it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use tenantry_domain::{Actor, Email, User, UserId};
use tenantry_tenant_store::{
    DocumentStore, PoolOptions, SqlStore, TenantChange, TenantEraseStore, TenantStore, UserStore,
};

use super::{Database, migrated, now, scope, submission};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of every table, as a superuser, whom no policy binds, sees them.
fn dump(database: &Database) -> String {
    let mut conn = database.connect();
    let tables: Vec<Line> = sql_query(
        "SELECT quote_ident(table_name) AS line FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
    )
    .load(&mut conn)
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let rows: Vec<Line> = sql_query(format!("SELECT t::text AS line FROM {} AS t", table.line))
            .load(&mut conn)
            .unwrap();
        for row in rows {
            all += &row.line;
            all.push('\n');
        }
    }
    all
}

fn fill(store: &SqlStore, id: &str, marker: &str) {
    let scope = scope(store, id);
    let user = User {
        id: UserId::generate(now()),
        email: Email::parse(&format!("{marker}@example.org")).unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: Some(scope.id().clone()),
        role: tenantry_domain::Role::default(),
        token_version: 0,
        created_at: now(),
        updated_at: now(),
    };
    store.create_user(&user, &Actor::system()).unwrap();
    let mut file = submission(marker);
    file.hash = tenantry_domain::ContentHash::from_bytes([marker.bytes().next().unwrap(); 32]);
    store.submit(&scope, &file).unwrap();
}

fn erase(store: &SqlStore, id: &str) {
    let id = tenantry_domain::TenantId::parse(id).unwrap();
    let change = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(&id, &change, now()).unwrap();
    while store.erase_some(&id, 2).unwrap() > 0 {}
    store
        .finish_erasure(&id, &Actor::system(), now())
        .unwrap()
        .unwrap();
    store.vacuum().unwrap();
}

fn check(store: &SqlStore, database: &Database) {
    fill(store, "acme", "xylophone");
    fill(store, "globex", "zeppelin");
    let before = dump(database);
    assert!(before.contains("xylophone") && before.contains("zeppelin") && before.contains("acme"));
    erase(store, "acme");
    let after = dump(database);
    assert!(!after.contains("xylophone") && !after.contains("acme"), "{after}");
    assert!(after.contains("zeppelin"));
}

#[test]
fn no_row_of_an_erased_tenant_is_left() {
    let (store, database) = migrated();
    check(&store, &database);
}

#[test]
fn an_owner_whom_policies_bind_erases_as_well() {
    let database = Database::create();
    let owner = format!("owner_{}", database.name());
    database.give_to(&owner, "");
    let store = database.store_with(Some(&owner), PoolOptions::default());
    store.migrate().unwrap();
    check(&store, &database);
    drop(store);
    database.take_from(&owner);
}

#[test]
fn a_session_has_its_limits_again_after_a_vacuum() {
    let (store, database) = migrated();
    store.vacuum().unwrap();
    let sleep = "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            NEW.name = current_setting('statement_timeout'); RETURN NEW; END $$; \
        CREATE TRIGGER pause BEFORE INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION pause();";
    database.connect().batch_execute(sleep).unwrap();
    let acme = scope(&store, "acme");
    assert_eq!(store.tenant(acme.id()).unwrap().unwrap().name, "10s");
}
