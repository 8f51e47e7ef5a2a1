//! How the tables are read: what a worker's steps cost must not grow with the jobs that wait, nor a turn with what was said.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use tenantry_domain::{
    Actor, ContentHash, Conversation, DocumentId, Generation, Ingesters, JobId, JobProgress, MediaType,
    Metadata, Segment, SourceId, TextFormat, UsageKind,
};

use super::*;
use crate::conformance::chat;
use crate::{Claim, DocumentStore, Held, JobQueue, JobStore, Published, Settlement, Submission, TextRead};
use crate::{ConversationStore, MessageStore, MessageTarget};
use crate::{PromptStore, TenantChange, UsageFilter, UsageGroup, UsageStore};

const JOBS: u32 = 10_000;

/// A store of one connection whose statements are written down.
pub(super) fn watched(folder: &Path) -> (SqlStore, Arc<Mutex<Vec<String>>>) {
    let options = PoolOptions {
        max_size: std::num::NonZeroU32::MIN,
        ..PoolOptions::default()
    };
    let store = open(folder, options);
    store.migrate().unwrap();
    store.isolation().unwrap();
    let statements = Arc::new(Mutex::new(Vec::new()));
    let written = statements.clone();
    store
        .acquire()
        .unwrap()
        .set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let statement = text.split(" -- binds").next().unwrap_or_default();
                // The pool asks each time whether the connection is sound.
                if statement != "SELECT 1" {
                    written.lock().unwrap().push(statement.to_owned());
                }
            }
        });
    (store, statements)
}

/// A tenant with many queued jobs, as many that are over, and their documents.
fn crowded(store: &SqlStore) -> TenantScope {
    let acme = tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let numbers = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {JOBS}) "
    );
    let id = |kind| format!("printf('0190{kind}000-0000-7000-8000-%012d', n)");
    for (kind, state) in [("1", "queued"), ("2", "done")] {
        sql(
            store,
            &format!(
                "{numbers} INSERT INTO documents (tenant_id, id, title, media_type, characters, content_hash) \
                 SELECT 'acme', {id}, 'x', 'text/plain', 0, randomblob(32) FROM numbers; \
                 {numbers} INSERT INTO jobs (tenant_id, id, document_id, version, kind, state, stage, not_before, created_at, \
                    updated_at, source_id, content_hash, metadata) \
                 SELECT 'acme', {id}, {id}, 1, 'ingest', '{state}', 'extracting', n, n, n, {id}, randomblob(32), '{{}}' \
                 FROM numbers;",
                id = id(kind),
            ),
        );
    }
    sql(
        store,
        "INSERT INTO ingest_queue (tenant_id, due_at) VALUES ('acme', 1)",
    );
    Arc::new(acme).activate(Actor::system()).unwrap()
}

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).unwrap(),
        name: id.into(),
        pinecone: tenantry_domain::PineconeSettings::default(),
        system_prompt: None,
        search: tenantry_domain::SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

/// How SQLite carries a statement out, one step a line.
pub(super) fn plan(store: &SqlStore, statement: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let steps: Vec<Step> = store
        .run(|conn| diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn))
        .unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}

#[test]
fn a_workers_steps_cost_the_same_however_many_jobs_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let acme = crowded(&store);
    let mut all = Vec::new();
    let mut taken = |limit: usize, step: &str| {
        let taken = std::mem::take(&mut *statements.lock().unwrap());
        assert!(
            taken.len() <= limit,
            "{step}: {} statements {taken:#?}",
            taken.len()
        );
        all.extend(taken);
    };
    taken(usize::MAX, "the samples");
    let until = Timestamp::from_unix_micros(now().unix_micros() + 1_000_000).unwrap();
    let claim = Claim {
        tenant: None,
        now: now(),
        lease_until: until,
    };
    let claimed = store.claim(&claim).unwrap().unwrap();
    taken(16, "claim");
    let lease = &claimed.lease;
    let progress = JobProgress::default();
    assert_eq!(
        store.report(&acme, lease, &progress, now(), until).unwrap(),
        Held::Yes
    );
    taken(5, "report");
    let segment = Segment {
        ordinal: 0,
        start: 0,
        text: "x".into(),
        headings: Vec::new(),
        pages: Vec::new(),
    };
    store
        .add_segments(&acme, lease, &[segment], now(), until)
        .unwrap();
    taken(7, "add segments");
    let read = TextRead {
        media_type: MediaType::PlainText,
        format: TextFormat::Plain,
        title: "x".into(),
        characters: 1,
        segments: 1,
    };
    store.text_read(&acme, lease, &read, now()).unwrap();
    taken(8, "text read");
    let published = store
        .publish(&acme, lease, 1, &[Generation::FIRST], now())
        .unwrap();
    assert_eq!(published, Published::Yes);
    taken(9, "publish");
    assert!(store.settle(&acme, lease, &Settlement::Done, now()).unwrap());
    taken(9, "settle");
    let submission = Submission {
        source: SourceId::generate(now()),
        document: DocumentId::generate(now()),
        job: JobId::generate(now()),
        external_id: None,
        title: None,
        file_name: None,
        declared: None,
        metadata: Metadata::default(),
        hash: ContentHash::from_bytes([9; 32]),
        at: now(),
    };
    store.submit(&acme, &submission).unwrap();
    taken(15, "submit");
    store.cancel_job(&acme, submission.job, now()).unwrap().unwrap();
    taken(17, "cancel");
    assert_by_index(&store, &all, 10);
}

/// Fails unless every one of the statements, of which there are more than `least`, finds and orders its rows by an index.
pub(super) fn assert_by_index(store: &SqlStore, statements: &[String], least: usize) {
    let of_tables = |statement: &&String| {
        ["SELECT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
    };
    let mut seen: Vec<_> = statements.iter().filter(of_tables).collect();
    seen.sort();
    seen.dedup();
    assert!(seen.len() > least, "{seen:#?}");
    for statement in seen {
        let plan = plan(store, statement);
        assert!(
            !plan
                .iter()
                .any(|step| step.starts_with("SCAN") && step != "SCAN CONSTANT ROW"
                    || step.contains("TEMP B-TREE") && !statement.contains("ingest_queue")),
            "{statement}\n{plan:#?}"
        );
    }
}

/// An owner with many conversations, one of which has many messages, and as many of somebody else.
fn talkative(store: &SqlStore) -> (TenantScope, Conversation) {
    let acme = tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let acme = Arc::new(acme).activate(Actor::system()).unwrap();
    let long = chat::conversation(chat::user_id(), 0);
    store.create_conversation(&acme, &long).unwrap();
    let numbers = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {JOBS}) "
    );
    for (kind, owner) in [("1", long.owner), ("2", chat::user_id())] {
        sql(
            store,
            &format!(
                "{numbers} INSERT INTO conversations (tenant_id, id, owner_id, title, created_at, updated_at) \
                 SELECT 'acme', printf('0190{kind}000-0000-7000-8000-%012d', n), '{owner}', 'x', n, n FROM numbers"
            ),
        );
    }
    sql(
        store,
        &format!(
            "{numbers} INSERT INTO messages (tenant_id, conversation_id, ordinal, id, role, status, created_at, text, citations) \
             SELECT 'acme', '{id}', n - 1, printf('01903000-0000-7000-8000-%012d', n), 'user', 'complete', n, 'x', '[]' \
             FROM numbers; \
             UPDATE conversations SET next_ordinal = {JOBS} WHERE id = '{id}'",
            id = long.id
        ),
    );
    (acme, long)
}

#[test]
fn a_turn_costs_the_same_however_much_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let (acme, long) = talkative(&store);
    let mut all = Vec::new();
    let mut taken = |wanted: Option<usize>, step: &str| {
        let taken = std::mem::take(&mut *statements.lock().unwrap());
        if let Some(wanted) = wanted {
            assert_eq!(taken.len(), wanted, "{step}: {taken:#?}");
        }
        all.extend(taken);
    };
    taken(None, "the samples");
    let (ada, page) = (long.owner, Page::default());
    // Two of the statements begin and end the transaction.
    let new = MessageTarget::New(chat::conversation(ada, 1));
    let begun = store.begin_turn(&acme, ada, &new, &chat::question("x", 1));
    assert!(begun.unwrap().is_some());
    taken(Some(4), "begin a conversation");
    let existing = MessageTarget::Existing(long.id);
    let begun = store.begin_turn(&acme, ada, &existing, &chat::question("x", 1));
    assert!(begun.unwrap().is_some());
    taken(Some(4), "begin a turn");
    assert_eq!(store.last_messages(&acme, ada, long.id, 20).unwrap().len(), 20);
    taken(Some(1), "last messages");
    let usage = [chat::call(ada, UsageKind::Answering, chat::tokens(1, 1))];
    let finished = store.finish_turn(&acme, ada, long.id, &chat::answer("x", 1), &usage);
    assert!(finished.unwrap());
    taken(Some(5), "finish a turn");
    let read = store.messages(&acme, ada, long.id, page).unwrap().unwrap();
    assert_eq!(read.total, u64::from(JOBS) + 2);
    taken(Some(2), "messages");
    assert!(store.conversation(&acme, ada, long.id).unwrap().is_some());
    taken(Some(1), "conversation");
    let listed = store.conversations(&acme, ada, page).unwrap();
    assert_eq!(listed.total, u64::from(JOBS) + 2);
    taken(Some(2), "conversations");
    let renamed = store.rename_conversation(&acme, ada, long.id, "x", now());
    assert!(renamed.unwrap().is_some());
    taken(Some(1), "rename");
    assert!(store.remove_conversation(&acme, ada, long.id).unwrap());
    taken(Some(1), "remove");
    assert_by_index(&store, &all, 8);
}

/// A tenant with much usage and a long history of its prompt, among many tenants with some.
fn counted(store: &SqlStore) -> TenantScope {
    let acme = tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let numbers = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {JOBS}) "
    );
    sql(
        store,
        &format!(
            "{numbers} INSERT INTO tenants (id, name) SELECT 't' || n, 'x' FROM numbers; \
             {numbers} INSERT INTO usage_by_day (tenant_id, day, kind, model) SELECT 't' || n, 20780, 'answering', 'x' FROM numbers; \
             {numbers} INSERT INTO usage_by_day (tenant_id, day, kind, model) SELECT 'acme', n, 'answering', 'x' FROM numbers; \
             {numbers} INSERT INTO system_prompts (tenant_id, number, created_at, text) SELECT 'acme', n, n, 'x' FROM numbers"
        ),
    );
    Arc::new(acme).activate(Actor::system()).unwrap()
}

#[test]
fn a_report_reads_the_days_that_it_is_about_and_a_prompt_its_last_version() {
    let folder = tempfile::tempdir().unwrap();
    let (store, statements) = watched(folder.path());
    let acme = counted(&store);
    statements.lock().unwrap().clear();
    let filter = UsageFilter {
        from: now(),
        until: Timestamp::from_unix_micros(now().unix_micros() + 86_400_000_000).unwrap(),
        user: None,
    };
    let of_ada = UsageFilter {
        user: Some(chat::user_id()),
        ..filter.clone()
    };
    for group in [UsageGroup::Day, UsageGroup::User] {
        for filter in [&filter, &of_ada] {
            store.usage(&acme, filter, group).unwrap();
            store.usage_of_all(filter, group).unwrap();
        }
    }
    let sums = std::mem::take(&mut *statements.lock().unwrap());
    assert_eq!(sums.len(), 8, "{sums:#?}");
    for statement in sums {
        let plan = plan(&store, &statement);
        let by_day = |step: &String| {
            step.contains("(tenant_id=? AND day>? AND day<?") || step.contains("(day>? AND day<?")
        };
        assert!(plan.iter().any(by_day), "{statement}\n{plan:#?}");
    }
    let change = TenantChange {
        system_prompt: Some(Some("next".into())),
        ..TenantChange::default()
    };
    store.update_tenant(acme.id(), &change, now()).unwrap().unwrap();
    store.prompt_versions(acme.id(), Page::default()).unwrap();
    store.prompt_version(acme.id(), 7).unwrap().unwrap();
    let taken = std::mem::take(&mut *statements.lock().unwrap());
    assert_by_index(&store, &taken, 4);
}
