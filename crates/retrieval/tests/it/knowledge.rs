//! What a tenant does with its documents: nothing here waits for a worker.

use std::collections::BTreeMap;
use std::io::Read;

use tenantry_domain::{
    Clock, DocumentState, ExternalIndex, JobState, MediaType, Metadata, MetadataValue, Page,
};
use tenantry_retrieval::{IngestLimits, Knowledge, NewFile, SubmitError};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{
    DocumentFilter, JobFilter, SourceStore, StoreError, SubmitOutcome, TenantChange, TenantStore,
};

use crate::support::{World, long_text, titled};

fn no_files_wait(world: &World, tenant: &str) {
    let tomorrow = (world.now().to_offset_date_time() + std::time::Duration::from_hours(24)).into();
    let left = world
        .store
        .remove_abandoned(&world.scope(tenant), tomorrow)
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_file_is_kept_with_a_job_and_nothing_else_happens() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit(
        "acme",
        &titled("  House rules "),
        "Late returns cost three euros.",
    );
    assert_eq!(submitted.outcome, SubmitOutcome::New);
    assert_eq!(submitted.document.title, "House rules");
    assert_eq!(submitted.document.state, DocumentState::Pending);
    assert_eq!(submitted.job.state, JobState::Queued);
    assert!(world.local.calls().is_empty());
}

#[test]
fn a_large_file_is_kept_in_parts() {
    let world = World::new();
    world.tenant("acme");
    let text = long_text(6_000, "x");
    assert!(text.len() > 2 << 20);
    let document = world.ingest("acme", "Long", &text);
    assert_eq!(document.state, DocumentState::Ready);
    let scope = world.scope("acme");
    let (_, stored) = world
        .knowledge
        .document_with_text(&scope, document.id)
        .unwrap()
        .unwrap();
    assert!(stored == text, "the text is what was handed in");
    assert_eq!(
        usize::try_from(document.characters).unwrap(),
        text.chars().count()
    );
    no_files_wait(&world, "acme");
}

#[test]
fn the_same_file_is_known_again() {
    let world = World::new();
    world.tenant("acme");
    world.tenant("other");
    let first = world.submit("acme", &titled("Fees"), "Three euros.");
    world.work();
    let again = world.submit("acme", &titled("Fees"), "Three euros.");
    assert_eq!(again.outcome, SubmitOutcome::Unchanged);
    assert_eq!(again.document.id, first.document.id);
    assert_eq!(world.work(), []);
    no_files_wait(&world, "acme");
    let foreign = world.submit("other", &titled("Fees"), "Three euros.");
    assert_eq!(foreign.outcome, SubmitOutcome::New);
}

#[test]
fn a_document_is_replaced_by_its_external_id() {
    let world = World::new();
    world.tenant("acme");
    let named = NewFile {
        external_id: Some("kb/42".into()),
        ..titled("Fees")
    };
    let first = world.submit("acme", &named, "Three euros.");
    world.work();
    let second = world.submit("acme", &named, "Four euros.");
    assert_eq!(second.outcome, SubmitOutcome::Replacement);
    world.work();
    let document = world.document("acme", first.document.id);
    assert_eq!((document.version, document.state), (2, DocumentState::Ready));
    let filter = DocumentFilter {
        external_id: Some("kb/42".into()),
        ..DocumentFilter::default()
    };
    let found = world
        .knowledge
        .documents(&world.scope("acme"), &filter, Page::default())
        .unwrap();
    assert_eq!((found.total, found.items[0].id), (1, first.document.id));
}

#[test]
fn what_cannot_be_kept_is_refused_by_its_field() {
    let world = World::new();
    world.tenant("acme");
    let refused = |new: &NewFile, text: &str| {
        let result = world
            .knowledge
            .submit(&world.scope("acme"), new, &mut text.as_bytes());
        match result {
            Err(SubmitError::Invalid(invalid)) => invalid.field,
            other => panic!("{other:?}"),
        }
    };
    for title in ["", "\u{200B}", "a\nb", &"x".repeat(301)] {
        assert_eq!(refused(&titled(title), "text"), "title");
    }
    for id in ["", " a", &"x".repeat(301)] {
        let new = NewFile {
            external_id: Some(id.into()),
            ..NewFile::default()
        };
        assert_eq!(refused(&new, "text"), "external_id");
    }
    assert_eq!(refused(&titled("Empty"), ""), "file");
    let listed = world
        .knowledge
        .jobs(&world.scope("acme"), &JobFilter::default(), Page::default());
    assert_eq!(listed.unwrap().total, 0);
}

#[test]
fn a_file_that_is_too_large_leaves_nothing() {
    let world = World::new();
    world.tenant("acme");
    let limits = IngestLimits {
        max_bytes: 1_500_000,
        ..IngestLimits::default()
    };
    let store = &world.store;
    let knowledge = Knowledge::new(
        store.clone(),
        store.clone(),
        store.clone(),
        limits,
        world.clock.clone(),
    );
    let mut endless = std::io::repeat(b'a');
    let result = knowledge.submit(&world.scope("acme"), &titled("Endless"), &mut endless);
    assert!(matches!(
        result,
        Err(SubmitError::TooLarge { max_bytes: 1_500_000 })
    ));
    no_files_wait(&world, "acme");
    let mut fits = std::io::repeat(b'a').take(1_500_000);
    assert!(
        knowledge
            .submit(&world.scope("acme"), &titled("Fits"), &mut fits)
            .is_ok()
    );
}

#[test]
fn a_file_that_does_not_come_whole_leaves_nothing() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("reset by peer"))
        }
    }
    let world = World::new();
    world.tenant("acme");
    let mut bytes = std::io::repeat(b'a').take(2 << 20).chain(Broken);
    let result = world
        .knowledge
        .submit(&world.scope("acme"), &titled("Broken"), &mut bytes);
    assert!(matches!(result, Err(SubmitError::Read(_))));
    world
        .store
        .fail_when(|method| (method == "submit").then(unavailable));
    let result = world
        .knowledge
        .submit(&world.scope("acme"), &titled("Down"), &mut &b"text"[..]);
    assert!(matches!(
        result,
        Err(SubmitError::Store(StoreError::Unavailable(_)))
    ));
    world.store.heal();
    no_files_wait(&world, "acme");
}

#[test]
fn a_tenant_whose_index_another_tool_fills_has_no_documents() {
    let world = World::new();
    let acme = world.tenant("acme");
    let change = TenantChange {
        pinecone_external: Some(Some(ExternalIndex {
            namespace: String::new(),
            text_field: ExternalIndex::TEXT_FIELD.into(),
        })),
        ..TenantChange::default()
    };
    world
        .store
        .update_tenant(&acme, &change, world.clock.now())
        .unwrap();
    let result = world
        .knowledge
        .submit(&world.scope("acme"), &titled("Fees"), &mut &b"text"[..]);
    assert!(matches!(result, Err(SubmitError::ReadOnly)));
}

#[test]
fn a_foreign_document_or_job_does_not_exist() {
    let world = World::new();
    world.tenant("acme");
    world.tenant("other");
    let submitted = world.submit("acme", &titled("Fees"), "A late return costs three euros.");
    world.work();
    let (id, job) = (submitted.document.id, submitted.job.id);
    let (other, knowledge) = (world.scope("other"), &world.knowledge);
    assert!(knowledge.document(&other, id).unwrap().is_none());
    assert!(knowledge.document_with_text(&other, id).unwrap().is_none());
    assert!(knowledge.remove(&other, id).unwrap().is_none());
    assert!(knowledge.job(&other, job).unwrap().is_none());
    assert!(knowledge.cancel(&other, job).unwrap().is_none());
    let documents = knowledge.documents(&other, &DocumentFilter::default(), Page::default());
    assert_eq!(documents.unwrap().total, 0);
    let jobs = knowledge.jobs(&other, &JobFilter::default(), Page::default());
    assert_eq!(jobs.unwrap().total, 0);
    assert_eq!(world.document("acme", id).state, DocumentState::Ready);
}

#[test]
fn a_removed_document_is_gone_at_once_and_its_chunks_with_the_next_turn() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "A late return costs three euros.");
    let scope = world.scope("acme");
    let job = world.knowledge.remove(&scope, document.id).unwrap().unwrap();
    assert!(world.knowledge.document(&scope, document.id).unwrap().is_none());
    let again = world.knowledge.remove(&scope, document.id).unwrap().unwrap();
    assert_eq!(again.id, job.id);
    world.work();
    assert!(world.knowledge.job(&scope, job.id).unwrap().is_none());
    assert!(world.reconciler().compare(&scope).unwrap().is_none());
    assert!(world.knowledge.remove(&scope, document.id).unwrap().is_none());
}

#[test]
fn the_file_decides_what_the_client_leaves_open() {
    let world = World::new();
    world.tenant("acme");
    let metadata = BTreeMap::from([("lang".to_owned(), MetadataValue::Text("en".into()))]);
    let new = NewFile {
        file_name: Some("C:\\docs\\fees.md".into()),
        declared: Some(MediaType::Pdf),
        metadata: Metadata::new(metadata.clone()).unwrap(),
        ..NewFile::default()
    };
    let id = world.submit("acme", &new, "# Fees\n\nThree euros.").document.id;
    world.work();
    let document = world.document("acme", id);
    assert_eq!(document.title, "fees.md");
    assert_eq!(document.media_type, MediaType::Markdown);
    assert_eq!(document.metadata, Metadata::new(metadata).unwrap());
}
