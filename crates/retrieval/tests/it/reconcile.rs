//! Index and records are compared, and made equal again whatever came between them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tenantry_domain::{
    ChunkHash, Document, DocumentId, DocumentState, DocumentVersion, Embedding, ExternalIndex, Generation,
    IndexScope, Metadata, SourceId,
};
use tenantry_retrieval::{CollectionError, Collections, IndexError, NewTenant, Reconciler, TenantUpdate};
use tenantry_tenant_store::SourceStore;
use tenantry_vector_client::testing::{Moment, Operation};
use tenantry_vector_client::{
    IndexedChunk, Match, MemoryVectorStore, StoredVersion, VectorError, VectorQuery, VectorStore,
};

use crate::fate::Counting;
use crate::support::{World, index, long_text, named, titled, turn, with_key};

const KEY: &str = "pcsk_0123456789abcdef_WXYZ";

fn world() -> World {
    let world = World::with_embedders(Counting::new("current"), Vec::new());
    world.tenant("acme");
    world
}

fn of(document: &Document, version: u32) -> DocumentVersion {
    DocumentVersion {
        document: document.id,
        version,
    }
}

#[test]
fn what_workers_did_leaves_no_difference() {
    let world = world();
    let kept = world.ingest("acme", "Kept", &long_text(60, "a"));
    let gone = world.ingest("acme", "Gone", "Ten francs.");
    let scope = world.scope("acme");
    world.knowledge.remove(&scope, gone.id).unwrap();
    world.work();
    let differences = world.reconciler().compare(&scope).unwrap();
    assert!(differences.is_none());
    let index = &differences.indexes[0];
    assert_eq!((index.documents, index.chunks), (1, u64::from(kept.chunks)));
}

#[test]
fn missing_partial_and_orphaned_versions_are_told_apart_and_set_right() {
    let world = world();
    let missing = world.ingest("acme", "Missing", &long_text(3, "a"));
    let partial = world.ingest("acme", "Partial", &long_text(60, "b"));
    let bare = world.ingest("acme", "Bare", &long_text(3, "c"));
    let whole = world.ingest("acme", "Whole", &long_text(3, "d"));
    let scope = world.scope("acme");
    let index = scope.index(Generation::FIRST);
    world.vectors.remove(index, missing.id, None).unwrap();
    // Half of one document, another without its embeddings, and a version that never was published.
    let keep_some = |document: &Document, chunks: usize, embedded: bool, version: u32| {
        let all = VectorQuery {
            with_embeddings: true,
            ..VectorQuery::words("late", tenantry_domain::TopK::clamp(1_000))
        };
        let found = world.vectors.search(index, all).unwrap();
        let kept: Vec<_> = found
            .into_iter()
            .filter(|found| found.of.document == document.id)
            .take(chunks)
            .map(|found| IndexedChunk {
                chunk: found.chunk,
                context: String::new(),
                hash: ChunkHash::from_bytes([0; 16]),
                embedding: found.embedding.filter(|_| embedded),
            })
            .collect();
        assert!(!kept.is_empty());
        if version == document.version {
            world.vectors.remove(index, document.id, None).unwrap();
        }
        world
            .vectors
            .upsert(index, of(document, version), &Metadata::default(), &kept)
            .unwrap();
    };
    keep_some(&partial, 10, true, 1);
    keep_some(&bare, 1_000, false, 1);
    keep_some(&whole, 2, true, 7);

    let reconciler = world.reconciler();
    let found = reconciler.compare(&scope).unwrap().indexes.remove(0);
    assert_eq!(found.missing, [of(&missing, 1)]);
    let mut differing: Vec<_> = found.partial.iter().map(|stored| stored.of).collect();
    differing.sort_unstable();
    let mut expected = [of(&partial, 1), of(&bare, 1)];
    expected.sort_unstable();
    assert_eq!(differing, expected);
    assert_eq!(found.orphans, [of(&whole, 7)]);

    let mut seen = Vec::new();
    let repaired = reconciler
        .repair(&scope, &mut |progress| seen.push((progress.done, progress.total)))
        .unwrap();
    assert_eq!((repaired.written, repaired.cleaned, repaired.passes), (3, 1, 1));
    assert_eq!(seen, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    assert!(repaired.left.is_none());
    assert!(reconciler.compare(&scope).unwrap().is_none());
}

#[test]
fn chunks_beyond_the_last_one_are_removed() {
    let world = world();
    let document = world.ingest("acme", "Fees", &long_text(3, "a"));
    let scope = world.scope("acme");
    let index = scope.index(Generation::FIRST);
    let query = VectorQuery {
        with_embeddings: true,
        ..VectorQuery::words("late", tenantry_domain::TopK::clamp(9))
    };
    let mut one = world.vectors.search(index, query).unwrap().remove(0);
    one.chunk.ordinal = 77;
    let surplus = IndexedChunk {
        chunk: one.chunk,
        context: String::new(),
        hash: ChunkHash::from_bytes([0; 16]),
        embedding: one.embedding,
    };
    world
        .vectors
        .upsert(index, of(&document, 1), &Metadata::default(), &[surplus])
        .unwrap();
    let reconciler = world.reconciler();
    assert_eq!(reconciler.compare(&scope).unwrap().total(), 1);
    assert!(reconciler.repair(&scope, &mut |_| {}).unwrap().left.is_none());
    assert_eq!(world.vectors.count(index).unwrap(), u64::from(document.chunks));
}

#[test]
fn a_lost_index_is_made_again_from_the_stored_text() {
    let world = world();
    for n in 0..5 {
        world.ingest("acme", &format!("Fees {n}"), &long_text(40, &format!("n{n}x")));
    }
    let scope = world.scope("acme");
    let index = scope.index(Generation::FIRST);
    let before = world.vectors.contents(index).unwrap();
    world.vectors.clear(index).unwrap();
    let repaired = world.reconciler().repair(&scope, &mut |_| {}).unwrap();
    assert_eq!((repaired.written, repaired.left.total()), (5, 0));
    assert_eq!(world.vectors.contents(index).unwrap(), before);
}

/// A vector store whose listing lags two calls behind each write, as a service's may.
struct Lagging {
    inner: Arc<MemoryVectorStore>,
    shown: Mutex<(Vec<StoredVersion>, u8)>,
}

impl VectorStore for Lagging {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        self.shown.lock().unwrap().1 = 2;
        self.inner.upsert(index, of, metadata, chunks)
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.inner.search(index, query)
    }

    fn embeddings(
        &self,
        _: IndexScope<'_>,
        _: DocumentId,
        _: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        Ok(HashMap::new())
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.inner.remove(index, document, keep)
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.inner.clear(index)
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        self.inner.count(index)
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        let mut shown = self.shown.lock().unwrap();
        if shown.1 == 0 {
            shown.0 = self.inner.contents(index)?;
        } else {
            shown.1 -= 1;
        }
        Ok(shown.0.clone())
    }
}

#[test]
fn a_store_that_shows_its_writes_late_is_written_once() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    for n in 0..3 {
        world.ingest("acme", "Fees", &long_text(3, &format!("n{n}x")));
    }
    let scope = world.scope("acme");
    world.vectors.clear(scope.index(Generation::FIRST)).unwrap();
    let before = embedder.texts();
    let lagging = Arc::new(Lagging {
        inner: world.vectors.clone(),
        shown: Mutex::default(),
    });
    let (store, embedders, clock) = (&world.store, &world.embedders, &world.clock);
    let collections = Collections::new(lagging, store.clone(), embedders.clone(), clock.clone());
    let reconciler = Reconciler::new(
        store.clone(),
        store.clone(),
        store.clone(),
        Arc::new(collections),
        embedders.clone(),
        store.clone(),
        clock.clone(),
    );
    let repaired = reconciler.repair(&scope, &mut |_| {}).unwrap();
    assert_eq!(
        (repaired.passes, repaired.written, repaired.left.total()),
        (1, 3, 0)
    );
    assert_eq!(embedder.texts(), before);
}

#[test]
fn a_document_that_is_being_worked_on_is_left_to_its_worker() {
    let world = world();
    let fees = named("kb/1", "Fees");
    world.submit("acme", &fees, &long_text(30, "old"));
    world.work();
    world.submit("acme", &fees, &long_text(120, "new"));
    let slices = world.ingestor_with_slices(1);
    assert_eq!(turn(&slices), crate::support::yielded());
    let scope = world.scope("acme");
    let reconciler = world.reconciler();
    let differences = reconciler.compare(&scope).unwrap();
    assert!(differences.is_none());
    assert_eq!(differences.busy(), 1);
    let repaired = reconciler.repair(&scope, &mut |_| {}).unwrap();
    assert_eq!((repaired.written, repaired.cleaned), (0, 0));
    crate::support::work(&slices);
    let differences = reconciler.compare(&scope).unwrap();
    assert!(differences.is_none() && differences.busy() == 0);
}

#[test]
fn files_whose_submission_was_never_made_are_removed_after_a_day() {
    let world = world();
    let scope = world.scope("acme");
    let source = SourceId::generate(world.now());
    world
        .store
        .add_part(&scope, source, 0, b"left", world.now())
        .unwrap();
    let reconciler = world.reconciler();
    world.clock.advance(Duration::from_hours(23));
    assert_eq!(reconciler.repair(&scope, &mut |_| {}).unwrap().abandoned_files, 0);
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(reconciler.repair(&scope, &mut |_| {}).unwrap().abandoned_files, 1);
    assert_eq!(world.store.part(&scope, source, 0).unwrap(), None);
}

#[test]
fn an_index_of_another_tool_is_not_compared() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let new = NewTenant {
        pinecone_external: Some(ExternalIndex {
            namespace: String::new(),
            text_field: ExternalIndex::TEXT_FIELD.into(),
        }),
        ..with_key("acme", KEY, None)
    };
    world.tenants.create(&world.root, new).unwrap();
    let result = world.reconciler().compare(&world.scope("acme"));
    assert!(matches!(
        result,
        Err(IndexError::Collection(CollectionError::ReadOnly))
    ));
}

#[test]
fn a_document_is_removed_from_here_when_its_tenants_index_is_another_tools_by_now() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "Ten francs.");
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let update = TenantUpdate {
        pinecone_api_key: Some(KEY.to_owned().into()),
        pinecone_external: Some(Some(ExternalIndex {
            namespace: String::new(),
            text_field: ExternalIndex::TEXT_FIELD.into(),
        })),
        ..TenantUpdate::default()
    };
    let acme = world.scope("acme").id().clone();
    world.tenants.update(&world.root, &acme, &update).unwrap();
    let scope = world.scope("acme");
    world.knowledge.remove(&scope, document.id).unwrap();
    world.work();
    assert_eq!(world.knowledge.document(&scope, document.id).unwrap(), None);
    assert_eq!(world.vectors.count(scope.index(Generation::FIRST)).unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn after_faults_between_the_two_repair_leaves_no_difference(
        faults in prop::collection::vec((0..4_usize, 1..12_usize, any::<bool>()), 0..8),
        steps in prop::collection::vec(0..4_u8, 1..8),
    ) {
        let world = world();
        for (operation, n, after) in faults {
            let operation = [Operation::Upsert, Operation::Remove, Operation::Embeddings, Operation::Clear][operation];
            let moment = if after { Moment::After } else { Moment::Before };
            world.local.fail_nth(operation, n, moment, VectorError::Refused("scripted".into()));
        }
        let scope = world.scope("acme");
        for (n, step) in steps.into_iter().enumerate() {
            if step == 0 {
                let found = world.knowledge.documents(&scope, &<_>::default(), <_>::default()).unwrap();
                if let Some(document) = found.items.first() {
                    world.knowledge.remove(&scope, document.id).unwrap();
                }
            } else {
                let text = long_text(4 * u32::from(step), &format!("n{n}x"));
                world.submit("acme", &named(&format!("kb/{step}"), "Fees"), &text);
            }
            crate::support::work(&world.ingestor());
        }
        world.finish_quickly();
        let reconciler = world.reconciler();
        // A fault may still lie ahead of the repair itself; the same call again goes on.
        let repaired = (0..10).find_map(|_| reconciler.repair(&scope, &mut |_| {}).ok()).unwrap();
        prop_assert!(repaired.left.is_none() && repaired.left.busy() == 0);
        let ready = world.knowledge.documents(&scope, &<_>::default(), <_>::default()).unwrap();
        let chunks: u32 = ready.items.iter().filter(|found| found.state == DocumentState::Ready).map(|found| found.chunks).sum();
        prop_assert_eq!(world.vectors.count(scope.index(Generation::FIRST)).unwrap(), u64::from(chunks));
    }
}

#[test]
fn a_repair_that_fails_goes_on_when_it_is_called_again() {
    let world = world();
    for n in 0..4 {
        world.ingest("acme", "Fees", &long_text(3, &format!("n{n}x")));
    }
    let scope = world.scope("acme");
    world.vectors.clear(scope.index(Generation::FIRST)).unwrap();
    let down = VectorError::Unavailable("scripted".into());
    world.local.fail_nth(Operation::Upsert, 3, Moment::Before, down);
    let reconciler = world.reconciler();
    assert!(reconciler.repair(&scope, &mut |_| {}).is_err());
    let repaired = reconciler.repair(&scope, &mut |_| {}).unwrap();
    assert_eq!((repaired.written, repaired.left.total()), (2, 0));
}

#[test]
fn titles_are_written_as_they_are_in_the_records() {
    let world = World::new();
    world.tenant("acme");
    world.submit("acme", &titled("Zebra crossing"), "Ten francs.");
    world.work();
    let scope = world.scope("acme");
    let index = scope.index(Generation::FIRST);
    world.vectors.clear(index).unwrap();
    world.reconciler().repair(&scope, &mut |_| {}).unwrap();
    let query = VectorQuery::words("zebra", tenantry_domain::TopK::clamp(5));
    assert_eq!(world.vectors.search(index, query).unwrap().len(), 1);
}
