//! What becomes of entries that cannot be written, and of those that something else wrote.

use std::sync::Arc;

use tenantry_domain::{AuditAction, AuditEvent, JobId, Principal, Role};

use super::*;
use crate::conformance::samples;
use crate::{AuditFilter, AuditLog, AuditStore, DocumentStore, JobStore, TenantChange, UserChange};

fn acme() -> AuditLog {
    AuditLog::Tenant(TenantId::parse("acme").unwrap())
}

fn logged_in(store: &SqlStore, address: &str) {
    let mut actor = Actor::of(Principal::User(UserId::generate(now())));
    actor.origin.address = Some(address.parse().unwrap());
    actor.origin.request = Some("r-1".into());
    let event = AuditEvent::new(AuditAction::LoggedIn)
        .on("user", "u-1")
        .with("a", "1")
        .with("b", "2");
    store.record(&acme(), &actor, &event, now()).unwrap();
}

fn submission(title: &str) -> crate::Submission {
    crate::Submission {
        source: tenantry_domain::SourceId::generate(now()),
        document: tenantry_domain::DocumentId::generate(now()),
        job: JobId::generate(now()),
        external_id: Some(title.into()),
        title: Some(title.into()),
        file_name: None,
        declared: None,
        metadata: tenantry_domain::Metadata::default(),
        hash: tenantry_domain::ContentHash::from_bytes([7; 32]),
        at: now(),
    }
}

/// How many rows there are of each kind.
fn rows(store: &SqlStore) -> Vec<i64> {
    let tables = [
        "tenants",
        "users",
        "documents",
        "jobs",
        "system_prompts",
        "audit_heads",
        "audit_log",
    ];
    let count = |table: &str| {
        let rows = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("(SELECT count(*) FROM {table})"));
        store.run(|conn| diesel::select(rows).get_result(conn)).unwrap()
    };
    tables.map(count).into()
}

#[test]
fn a_change_that_cannot_be_entered_is_not_made() {
    let (store, _folder) = migrated();
    let acme_tenant = samples::tenant("acme");
    store.create_tenant(&acme_tenant, &Actor::system()).unwrap();
    let scope = Arc::new(acme_tenant).activate(Actor::system()).unwrap();
    let ada = user("ada@example.org");
    store.create_user(&ada, &Actor::system()).unwrap();
    let kept = submission("kept");
    store.submit(&scope, &kept).unwrap();
    sql(
        &store,
        "CREATE TRIGGER closed BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'closed'); END",
    );
    let all = || {
        let job = store.job(&scope, kept.job).unwrap();
        let document = store.document(&scope, kept.document).unwrap();
        let head = store.audit_head(&acme()).unwrap();
        let tenant = store.tenant(scope.id()).unwrap();
        (
            rows(&store),
            tenant,
            store.user(ada.id).unwrap(),
            document,
            job,
            head,
        )
    };
    let before = all();
    let tenant_change = TenantChange {
        name: Some("other".into()),
        system_prompt: Some(Some("other".into())),
        ..TenantChange::default()
    };
    let user_change = UserChange {
        role: Some(Role::Admin),
        ..UserChange::default()
    };
    let refused = [
        store.create_tenant(&samples::tenant("globex"), &Actor::system()),
        store.update_tenant(scope.id(), &tenant_change, now()).map(drop),
        store.create_user(&user("bob@example.org"), &Actor::system()),
        store.update_user(ada.id, &user_change, now()).map(drop),
        store.submit(&scope, &submission("new")).map(drop),
        store.cancel_job(&scope, kept.job, now()).map(drop),
        store
            .remove_document(&scope, kept.document, JobId::generate(now()), now())
            .map(drop),
        store.record(
            &acme(),
            &Actor::system(),
            &AuditEvent::new(AuditAction::LoggedIn),
            now(),
        ),
    ];
    for (place, refused) in refused.iter().enumerate() {
        assert!(
            matches!(refused, Err(StoreError::Failed(_))),
            "{place}: {refused:?}"
        );
    }
    assert_eq!(all(), before);
    sql(&store, "DROP TRIGGER closed");
    store.update_user(ada.id, &user_change, now()).unwrap().unwrap();
}

#[test]
fn an_entry_that_is_not_written_as_the_store_writes_it_is_not_read() {
    let (store, _folder) = migrated();
    logged_in(&store, "2001:db8::1");
    let read = || store.audit_after(&acme(), 0, 9);
    let whole = read().unwrap();
    for (change, back) in [
        (
            "details = '{\"a\": \"1\",\"b\":\"2\"}'",
            "details = '{\"a\":\"1\",\"b\":\"2\"}'",
        ),
        (
            "details = '{\"b\":\"2\",\"a\":\"1\"}'",
            "details = '{\"a\":\"1\",\"b\":\"2\"}'",
        ),
        (
            "details = '{\"a\":\"0\",\"a\":\"1\",\"b\":\"2\"}'",
            "details = '{\"a\":\"1\",\"b\":\"2\"}'",
        ),
        (
            "details = '{\"a\":1,\"b\":\"2\"}'",
            "details = '{\"a\":\"1\",\"b\":\"2\"}'",
        ),
        ("address = '2001:db8:0::1'", "address = '2001:db8::1'"),
        ("address = 'somewhere'", "address = '2001:db8::1'"),
        ("actor_kind = 'somebody'", "actor_kind = 'user'"),
        ("actor_kind = 'system'", "actor_kind = 'user'"),
        ("actor_id = upper(actor_id)", "actor_id = lower(actor_id)"),
        ("action = 'login'", "action = 'login.succeeded'"),
        ("hash = x'00'", ""),
    ] {
        sql(&store, &format!("UPDATE audit_log SET {change}"));
        assert!(matches!(read(), Err(StoreError::Failed(_))), "{change}");
        let all = store.audit(&AuditFilter::default(), Page::default());
        assert!(matches!(all, Err(StoreError::Failed(_))), "{change}");
        if !back.is_empty() {
            sql(&store, &format!("UPDATE audit_log SET {back}"));
            assert_eq!(read().unwrap(), whole, "{back}");
        }
    }
}

#[test]
fn a_log_is_listed_that_has_entries_or_an_end_alone() {
    let (store, _folder) = migrated();
    logged_in(&store, "192.0.2.1");
    sql(
        &store,
        "UPDATE audit_log SET tenant_id = 'globex'; \
         INSERT INTO audit_heads (tenant_id, number, hash) VALUES ('-', 0, zeroblob(32))",
    );
    let logs = ["-", "acme", "globex"].map(|id| id.parse().unwrap());
    assert_eq!(store.audit_logs().unwrap(), logs);
}

#[test]
fn an_entry_and_a_page_cost_the_same_however_long_the_logs_are() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = plans::watched(folder.path());
    sql(
        &store,
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) \
         INSERT INTO audit_log (tenant_id, number, done_at, actor_kind, action, details, previous_hash, hash) \
         SELECT 't' || (n % 100), n, n, 'system', 'login.succeeded', '{}', zeroblob(32), zeroblob(32) FROM numbers",
    );
    logged_in(&store, "192.0.2.1");
    let taken = || std::mem::take(&mut *statements.lock().unwrap());
    taken();
    logged_in(&store, "192.0.2.1");
    let entering = taken();
    assert!(entering.len() <= 5, "{entering:#?}");
    store.audit_head(&acme()).unwrap();
    let whole = store.audit_after(&acme(), 0, 9).unwrap();
    let own = AuditFilter {
        log: Some(acme()),
        ..AuditFilter::default()
    };
    store.audit(&own, Page::default()).unwrap();
    for filter in [own, AuditFilter::default()] {
        store.audit_next(&filter, whole.last(), 9).unwrap();
    }
    let reading = taken();
    plans::assert_by_index(&store, &[entering, reading].concat(), 5);
    taken();
    // Counting all entries of all logs is the one thing that grows; their first page does not.
    store.audit_next(&AuditFilter::default(), None, 9).unwrap();
    for statement in taken() {
        let plan = plans::plan(&store, &statement);
        assert_eq!(
            plan,
            ["SCAN audit_log USING INDEX audit_log_of_all_by_age"],
            "{statement}"
        );
    }
}
