use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{
    Actor, Conversation, ConversationId, Message, MessageId, MessageRole, MessageStatus, Page, Segment,
    TenantScope, Timestamp, TokenUsage, UsageKind, UsageRecord, UserId,
};
use tenantry_tenant_store::{
    Claim, ConversationStore, DocumentStore, IndexStore, Isolation, JobQueue, MessageStore, MessageTarget,
    PoolOptions, PromptStore, SourceStore, SqlStore, StoreError, TenantChange, TenantStore, UsageFilter,
    UsageGroup, UsageStore,
};

use crate::database::Database;
use crate::{migrated, now, scope, submission, tenant};

/// The tables with a tenant's content, which policies guard.
const GUARDED: [&str; 11] = [
    "documents",
    "document_segments",
    "source_parts",
    "jobs",
    "conversations",
    "messages",
    "system_prompts",
    "usage_by_day",
    "api_keys",
    "identity_providers",
    "identities",
];

/// A store with one row in every table of each of the tenants `a` and `b`.
fn two_tenants() -> (SqlStore, Database) {
    let (store, database) = migrated();
    store_two(&store);
    (store, database)
}

fn store_two(store: &SqlStore) {
    for id in ["a", "b"] {
        store_one(store, &scope(store, id));
    }
}

fn store_one(store: &SqlStore, scope: &TenantScope) {
    let submission = submission(scope.id().as_str());
    store
        .add_part(scope, submission.source, 0, b"bytes", now())
        .unwrap();
    store.submit(scope, &submission).unwrap();
    store.indexes(scope, None, now()).unwrap();
    let claim = Claim {
        tenant: Some(scope.id().clone()),
        now: now(),
        lease_until: now(),
    };
    let claimed = store.claim(&claim).unwrap().unwrap();
    let segment = Segment {
        ordinal: 0,
        start: 0,
        text: scope.id().to_string(),
        headings: Vec::new(),
        pages: Vec::new(),
    };
    store
        .add_segments(scope, &claimed.lease, &[segment], now(), now())
        .unwrap();
    begin_conversation(store, scope);
    let change = TenantChange {
        system_prompt: Some(Some(scope.id().to_string())),
        ..TenantChange::default()
    };
    store.update_tenant(scope.id(), &change, now()).unwrap().unwrap();
    store.add_usage(scope, &[call()]).unwrap();
    crate::presented::store_one(store, scope);
}

/// A call of ten tokens.
fn call() -> UsageRecord {
    UsageRecord {
        user: None,
        kind: UsageKind::Answering,
        model: "owl-1".into(),
        usage: TokenUsage {
            prompt_tokens: 7,
            completion_tokens: 3,
            estimated: false,
        },
        at: now(),
    }
}

pub(crate) fn begin_conversation(store: &SqlStore, scope: &TenantScope) -> Conversation {
    let owner = UserId::generate(now());
    let conversation = Conversation {
        id: ConversationId::generate(now()),
        owner,
        title: scope.id().to_string(),
        created_at: now(),
        updated_at: now(),
    };
    let message = Message {
        id: MessageId::generate(now()),
        role: MessageRole::User,
        text: scope.id().to_string(),
        status: MessageStatus::Complete,
        citations: Vec::new(),
        model: None,
        usage: None,
        created_at: now(),
    };
    let target = MessageTarget::New(conversation.clone());
    store
        .begin_turn(scope, owner, &target, &message)
        .unwrap()
        .unwrap();
    conversation
}

/// Begins a transaction under the tenants' role, for `tenant` where one is named.
pub(crate) fn begin(conn: &mut PgConnection, tenant: Option<&str>) {
    conn.batch_execute("BEGIN; SET LOCAL ROLE tenantry_tenant")
        .unwrap();
    if let Some(tenant) = tenant {
        conn.batch_execute(&format!("SELECT set_config('app.tenant_id', '{tenant}', true)"))
            .unwrap();
    }
}

pub(crate) fn count(conn: &mut PgConnection, from: &str) -> i64 {
    diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {from})")))
        .get_result(conn)
        .unwrap()
}

/// Statements that add a row of `b`, one for each guarded table.
const INSERTS_INTO_B: [&str; 11] = [
    "INSERT INTO documents (tenant_id, id, title, media_type, characters) VALUES ('b', 'x', 'x', 'text/plain', 1)",
    "INSERT INTO document_segments (tenant_id, document_id, version, ordinal, start, headings, pages, text) \
        VALUES ('b', 'x', 1, 1, 0, '[]', '[]', 'x')",
    "INSERT INTO source_parts (tenant_id, source_id, place, added_at, bytes) VALUES ('b', 'x', 0, 0, '')",
    "INSERT INTO jobs (tenant_id, id, document_id, version, kind, state, stage, not_before, created_at, updated_at) \
        VALUES ('b', 'x', 'x', 1, 'remove', 'queued', 'removing', 0, 0, 0)",
    "INSERT INTO conversations (tenant_id, id, owner_id, title, created_at, updated_at) VALUES ('b', 'x', 'x', 'x', 0, 0)",
    "INSERT INTO messages (tenant_id, conversation_id, ordinal, id, role, status, created_at, text, citations) \
        VALUES ('b', 'x', 0, 'x', 'user', 'complete', 0, 'x', '[]')",
    "INSERT INTO system_prompts (tenant_id, number, created_at, text) VALUES ('b', 9, 0, 'x')",
    "INSERT INTO usage_by_day (tenant_id, day, kind, model) VALUES ('b', 9, 'answering', 'x')",
    "INSERT INTO api_keys (tenant_id, id, secret_hash, name, prefix, permissions, created_by, created_at) \
        VALUES ('b', 'x', decode(repeat('00', 32), 'hex'), 'x', 'x', '', 'system', 0)",
    "INSERT INTO identity_providers (tenant_id, id, name, issuer, audience, email_claim, default_role, creates_users, is_active, \
        created_at, updated_at) VALUES ('b', 'x', 'x', 'x', 'x', 'x', 'member', true, true, 0, 0)",
    "INSERT INTO identities (tenant_id, provider_id, subject, user_id, linked_at) VALUES ('b', 'x', 'x', 'x', 0)",
];

#[test]
fn raw_sql_of_one_tenant_sees_none_of_anothers_rows() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in GUARDED {
        let all = count(&mut conn, table);
        assert_eq!(all, 2, "{table}: without the role a superuser sees all");
    }
    begin(&mut conn, Some("a"));
    for table in GUARDED {
        assert_eq!(count(&mut conn, table), 1, "{table}");
        let foreign = format!("{table} WHERE tenant_id = 'b'");
        assert_eq!(count(&mut conn, &foreign), 0, "{table}");
        let own = format!("{table} WHERE tenant_id = 'a'");
        assert_eq!(count(&mut conn, &own), 1, "{table}");
    }
    assert_eq!(count(&mut conn, &GUARDED.join(", ")), 1);
}

#[test]
fn raw_sql_without_a_tenant_sees_no_row() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in GUARDED {
        begin(&mut conn, None);
        assert_eq!(count(&mut conn, table), 0, "{table}");
        conn.batch_execute("ROLLBACK").unwrap();
        // After a transaction that had the setting, PostgreSQL leaves it empty instead of absent.
        begin(&mut conn, Some("a"));
        assert_eq!(count(&mut conn, table), 1, "{table}");
        conn.batch_execute("COMMIT").unwrap();
        begin(&mut conn, None);
        assert_eq!(count(&mut conn, table), 0, "{table}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn raw_sql_of_one_tenant_writes_nothing_of_anothers() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    let moves = GUARDED.map(|table| format!("UPDATE {table} SET tenant_id = 'b'"));
    let moves = moves.iter().map(String::as_str);
    for refused in INSERTS_INTO_B.into_iter().chain(moves) {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(refused).unwrap_err();
        assert!(
            error.to_string().contains("row-level security"),
            "{refused}: {error}"
        );
        conn.batch_execute("ROLLBACK").unwrap();
    }
    for table in GUARDED {
        begin(&mut conn, Some("a"));
        for missed in [
            format!("UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = 'b'"),
            format!("DELETE FROM {table} WHERE tenant_id = 'b'"),
        ] {
            let changed = diesel::sql_query(&missed).execute(&mut conn).unwrap();
            assert_eq!(changed, 0, "{missed}");
        }
        conn.batch_execute("COMMIT").unwrap();
        assert_eq!(count(&mut conn, table), 2, "{table}");
    }
}

#[test]
fn what_is_read_across_tenants_has_nothing_of_theirs_in_it() {
    let (_store, database) = two_tenants();
    let columns = "(SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY table_name, ordinal_position) \
        FROM information_schema.columns WHERE table_name IN ('ingest_queue', 'indexes'))";
    let columns: String = diesel::select(sql::<diesel::sql_types::Text>(columns))
        .get_result(&mut database.connect())
        .unwrap();
    // Ids, moments, states and names of models: a column that says more belongs behind a policy.
    assert_eq!(
        columns,
        "indexes.tenant_id indexes.generation indexes.provider indexes.model indexes.dimension indexes.state \
         indexes.created_at ingest_queue.tenant_id ingest_queue.served_at ingest_queue.due_at"
    );
}

#[test]
fn the_tenants_role_reaches_no_other_table() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for table in [
        "tenants",
        "users",
        "sessions",
        "refresh_tokens",
        "password_resets",
        "login_throttle",
        "crypto_state",
        "__diesel_schema_migrations",
    ] {
        begin(&mut conn, Some("a"));
        let error = conn.batch_execute(&format!("SELECT * FROM {table}")).unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn the_stores_own_tenant_work_runs_under_the_role() {
    let (store, database) = migrated();
    let scope = scope(&store, "a");
    let document = submission("a");
    store.submit(&scope, &document).unwrap();
    assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
    // A superuser would not notice that the role's right is gone.
    database
        .connect()
        .batch_execute("REVOKE SELECT ON documents FROM tenantry_tenant")
        .unwrap();
    assert!(matches!(
        store.document(&scope, document.document),
        Err(StoreError::Failed(_))
    ));
    database
        .connect()
        .batch_execute("GRANT SELECT ON documents TO tenantry_tenant")
        .unwrap();
    assert!(store.document(&scope, document.document).unwrap().is_some());
}

const AS_OPERATOR: &str = "SELECT set_config('app.operator', 'usage', true)";

#[test]
fn a_tenants_transaction_cannot_read_as_the_operator() {
    let (_store, database) = two_tenants();
    let mut conn = database.connect();
    for tenant in [None, Some("a")] {
        begin(&mut conn, tenant);
        conn.batch_execute(AS_OPERATOR).unwrap();
        let own = i64::from(tenant.is_some());
        assert_eq!(count(&mut conn, "usage_by_day"), own, "{tenant:?}");
        assert_eq!(
            count(&mut conn, "usage_by_day WHERE tenant_id = 'b'"),
            0,
            "{tenant:?}"
        );
        conn.batch_execute("ROLLBACK").unwrap();
    }
    // The tenants' role cannot take another one; a role that could is a superuser or a member of it.
    begin(&mut conn, Some("a"));
    let bound = "(SELECT count(*) FROM pg_auth_members WHERE member = 'tenantry_tenant'::regrole)";
    let roles: i64 = diesel::select(sql::<BigInt>(bound))
        .get_result(&mut conn)
        .unwrap();
    assert_eq!(roles, 0);
}

#[test]
fn the_operators_sums_are_read_by_an_owner_who_is_bound() {
    drop(migrated()); // The role exists, and the owner below is no member of it.
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        store_two(&store);
        let filter = UsageFilter {
            from: now(),
            until: Timestamp::from_unix_micros(now().unix_micros() + 86_400_000_000).unwrap(),
            user: None,
        };
        let sums = store.usage_of_all(&filter, UsageGroup::Tenant).unwrap();
        let told: Vec<_> = sums
            .iter()
            .map(|sum| (sum.key.as_str(), sum.totals.calls))
            .collect();
        assert_eq!(told, [("a", 1), ("b", 1)]);

        let mut conn = database.connect_as(&user);
        assert_eq!(count(&mut conn, "usage_by_day"), 0);
        // What lets the operator read lets nobody write, and shows nothing else.
        conn.batch_execute(&format!("BEGIN; {AS_OPERATOR}")).unwrap();
        assert_eq!(count(&mut conn, "usage_by_day"), 2);
        for table in GUARDED.iter().filter(|table| **table != "usage_by_day") {
            assert_eq!(count(&mut conn, table), 0, "{table}");
        }
        for missed in ["UPDATE usage_by_day SET calls = 0", "DELETE FROM usage_by_day"] {
            assert_eq!(
                diesel::sql_query(missed).execute(&mut conn).unwrap(),
                0,
                "{missed}"
            );
        }
        conn.batch_execute("COMMIT").unwrap();
        assert_eq!(
            count(&mut conn, "usage_by_day"),
            0,
            "it ends with the transaction"
        );
    }
    database.take_from(&user);
}

#[test]
fn prompts_are_written_under_the_role() {
    let (store, database) = migrated();
    let scope = scope(&store, "a");
    let revoke = "REVOKE INSERT ON system_prompts FROM tenantry_tenant";
    store.isolation().unwrap();
    database.connect().batch_execute(revoke).unwrap();
    let change = TenantChange {
        name: Some("changed".into()),
        system_prompt: Some(Some("x".into())),
        ..TenantChange::default()
    };
    let refused = store.update_tenant(scope.id(), &change, now());
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    let mut with_prompt = tenant("b");
    with_prompt.system_prompt = Some("x".into());
    let refused = store.create_tenant(&with_prompt, &Actor::system());
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.tenant(&with_prompt.id).unwrap(), None);
    let kept = store.tenant(scope.id()).unwrap().unwrap();
    assert_eq!((kept.name.as_str(), kept.system_prompt), ("a", None));
    let grant = "GRANT INSERT ON system_prompts TO tenantry_tenant";
    database.connect().batch_execute(grant).unwrap();
    store.update_tenant(scope.id(), &change, now()).unwrap().unwrap();
    assert_eq!(
        store.prompt_versions(scope.id(), Page::default()).unwrap().total,
        1
    );
}

#[test]
fn a_removed_conversation_takes_its_messages_under_the_role() {
    let (store, database) = migrated();
    let [a, b] = ["a", "b"].map(|id| scope(&store, id));
    let [of_a, of_b] = [&a, &b].map(|scope| begin_conversation(&store, scope));
    assert!(store.remove_conversation(&a, of_a.owner, of_a.id).unwrap());
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "messages"), 1);
    assert_eq!(count(&mut conn, "messages WHERE tenant_id = 'b'"), 1);
    let kept = store.messages(&b, of_b.owner, of_b.id, Page::default()).unwrap();
    assert_eq!(kept.map(|page| page.total), Some(1));
}

#[test]
fn an_owner_who_may_not_take_the_role_is_bound_all_the_same() {
    drop(migrated()); // The role exists, and the owner below is no member of it.
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
        store_two(&store);
        let mut conn = database.connect_as(&user);
        assert!(conn.batch_execute("SET ROLE tenantry_tenant").is_err());
        assert_eq!(count(&mut conn, "documents"), 0);
        conn.batch_execute("BEGIN; SELECT set_config('app.tenant_id', 'a', true)")
            .unwrap();
        assert_eq!(count(&mut conn, "documents"), 1);
        for insert in INSERTS_INTO_B {
            let error = conn.batch_execute(insert).unwrap_err();
            assert!(!error.to_string().contains("does not exist"), "{error}");
            conn.batch_execute("ROLLBACK; BEGIN; SELECT set_config('app.tenant_id', 'a', true)")
                .unwrap();
        }
    }
    database.take_from(&user);
}

#[test]
fn an_owner_who_may_make_roles_takes_the_tenants_role() {
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "CREATEROLE");
    {
        // The role may stand since another test; from PostgreSQL 16 on only its maker may pass it on.
        database
            .connect()
            .batch_execute(&format!("GRANT tenantry_tenant TO {user}"))
            .ok();
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
        database
            .connect_as(&user)
            .batch_execute("SET ROLE tenantry_tenant")
            .unwrap();
        let mut conn = database.connect();
        conn.batch_execute("REVOKE SELECT ON documents FROM tenantry_tenant")
            .unwrap();
        let scope = scope(&store, "a");
        assert!(matches!(
            store.document(&scope, submission("a").document),
            Err(StoreError::Failed(_))
        ));
    }
    database.take_from(&user);
}

#[test]
fn a_user_whom_nothing_binds_is_told_so() {
    drop(migrated());
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "BYPASSRLS");
    {
        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        let isolation = store.isolation().unwrap();
        let Isolation::NotEnforced { reason } = isolation else {
            panic!("{isolation:?}")
        };
        assert!(
            reason.contains("tenantry_tenant") && reason.contains("bypasses"),
            "{reason}"
        );
        store_two(&store);
    }
    database.take_from(&user);
}

#[test]
fn isolation_is_not_known_before_there_are_tables() {
    let database = Database::create();
    let store = database.store();
    assert!(matches!(store.isolation(), Err(StoreError::Failed(_))));
    store.migrate().unwrap();
    assert_eq!(store.isolation().unwrap(), Isolation::Enforced);
}
