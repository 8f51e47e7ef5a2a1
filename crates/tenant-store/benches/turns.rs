//! What the two steps of a chat's turn and reading its history cost, on an SQLite file and, when `TEST_DATABASE_URL` names a server
//! and the feature `postgres` is on, on PostgreSQL: `scripts/with-postgres cargo bench --features postgres`.
#![expect(clippy::unwrap_used, reason = "a failed step ends the measurement")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_domain::{
    Actor, ChatSettings, Citation, Conversation, ConversationId, DocumentId, Ingesters, Message, MessageId,
    MessageRole, MessageStatus, Origin, PineconeSettings, SearchSettings, Span, Tenant, TenantId,
    TenantScope, Timestamp, TokenUsage, UsageKind, UsageRecord, UserId,
};
use tenantry_tenant_store::{DatabaseUrl, MessageStore, MessageTarget, PoolOptions, SqlStore, TenantStore};

fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap()
}

fn tenant() -> Tenant {
    Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "Acme".into(),
        pinecone: PineconeSettings::default(),
        system_prompt: None,
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now(),
        updated_at: now(),
    }
}

fn question() -> Message {
    Message {
        id: MessageId::generate(now()),
        role: MessageRole::User,
        text: "How many days of leave do I have?".into(),
        status: MessageStatus::Complete,
        citations: Vec::new(),
        model: None,
        usage: None,
        created_at: now(),
    }
}

const TOKENS: TokenUsage = TokenUsage {
    prompt_tokens: 1_500,
    completion_tokens: 150,
    estimated: false,
};

/// An answer of some 600 characters with three citations of 1,000.
fn answer() -> Message {
    let citation = |number| Citation {
        number,
        origin: Origin::Document(DocumentId::generate(now())),
        title: "House rules".into(),
        span: Span { start: 0, end: 1_000 },
        page: Some(3),
        excerpt: "Leave is 30 days. ".repeat(55),
    };
    Message {
        role: MessageRole::Assistant,
        text: "You have 30 days of leave [1]. ".repeat(20),
        citations: (1..=3).map(citation).collect(),
        model: Some("gpt-5-mini".into()),
        usage: Some(TOKENS),
        ..question()
    }
}

fn usage(user: UserId) -> [UsageRecord; 2] {
    [UsageKind::Embedding, UsageKind::Answering].map(|kind| UsageRecord {
        user: Some(user),
        kind,
        model: "gpt-5-mini".into(),
        usage: TOKENS,
        at: now(),
    })
}

fn begin(store: &SqlStore, scope: &TenantScope, owner: UserId, target: &MessageTarget) {
    let begun = store.begin_turn(scope, owner, target, &question());
    black_box(begun).unwrap().unwrap();
}

fn measure(criterion: &mut Criterion, database: &str, url: &str) {
    let store = SqlStore::connect(&DatabaseUrl::parse(url).unwrap(), PoolOptions::default()).unwrap();
    store.migrate().unwrap();
    store.create_tenant(&tenant(), &Actor::system()).unwrap();
    let scope = Arc::new(tenant()).activate(Actor::system()).unwrap();
    let owner = UserId::generate(now());
    let new = || Conversation {
        id: ConversationId::generate(now()),
        owner,
        title: "Leave".into(),
        created_at: now(),
        updated_at: now(),
    };
    let mut group = criterion.benchmark_group(format!("turns/{database}"));
    group.bench_function("begin a conversation", |bencher| {
        bencher.iter(|| begin(&store, &scope, owner, &MessageTarget::New(new())));
    });
    let conversation = new();
    begin(&store, &scope, owner, &MessageTarget::New(conversation.clone()));
    let existing = MessageTarget::Existing(conversation.id);
    group.bench_function("begin a turn", |bencher| {
        bencher.iter(|| begin(&store, &scope, owner, &existing));
    });
    group.bench_function("finish a turn", |bencher| {
        bencher.iter(|| {
            let finished = store.finish_turn(&scope, owner, conversation.id, &answer(), &usage(owner));
            assert!(finished.unwrap());
        });
    });
    group.bench_function("the last 20 messages", |bencher| {
        bencher.iter(|| black_box(store.last_messages(&scope, owner, conversation.id, 20)).unwrap());
    });
    group.finish();
}

fn turns(criterion: &mut Criterion) {
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

criterion_group!(benches, turns);
criterion_main!(benches);
