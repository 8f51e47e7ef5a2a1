//! What becomes of documents that were stored before they had versions and jobs.

use std::sync::Arc;

use tenantry_domain::{
    Actor, DocumentId, DocumentState, DocumentVersion, JobKind, JobStage, Page, TenantScope, TextFormat,
};

use super::*;
use crate::conformance::chat;
use crate::{
    Claim, ClaimedJob, DocumentFilter, DocumentStore, JobQueue, PromptStore, Published, Settlement,
    TenantStore,
};

/// The migrations of the first release, with what diesel writes down of them.
const FIRST_RELEASE: [(&str, &str); 4] = [
    (
        "20261123070000",
        include_str!("../../../migrations/sqlite/2026-11-23-070000_tenants/up.sql"),
    ),
    (
        "20261123070100",
        include_str!("../../../migrations/sqlite/2026-11-23-070100_users/up.sql"),
    ),
    (
        "20261123070200",
        include_str!("../../../migrations/sqlite/2026-11-23-070200_documents/up.sql"),
    ),
    (
        "20261123070300",
        include_str!("../../../migrations/sqlite/2026-11-23-070300_crypto_state/up.sql"),
    ),
];

const STATES: [&str; 6] = ["pending", "embedding", "upserting", "ready", "failed", "deleting"];

const INDEXING: DocumentState = DocumentState::Indexing;
const READY: DocumentState = DocumentState::Ready;
const DELETING: DocumentState = DocumentState::Deleting;

fn id(n: usize) -> DocumentId {
    format!("01900000-0000-7000-8000-00000000000{n}").parse().unwrap()
}

/// A database of the first release with a document of each state.
fn first_release() -> (SqlStore, TempDir) {
    let (store, folder) = empty();
    sql(
        &store,
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
            run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    for (version, up) in FIRST_RELEASE {
        sql(&store, up);
        sql(
            &store,
            &format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"),
        );
    }
    sql(&store, "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')");
    for (n, state) in STATES.iter().enumerate() {
        sql(
            &store,
            &format!(
                "INSERT INTO documents (tenant_id, id, title, media_type, state, failure, characters, chunks, \
                    created_at, updated_at, text) \
                 VALUES ('acme', '{}', 'Owls {n}', 'text/markdown', '{state}', NULL, 12, 3, \
                    '2026-11-23 07:28:00.123456', '2026-11-23 07:28:01.5', '# Owls {n}\n')",
                id(n)
            ),
        );
    }
    (store, folder)
}

fn acme(store: &SqlStore) -> TenantScope {
    let tenant = store.tenant(&TenantId::parse("acme").unwrap()).unwrap().unwrap();
    Arc::new(tenant).activate(Actor::system()).unwrap()
}

fn claim_all(store: &SqlStore) -> Vec<ClaimedJob> {
    let claim = Claim {
        tenant: None,
        now: now(),
        lease_until: Timestamp::from_unix_micros(now().unix_micros() + 1_000_000).unwrap(),
    };
    let mut claimed: Vec<_> = std::iter::from_fn(|| store.claim(&claim).unwrap()).collect();
    claimed.sort_by_key(|claimed| claimed.job.document);
    claimed
}

#[test]
fn what_was_ready_stays_so_and_what_was_on_its_way_is_gone_on_with() {
    let (store, _folder) = first_release();
    assert_eq!(store.migrate().unwrap().len(), known_names().len() - 4);
    let acme = acme(&store);
    let document = |n| store.document(&acme, id(n)).unwrap().unwrap();
    let states: Vec<_> = (0..6).map(|n| document(n).state).collect();
    assert_eq!(
        states,
        [
            INDEXING,
            INDEXING,
            INDEXING,
            READY,
            DocumentState::Failed,
            DELETING
        ]
    );
    let ready = document(3);
    assert_eq!((ready.version, ready.chunks, ready.content_hash), (1, 3, None));
    let versions = store.ready_versions(&acme, None, 9).unwrap();
    let [version] = versions.as_slice() else {
        panic!("{versions:?}")
    };
    assert_eq!((version.format, version.segments), (TextFormat::Markdown, 1));
    let segments = store.segments(&acme, version.of, 0, 9).unwrap();
    assert_eq!(segments.len(), 1);
    assert_eq!(segments.first().unwrap().text, "# Owls 3\n");

    let claimed = claim_all(&store);
    let jobs: Vec<_> = claimed
        .iter()
        .map(|claimed| (claimed.job.document, claimed.job.kind, claimed.job.stage))
        .collect();
    let ingest = |n| (id(n), JobKind::Ingest, JobStage::Indexing);
    let remove = (id(5), JobKind::Remove, JobStage::Removing);
    assert_eq!(jobs, [ingest(0), ingest(1), ingest(2), remove]);
    for claimed in &claimed {
        if claimed.job.kind == JobKind::Ingest {
            let incoming = claimed.incoming.as_ref().unwrap();
            assert_eq!(incoming.format, Some(TextFormat::Markdown));
            let of = DocumentVersion {
                document: claimed.job.document,
                version: claimed.job.version,
            };
            assert_eq!(store.segments(&acme, of, 0, 9).unwrap().len(), 1);
            let published = store.publish(&acme, &claimed.lease, 5, &[], now()).unwrap();
            assert_eq!(published, Published::Yes);
        }
        assert!(
            store
                .settle(&acme, &claimed.lease, &Settlement::Done, now())
                .unwrap()
        );
    }
    let filter = DocumentFilter {
        state: Some(READY),
        external_id: None,
    };
    let listed = store.documents(&acme, &filter, Page::default()).unwrap();
    assert_eq!(listed.total, 4);
    assert_eq!(
        listed.items.iter().map(|document| document.characters).max(),
        Some(12)
    );
    assert_eq!(store.document(&acme, id(5)).unwrap(), None);
}

#[test]
fn tenants_of_the_first_release_can_talk() {
    let (store, _folder) = first_release();
    store.migrate().unwrap();
    let acme = acme(&store);
    let begun = chat::begun(&store, &acme, chat::user_id(), 0);
    assert_eq!(chat::messages(&store, &acme, &begun).len(), 1);
}

#[test]
fn what_tenants_and_users_of_the_first_release_had_is_kept() {
    let (store, _folder) = first_release();
    sql(
        &store,
        "UPDATE tenants SET system_prompt = 'Be brief.', updated_at = '2026-11-23 07:28:01.5'; \
         INSERT INTO tenants (id, name) VALUES ('plain', 'Plain'); \
         INSERT INTO users (id, email, tenant_id) VALUES ('01900000-0000-7000-8000-000000000009', 'ada@example.org', 'acme')",
    );
    store.migrate().unwrap();
    let acme = acme(&store);
    assert_eq!(
        (&acme.tenant().chat, &acme.tenant().llm),
        (&ChatSettings::default(), &None)
    );
    let first = tenantry_domain::PromptVersion {
        number: 1,
        text: Some("Be brief.".to_owned()),
        author: None,
        created_at: acme.tenant().updated_at,
    };
    let versions = |id: &TenantId| store.prompt_versions(id, Page::default()).unwrap().items;
    assert_eq!(versions(acme.id()), [first]);
    assert_eq!(versions(&TenantId::parse("plain").unwrap()), []);
    let ada = store.user_by_email(&Email::parse("ada@example.org").unwrap());
    assert_eq!(ada.unwrap().unwrap().role, Role::Member);
}

#[test]
fn going_back_gives_the_text_back() {
    let (store, _folder) = first_release();
    store.migrate().unwrap();
    for down in [
        include_str!("../../../migrations/sqlite/2026-11-23-110200_ingestion/down.sql"),
        include_str!("../../../migrations/sqlite/2026-11-23-110100_document_versions/down.sql"),
    ] {
        sql(&store, down);
    }
    let texts: Vec<String> = store
        .run(|conn| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(
                "state || ' ' || text FROM documents ORDER BY id",
            ))
            .load(conn)
        })
        .unwrap();
    let wanted = ["pending", "pending", "pending", "ready", "failed", "deleting"];
    let wanted: Vec<_> = wanted
        .iter()
        .enumerate()
        .map(|(n, state)| format!("{state} # Owls {n}\n"))
        .collect();
    assert_eq!(texts, wanted);
}
