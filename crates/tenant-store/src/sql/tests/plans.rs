//! How a worker's steps read the tables: what they cost must not grow with the jobs that wait.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use tenantry_domain::{
    ContentHash, DocumentId, Generation, JobId, JobProgress, MediaType, Metadata, Segment, SourceId,
    TextFormat,
};

use super::*;
use crate::{Claim, DocumentStore, Held, JobQueue, JobStore, Published, Settlement, Submission, TextRead};

const JOBS: u32 = 10_000;

/// A store of one connection whose statements are written down.
fn watched(folder: &Path) -> (SqlStore, Arc<Mutex<Vec<String>>>) {
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
    store.create_tenant(&acme).unwrap();
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
    Arc::new(acme).activate().unwrap()
}

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).unwrap(),
        name: id.into(),
        pinecone: tenantry_domain::PineconeSettings::default(),
        system_prompt: None,
        search: tenantry_domain::SearchSettings::default(),
        chat: tenantry_domain::ChatSettings::default(),
        llm: None,
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

/// How SQLite carries a statement out, one step a line.
fn plan(store: &SqlStore, statement: &str) -> Vec<String> {
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
    taken(12, "submit");
    store.cancel_job(&acme, submission.job, now()).unwrap().unwrap();
    taken(14, "cancel");
    let of_tables = |statement: &&String| {
        ["SELECT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
    };
    let mut seen: Vec<_> = all.iter().filter(of_tables).collect();
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 10, "{seen:#?}");
    for statement in seen {
        let plan = plan(&store, statement);
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN")
                || step.contains("TEMP B-TREE") && !statement.contains("ingest_queue")),
            "{statement}\n{plan:#?}"
        );
    }
}
