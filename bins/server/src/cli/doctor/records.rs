//! The database: whether it answers, what it lacks, what keeps tenants apart in it.

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::{Clock, Page, Timestamp};
use tenantry_retrieval::{AuditLogs, Superuser};
use tenantry_tenant_store::{
    DatabaseUrl, Isolation, MigrateError, SqlStore, StoreError, UserFilter, UserStore,
};

use super::report::Report;
use crate::logging::chain;
use crate::startup::open_database;

/// Tokens of one server are refused by another whose clock differs by more than this, and jobs are taken from it by one that differs by
/// some more.
const MAX_SKEW: Duration = Duration::from_secs(5);
/// What a synchronised clock never differs by.
const USUAL_SKEW: Duration = Duration::from_secs(1);

/// Opens the database and looks at everything in it that needs no key; `None` when the rest cannot be looked at.
pub(super) fn check(url: &DatabaseUrl, clock: &dyn Clock, report: &mut Report) -> Option<Arc<SqlStore>> {
    if url.file().is_some_and(|file| !file.exists()) {
        report.problem(
            "database",
            format_args!("there is no file at {url}"),
            "`tenantry migrate` or the first `tenantry serve` makes it; else DATABASE_URL names another place",
        );
        return None;
    }
    let store = match open_database(url) {
        Ok(store) => Arc::new(store),
        Err(error) => {
            let advice = "is it running, may this machine reach it, and is DATABASE_URL right?";
            report.problem("database", chain(&error), advice);
            return None;
        }
    };
    report.ok("database", format_args!("{url} answers"));
    if !migrations(&store, report) {
        return None;
    }
    isolation(&store, report);
    skew(&store, clock, report);
    superuser(&store, report);
    audit(&store, report);
    Some(store)
}

/// Whether the tables are what this version needs.
fn migrations(store: &SqlStore, report: &mut Report) -> bool {
    const CHECK: &str = "migrations";
    match store.pending() {
        Ok(pending) if pending.is_empty() => {
            report.ok(CHECK, "none is pending");
            return true;
        }
        Ok(pending) => report.problem(
            CHECK,
            format_args!("pending: {}", pending.join(", ")),
            "`tenantry migrate` applies them, and so does `tenantry serve` without --no-migrate",
        ),
        Err(error @ MigrateError::DatabaseNewer { .. }) => report.problem(
            CHECK,
            error,
            "use the version of tenantry that migrated it, or a newer one",
        ),
        Err(error) => report.problem(CHECK, chain(&error), "see the database's log"),
    }
    false
}

fn isolation(store: &SqlStore, report: &mut Report) {
    const CHECK: &str = "isolation";
    match store.isolation() {
        Ok(Isolation::Enforced) => report.ok(
            CHECK,
            "row-level security binds every transaction of a tenant to that tenant",
        ),
        Ok(Isolation::Unsupported) => report.ok(
            CHECK,
            "every query names its tenant; SQLite has no row-level security to stand behind it",
        ),
        Ok(Isolation::NotEnforced { reason }) => report.warning(
            CHECK,
            format_args!("row-level security is not enforced: {reason}"),
            "let the role of DATABASE_URL create roles, or have an administrator run `tenantry migrate` once",
        ),
        Ok(_) => report.warning(
            CHECK,
            "what keeps tenants apart is not known",
            "use a newer tenantry",
        ),
        Err(error) => report.problem(CHECK, chain(&error), "see the database's log"),
    }
}

fn skew(store: &SqlStore, clock: &dyn Clock, report: &mut Report) {
    const CHECK: &str = "clock";
    const ADVICE: &str = "have NTP set the clocks of all servers and of the database";
    let before = clock.now();
    let theirs = match store.server_time() {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return report.ok(CHECK, "the database has no clock of its own"),
        Err(error) => return report.problem(CHECK, chain(&error), "see the database's log"),
    };
    let differs = difference(before, theirs, clock.now());
    let told = format!("differs from the database's by {} ms", differs.as_millis());
    if differs > MAX_SKEW {
        report.problem(CHECK, told, ADVICE);
    } else if differs > USUAL_SKEW {
        report.warning(CHECK, told, ADVICE);
    } else {
        report.ok(CHECK, told);
    }
}

/// How far `theirs` lies outside the time between asking and being answered.
fn difference(before: Timestamp, theirs: Timestamp, after: Timestamp) -> Duration {
    let behind = before.since(theirs).unwrap_or_default();
    let ahead = theirs.since(after).unwrap_or_default();
    behind.max(ahead)
}

fn superuser(store: &SqlStore, report: &mut Report) {
    const CHECK: &str = "superuser";
    match has_superuser(store) {
        Ok(true) => report.ok(CHECK, "there is one"),
        Ok(false) => report.warning(
            CHECK,
            "there is none, so that nobody can manage tenants over HTTP",
            "`tenantry user create --email ada@example.org --superuser` makes one",
        ),
        Err(error) => report.problem(CHECK, chain(&error), "see the database's log"),
    }
}

fn has_superuser(store: &SqlStore) -> Result<bool, StoreError> {
    let mut page = Page::new(Page::MAX_LIMIT, 0).ok();
    while let Some(current) = page {
        let users = store.users(&UserFilter::default(), current)?;
        if users.items.iter().any(|user| user.is_superuser && user.is_active) {
            return Ok(true);
        }
        let seen = u64::from(current.offset()) + u64::from(current.limit());
        page = current.next().filter(|_| seen < users.total);
    }
    Ok(false)
}

/// How many entries of each log are looked at.
const ENTRIES: u64 = 1_000;

fn audit(store: &Arc<SqlStore>, report: &mut Report) {
    const CHECK: &str = "audit logs";
    let logs = AuditLogs::new(store.clone());
    let mut count = 0;
    let faults = logs.logs(&Superuser::operator()).and_then(|all| {
        count = all.len();
        let verified = all.iter().map(|log| logs.verify_latest(log, ENTRIES));
        verified.collect::<Result<Vec<_>, _>>()
    });
    let faults: Vec<_> = match faults {
        Ok(verified) => verified
            .into_iter()
            .filter_map(|log| Some((log.log, log.fault?)))
            .collect(),
        Err(error) => return report.problem(CHECK, chain(&error), "see the database's log"),
    };
    if faults.is_empty() {
        report.ok(
            CHECK,
            format_args!("the last {ENTRIES} entries of each of {count} are whole"),
        );
    }
    for (log, fault) in faults {
        report.problem(
            CHECK,
            format_args!("{}: {fault}", log.as_str()),
            "somebody who can write to the database changed it: `tenantry audit verify` looks at all of it, a backup shows what stood there",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_differs_by_what_the_question_does_not_explain() {
        let at = |millis: i64| Timestamp::from_unix_micros(1_800_000_000_000_000 + millis * 1_000).unwrap();
        for (before, theirs, after, millis) in [
            (0, 5, 10, 0),
            (0, 0, 10, 0),
            (0, 12, 10, 2),
            (10, 3, 20, 7),
            (0, 60_000, 10, 59_990),
        ] {
            let differs = difference(at(before), at(theirs), at(after));
            assert_eq!(
                differs,
                Duration::from_millis(millis),
                "{before} {theirs} {after}"
            );
        }
    }
}
