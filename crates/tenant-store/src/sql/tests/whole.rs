//! Tenants as a whole: what of the schema is theirs, and what is left of them in the files.

use std::collections::BTreeSet;

use diesel::sql_query;
use diesel::sql_types::Text;
use tenantry_domain::Actor;

use super::*;
use crate::conformance::whole::{deactivate, emptied, filled};
use crate::owned::{MARKS, OWNED, Whose};
use crate::{ArchivedRecord, TenantArchiveStore, TenantEraseStore};

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables that a query names.
fn names(store: &SqlStore, query: &str) -> BTreeSet<String> {
    let rows: Vec<Name> = store.run(|conn| sql_query(query).load(conn)).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

fn listed(whose: &[Whose]) -> BTreeSet<String> {
    let meant = OWNED.into_iter().filter(|table| whose.contains(&table.whose));
    meant.map(|table| table.name.to_owned()).collect()
}

#[test]
fn every_table_with_a_tenants_rows_is_erased() {
    let (store, _folder) = migrated();
    let of_tenants = names(
        &store,
        "SELECT m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
         WHERE m.type = 'table' AND c.name = 'tenant_id'",
    );
    let mut erased = listed(&[Whose::Tenant, Whose::User]);
    erased.extend(MARKS.map(str::to_owned));
    assert_eq!(of_tenants, erased);
}

#[test]
fn every_table_with_a_users_rows_is_erased() {
    let (store, _folder) = migrated();
    let of_users = names(
        &store,
        "SELECT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f \
         WHERE m.type = 'table' AND f.\"table\" = 'users'",
    );
    let listed = listed(&[Whose::Tenant, Whose::User, Whose::OfUser]);
    assert!(of_users.is_subset(&listed), "{of_users:?}");
    let further = names(
        &store,
        "SELECT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f \
         WHERE m.type = 'table' AND f.\"table\" NOT IN ('tenants', 'users') AND f.on_delete <> 'CASCADE'",
    );
    assert!(
        further.is_subset(&listed),
        "what has no tenant goes with what it belongs to: {further:?}"
    );
}

#[test]
fn every_table_is_archived_or_left_out_for_a_reason() {
    let archived: BTreeSet<_> = OWNED
        .iter()
        .filter(|table| table.left_out.is_none_or(str::is_empty))
        .map(|table| table.name)
        .collect();
    let (store, _folder) = migrated();
    let (acme, _) = filled(&store, "acme", 1);
    let mut read = BTreeSet::new();
    let found = store.read_tenant(acme.id(), &mut |record| {
        let table = match record {
            ArchivedRecord::Tenant(_) => return std::ops::ControlFlow::Continue(()),
            ArchivedRecord::User(_) => "users",
            ArchivedRecord::Prompt(_) => "system_prompts",
            ArchivedRecord::Document(_) => "documents",
            ArchivedRecord::Segment { .. } => "document_segments",
            ArchivedRecord::Conversation(_) => "conversations",
            ArchivedRecord::Message { .. } => "messages",
            ArchivedRecord::Usage(_) => "usage_by_day",
            ArchivedRecord::ApiKey(_) => "api_keys",
            ArchivedRecord::IdentityProvider(_) => "identity_providers",
            ArchivedRecord::Identity(_) => "identities",
            ArchivedRecord::Audit(_) => "audit_log",
        };
        read.insert(table);
        std::ops::ControlFlow::Continue(())
    });
    assert!(found.unwrap());
    assert_eq!(read, archived);
}

/// How often `text` stands in the files of a folder.
fn times(folder: &Path, text: &str) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .map(|bytes| {
            bytes
                .windows(text.len())
                .filter(|part| *part == text.as_bytes())
                .count()
        })
        .sum()
}

#[test]
fn no_byte_of_an_erased_tenant_is_left_in_the_files() {
    let (store, folder) = migrated();
    let (acme, _) = filled(&store, "acme", 1);
    filled(&store, "globex", 101);
    let own = ["ada@acme.example.org", "acme"];
    let others = "ada@globex.example.org";
    for text in own.into_iter().chain([others]) {
        assert!(times(folder.path(), text) > 0, "{text}");
    }
    deactivate(&store, acme.id());
    emptied(&store, acme.id());
    store.finish_erasure(acme.id(), &Actor::system(), now()).unwrap();
    store.vacuum().unwrap();
    for text in own {
        assert_eq!(times(folder.path(), text), 0, "{text}");
    }
    assert!(times(folder.path(), others) > 0);
}

#[test]
fn a_reader_who_stays_keeps_the_log_from_being_emptied_and_is_told() {
    let (store, folder) = migrated();
    filled(&store, "acme", 1);
    let reader = open(folder.path(), PoolOptions::default());
    let mut conn = reader.acquire().unwrap();
    conn.batch_execute("BEGIN; SELECT count(*) FROM tenants").unwrap();
    assert!(matches!(store.vacuum(), Err(StoreError::Unavailable(_))));
    conn.batch_execute("COMMIT").unwrap();
    drop(conn);
    store.vacuum().unwrap();
}
