//! Every operation of `/openapi.json` with every kind of credential, against the real binary: on SQLite always, on PostgreSQL with
//! the feature `postgres-tests` and `TEST_DATABASE_URL`. What is seen is what `docs/access.md` shows.
#![cfg(test)]

mod operations;
mod people;
mod table;
mod walkthrough;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::operations::Operation;
use crate::people::{Kind, Town};
use crate::table::{Outcome, Table};
use crate::walkthrough::{client, database, house, server};

/// The longest that anything here is waited for. Nothing takes that long unless it hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// The workspace's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Asks `done` again and again until it gives something.
#[track_caller]
fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sqlite_lets_in_whom_the_table_says() {
    everybody_is_let_in_as_the_table_says(&database::Database::sqlite());
}

#[cfg(feature = "postgres-tests")]
#[test]
fn postgres_lets_in_whom_the_table_says() {
    everybody_is_let_in_as_the_table_says(&database::Database::postgres());
}

/// Runs the whole table, for each of two tenants.
fn everybody_is_let_in_as_the_table_says(database: &database::Database) {
    let town = Town::open(database);
    let mut operations = operations::all(&town.nobody());
    // Then those that end the caller's sessions, and last those that count failed log-ins, which slows real ones down.
    operations.sort_by_key(|operation| (operation.access == "public", operation.ends_sessions()));
    members_ingest_where_the_tenant_says_so(&town, &operations);
    let mut table = Table::default();
    for operation in &operations {
        for kind in Kind::ALL {
            let expected = table::expected(&operation.access, kind);
            let mut seen = Vec::new();
            for tenant in Town::TENANTS {
                let caller = town.caller(kind, tenant, operation.ends_sessions());
                seen.push(Outcome::of(&operation.send(&caller, None), &operation.access));
            }
            assert!(
                seen.iter().all(|outcome| *outcome == expected),
                "{operation} as {kind:?}: {seen:?}, and {expected:?} was expected"
            );
            table.note(operation, expected);
        }
        what_is_anothers_is_not_there(&town, operation);
    }
    table.is_what_the_page_shows();
}

/// An operation that is about one thing of the first tenant finds nothing for anybody of the second.
fn what_is_anothers_is_not_there(town: &Town, operation: &Operation) {
    let Some(id) = town.thing(operation) else {
        return;
    };
    for kind in Kind::ALL {
        if table::expected(&operation.access, kind) == Outcome::LetIn && kind.has_a_tenant() {
            let caller = town.caller(kind, Town::TENANTS[1], operation.ends_sessions());
            let answer = operation.send(&caller, Some(id));
            assert_eq!(answer.status, 404, "{operation} as {kind:?}: {answer:?}");
        }
    }
}

fn members_ingest_where_the_tenant_says_so(town: &Town, operations: &[Operation]) {
    let tenant = Town::TENANTS[0];
    let admin = town.caller(Kind::Admin, tenant, false);
    let settings = json!({ "ingesters": "admins" });
    admin.put("/tenant/settings", &settings).expect(200);
    for operation in operations.iter().filter(|operation| operation.access == "ingest") {
        for (kind, expected) in [
            (Kind::Member, Outcome::Refused("permission_required")),
            (Kind::Admin, Outcome::LetIn),
            (Kind::IngestKey, Outcome::LetIn),
        ] {
            let answer = operation.send(&town.caller(kind, tenant, false), None);
            assert_eq!(
                Outcome::of(&answer, "ingest"),
                expected,
                "{operation} as {kind:?}"
            );
        }
    }
    let settings = json!({ "ingesters": "members" });
    admin.put("/tenant/settings", &settings).expect(200);
}
