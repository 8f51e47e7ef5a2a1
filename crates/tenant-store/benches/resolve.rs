//! What reading a caller's access, a tenant and the documents of a search costs, and what a worker's steps do, on an SQLite file and, when `TEST_DATABASE_URL` names a server
//! and the feature `postgres` is on, on PostgreSQL: `scripts/with-postgres cargo bench --features postgres`.
#![expect(clippy::unwrap_used, reason = "a failed step ends the measurement")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_domain::{
    Actor, ChatSettings, ContentHash, DocumentId, Email, Generation, Ingesters, JobId, MediaType, Metadata,
    PineconeSettings, Role, Sealed, SealedSecret, SearchSettings, SourceId, Tenant, TenantId, TenantScope,
    TextFormat, Timestamp, User, UserId,
};
use tenantry_tenant_store::{
    Claim, DatabaseUrl, DocumentStore, JobQueue, PoolOptions, Settlement, SqlStore, Submission, TenantStore,
    TextRead, UserStore,
};

const TENANTS: u32 = 1_000;

fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap()
}

/// A tenant of that number with a prompt and a key, and its one user.
fn tenant(n: u32) -> (Tenant, User) {
    let id = TenantId::parse(&format!("tenant-{n}")).unwrap();
    let api_key = SealedSecret {
        sealed: Sealed::from_stored(format!("v1.00112233aabbccdd.{}", "c2VhbGVk".repeat(14))),
        last_four: "wxyz".into(),
    };
    let tenant = Tenant {
        id: id.clone(),
        name: format!("Tenant {n}"),
        pinecone: PineconeSettings {
            api_key: Some(api_key),
            ..PineconeSettings::default()
        },
        system_prompt: Some("Answer from the passages alone. ".repeat(10)),
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now(),
        updated_at: now(),
    };
    let user = User {
        id: UserId::generate(now()),
        email: Email::parse(&format!("user-{n}@example.org")).unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: Some(id),
        role: Role::default(),
        token_version: 0,
        created_at: now(),
        updated_at: now(),
    };
    (tenant, user)
}

fn measure(criterion: &mut Criterion, database: &str, url: &str) {
    let store = SqlStore::connect(&DatabaseUrl::parse(url).unwrap(), PoolOptions::default()).unwrap();
    store.migrate().unwrap();
    let records: Vec<_> = (0..TENANTS).map(tenant).collect();
    for (tenant, user) in &records {
        store.create_tenant(tenant, &Actor::system()).unwrap();
        store.create_user(user, &Actor::system()).unwrap();
    }
    let mut group = criterion.benchmark_group(format!("resolve/{database}"));
    let mut turn = records.iter().cycle();
    group.bench_function("access", |bencher| {
        bencher.iter(|| {
            turn.next()
                .map(|(_, user)| black_box(store.access(user.id, None, user.created_at)).unwrap())
        });
    });
    group.bench_function("tenant", |bencher| {
        bencher.iter(|| {
            turn.next()
                .map(|(tenant, _)| black_box(store.tenant(&tenant.id)).unwrap())
        });
    });
    let owner = records
        .first()
        .map(|(tenant, _)| Arc::new(tenant.clone()))
        .unwrap();
    let scope = owner.activate(Actor::system()).unwrap();
    let found: Vec<DocumentId> = (0..6).map(|_| ready_document(&store, &scope)).collect();
    group.bench_function("six ready documents", |bencher| {
        bencher.iter(|| black_box(store.ready_documents(&scope, &found)).unwrap());
    });
    for _ in 0..10_000 {
        submit(&store, &scope);
    }
    group.bench_function("submit, claim and finish a job beside 10,000", |bencher| {
        bencher.iter(|| {
            submit(&store, &scope);
            finish_next(&store, &scope);
        });
    });
    group.finish();
}

fn ready_document(store: &SqlStore, scope: &TenantScope) -> DocumentId {
    let id = submit(store, scope);
    finish_next(store, scope);
    id
}

fn submit(store: &SqlStore, scope: &TenantScope) -> DocumentId {
    let submission = Submission {
        source: SourceId::generate(now()),
        document: DocumentId::generate(now()),
        job: JobId::generate(now()),
        external_id: None,
        title: Some("House rules".into()),
        file_name: None,
        declared: None,
        metadata: Metadata::default(),
        hash: hash(),
        at: now(),
    };
    store.submit(scope, &submission).unwrap();
    submission.document
}

/// A hash that no other document has.
fn hash() -> ContentHash {
    let [one, two] = [DocumentId::generate(now()), DocumentId::generate(now())];
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(one.as_uuid().as_bytes());
    bytes[16..].copy_from_slice(two.as_uuid().as_bytes());
    ContentHash::from_bytes(bytes)
}

/// Claims the next job and does all of it but the work.
fn finish_next(store: &SqlStore, scope: &TenantScope) {
    let claim = Claim {
        tenant: Some(scope.id().clone()),
        now: now(),
        lease_until: Timestamp::from_unix_micros(now().unix_micros() + 1).unwrap(),
    };
    let lease = store.claim(&claim).unwrap().unwrap().lease;
    let read = TextRead {
        media_type: MediaType::PlainText,
        format: TextFormat::Plain,
        title: "House rules".into(),
        characters: 100,
        segments: 1,
    };
    store.text_read(scope, &lease, &read, now()).unwrap();
    store
        .publish(scope, &lease, 4, &[Generation::FIRST], now())
        .unwrap();
    store.settle(scope, &lease, &Settlement::Done, now()).unwrap();
}

fn resolve(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    measure(
        criterion,
        "sqlite",
        &format!("sqlite://{}", folder.path().join("records.db").display()),
    );
    #[cfg(feature = "postgres")]
    if let Some(url) = server() {
        measure(criterion, "postgres", &url);
    }
}

/// The server to measure; its database must be empty.
#[cfg(feature = "postgres")]
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is told by the environment where the server is"
)]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

criterion_group!(benches, resolve);
criterion_main!(benches);
