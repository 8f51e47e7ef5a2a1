//! Workers take documents in: piece by piece, in turns, once.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tenantry_domain::{
    Cancellation, DocumentId, DocumentState, Generation, JobStage, JobState, MediaType, TenantId, TextFormat,
};
use tenantry_extraction::{ExtractError, Extracted, Extractor, FileHint, Piece, Sink};
use tenantry_llm_client::LlmError;
use tenantry_retrieval::{IngestLimits, IngestOptions, IngestParts, Ingestor, Settled, Worked};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{Claim, DocumentStore, JobQueue, Settlement, TenantChange, TenantStore};
use tenantry_vector_client::testing::Operation;
use tenantry_vector_client::{Match, VectorError, VectorQuery, VectorStore};

use crate::fate::Counting;
use crate::support::{World, done, long_text, named, titled, turn, work, yielded};

/// Every chunk in the live index that has one of the words of `query`, whatever the records say.
fn stored(world: &World, tenant: &str, query: &str) -> Vec<Match> {
    let scope = world.scope(tenant);
    let query = VectorQuery::words(query, tenantry_domain::TopK::clamp(1_000));
    world
        .vectors
        .search(scope.index(Generation::FIRST), query)
        .unwrap()
}

/// The matches that a search would show: those of the live version of a ready document.
fn shown(world: &World, tenant: &str, query: &str) -> Vec<Match> {
    let scope = world.scope(tenant);
    let mut found = stored(world, tenant, query);
    let ids: Vec<DocumentId> = found.iter().map(|found| found.of.document).collect();
    let ready = world.store.ready_documents(&scope, &ids).unwrap();
    found.retain(|found| {
        ready
            .iter()
            .any(|ready| (ready.id, ready.version) == (found.of.document, found.of.version))
    });
    found
}

fn retried(settled: &Settled) -> Option<&str> {
    match settled {
        Settled::Given(Settlement::Retry { reason, .. }) => Some(reason),
        _ => None,
    }
}

fn failed(settled: &Settled) -> Option<&str> {
    match settled {
        Settled::Given(Settlement::Failed { reason }) => Some(reason),
        _ => None,
    }
}

/// Passes pieces on as it was told.
struct Scripted(Vec<(Option<u32>, &'static str)>);

impl Extractor for Scripted {
    fn extract(
        &self,
        file: &mut dyn Read,
        _: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        file.read_to_end(&mut Vec::new()).unwrap();
        for (page, text) in &self.0 {
            let page = page.map_or(std::ops::ControlFlow::Continue(()), |page| {
                sink(Piece::Page(page))
            });
            if page.is_break() || sink(Piece::Text(text)).is_break() {
                return Err(ExtractError::Stopped);
            }
        }
        Ok(Extracted {
            media_type: MediaType::Pdf,
            format: TextFormat::Markdown,
            title: Some("  The\n rules\u{200B} ".into()),
            pages: 2,
        })
    }
}

/// Fails as it was told.
struct Refusing(fn() -> ExtractError);

impl Extractor for Refusing {
    fn extract(
        &self,
        _: &mut dyn Read,
        _: FileHint<'_>,
        _: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        Err((self.0)())
    }
}

fn extracting(world: &World, extractor: impl Extractor + 'static) -> Ingestor {
    let parts = IngestParts {
        extractor: Arc::new(extractor),
        ..world.parts()
    };
    Ingestor::new(parts, IngestOptions::default())
}

#[test]
fn a_chunk_knows_its_title_headings_and_page() {
    let world = World::new();
    world.tenant("acme");
    let id = world.submit("acme", &<_>::default(), "%PDF").document.id;
    let pieces = vec![
        (Some(1), "# House rules\r\n\r\n## Fees\r\n\r\nLate: three"),
        (None, " euros."),
        (Some(2), "\n\n## Hours\n\nNine to five."),
    ];
    assert_eq!(turn(&extracting(&world, Scripted(pieces))), done());
    let document = world.document("acme", id);
    assert_eq!(
        (document.title.as_str(), document.media_type),
        ("The rules", MediaType::Pdf)
    );
    let (_, text) = world
        .knowledge
        .document_with_text(&world.scope("acme"), id)
        .unwrap()
        .unwrap();
    assert_eq!(
        text,
        "# House rules\n\n## Fees\n\nLate: three euros.\n\n## Hours\n\nNine to five."
    );
    let found = shown(&world, "acme", "late");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].chunk.span.slice(&text), found[0].chunk.text);
    assert_eq!(found[0].chunk.page, Some(1));
    assert_eq!(found[0].chunk.headings, ["House rules"]);
    // The title's words find the chunk too, although they are not in it.
    assert_eq!(shown(&world, "acme", "the rules").len(), 1);
}

#[test]
fn a_chunk_is_found_only_once_its_document_is_ready() {
    let world = World::new();
    world.tenant("acme");
    let id = world
        .submit("acme", &titled("Fees"), &long_text(120, "a"))
        .document
        .id;
    let ingestor = world.ingestor_with_slices(1);
    assert_eq!(turn(&ingestor), yielded());
    assert_eq!(world.document("acme", id).state, DocumentState::Indexing);
    assert!(!stored(&world, "acme", "late").is_empty());
    assert!(shown(&world, "acme", "late").is_empty());
    work(&ingestor);
    let document = world.document("acme", id);
    assert_eq!(document.state, DocumentState::Ready);
    let shown = shown(&world, "acme", "late");
    assert_eq!(u32::try_from(shown.len()).unwrap(), document.chunks);
}

#[test]
fn the_old_version_is_found_until_the_new_one_is_ready() {
    let world = World::new();
    world.tenant("acme");
    let fees = named("kb/1", "Fees");
    let id = world.submit("acme", &fees, &long_text(40, "old")).document.id;
    world.work();
    let submitted = world.submit("acme", &fees, &long_text(120, "new"));
    let ingestor = world.ingestor_with_slices(1);
    let mut turns = 0;
    while turn(&ingestor) == yielded() {
        turns += 1;
        let versions = shown(&world, "acme", "late")
            .into_iter()
            .map(|found| found.of.version);
        assert!(versions.into_iter().all(|version| version == 1));
        assert!(!shown(&world, "acme", "old1").is_empty());
        assert_eq!(world.document("acme", id).version, 1);
    }
    assert!(turns >= 2);
    assert_eq!(world.job("acme", &submitted.job).state, JobState::Done);
    let versions = stored(&world, "acme", "late")
        .into_iter()
        .map(|found| found.of.version);
    assert!(versions.into_iter().all(|version| version == 2));
}

#[test]
fn only_changed_chunks_are_embedded_again() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    let fees = named("kb/1", "Fees");
    let text = long_text(100, "a");
    let id = world.submit("acme", &fees, &text).document.id;
    world.work();
    let chunks = world.document("acme", id).chunks;
    assert_eq!(u32::try_from(embedder.texts()).unwrap(), chunks);
    let submitted = world.submit("acme", &fees, &text.replace("Paragraph a55.", "Paragraph b55."));
    world.work();
    let job = world.job("acme", &submitted.job);
    assert_eq!(world.document("acme", id).version, 2);
    assert_eq!(embedder.texts(), 1);
    assert_eq!(job.progress.reused, chunks - 1);
    assert_eq!(job.progress.chunks, chunks);
}

#[test]
fn a_worker_who_takes_over_embeds_no_segment_twice() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    let id = world
        .submit("acme", &titled("Fees"), &long_text(150, "a"))
        .document
        .id;
    let store = world.store.clone();
    let reports = AtomicUsize::new(0);
    // The second report on a segment is lost, and with it the worker.
    store.fail_when(move |method| {
        let report = method == "report" && reports.fetch_add(1, Ordering::SeqCst) >= 2;
        (report || method == "settle").then(unavailable)
    });
    let outcome = world.ingestor().run_one(None, &Cancellation::new());
    assert!(outcome.is_err());
    world.store.heal();
    world.later(61_000);
    assert_eq!(world.work(), [done()]);
    let chunks = usize::try_from(world.document("acme", id).chunks).unwrap();
    assert_eq!(embedder.texts(), chunks);
}

#[test]
fn the_dimension_is_learned_from_the_first_embedding() {
    let world = World::with_embedders(Counting::new("current"), Vec::new());
    world.tenant("acme");
    let live = |world: &World| {
        let collection = world.collections.own(&world.scope("acme")).unwrap();
        collection.live().model.clone().unwrap()
    };
    assert_eq!(live(&world).dimension, None);
    world.ingest("acme", "Fees", "Three euros.");
    assert_eq!(live(&world).to_string(), "test/current (64)");
}

#[test]
fn an_outage_is_waited_out_with_growing_pauses() {
    let world = World::new();
    world.tenant("acme");
    let id = world.submit("acme", &titled("Fees"), "Three euros.").document.id;
    world.local.set_down(true);
    let ingestor = world.ingestor();
    assert_eq!(retried(&turn(&ingestor)), Some("the vector store is unavailable"));
    assert_eq!(work(&ingestor), []);
    world.later(1_300);
    assert!(retried(&turn(&ingestor)).is_some());
    world.later(1_300);
    assert_eq!(work(&ingestor), []);
    world.local.set_down(false);
    world.later(1_300);
    assert_eq!(work(&ingestor), [done()]);
    assert_eq!(world.document("acme", id).state, DocumentState::Ready);
}

#[test]
fn a_long_text_outlives_more_outages_than_one_place_may_have() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Long"), &long_text(700, "a"));
    let options = IngestOptions {
        slice_segments: 1,
        ..IngestOptions::default()
    };
    let ingestor = Ingestor::new(world.parts(), options);
    assert_eq!(turn(&ingestor), yielded());
    let mut outages = 0;
    while world.document("acme", submitted.document.id).state == DocumentState::Indexing {
        embedder.fail_next(LlmError::Unavailable("scripted".into()));
        assert!(retried(&turn(&ingestor)).is_some());
        outages += 1;
        world.later(2_000);
        turn(&ingestor);
    }
    assert!(outages > 11, "{outages}");
    let document = world.document("acme", submitted.document.id);
    assert_eq!(document.state, DocumentState::Ready);
    let chunks = usize::try_from(document.chunks).unwrap();
    assert_eq!(embedder.texts(), chunks);
}

#[test]
fn an_outage_without_end_fails_the_document_with_its_reason() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Fees"), "Three euros.");
    world.local.set_down(true);
    world.finish(&world.ingestor());
    let document = world.document("acme", submitted.document.id);
    assert_eq!(document.state, DocumentState::Failed);
    assert_eq!(
        document.failure.as_deref(),
        Some("the vector store is unavailable")
    );
    assert_eq!(world.job("acme", &submitted.job).attempts, 11);
}

#[test]
fn a_provider_that_limits_the_rate_is_left_alone_as_long_as_it_asks() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    world.submit("acme", &titled("Fees"), "Three euros.");
    embedder.fail_next(LlmError::RateLimited {
        retry_after: Some(Duration::from_secs(40)),
        source: "scripted".into(),
    });
    let ingestor = world.ingestor();
    assert_eq!(
        retried(&turn(&ingestor)),
        Some("the text could not be embedded: the provider limits the rate")
    );
    world.later(39_000);
    assert_eq!(work(&ingestor), []);
    world.later(1_000);
    assert_eq!(work(&ingestor), [done()]);
}

#[test]
fn a_used_up_quota_is_waited_for_until_the_operator_pays() {
    let embedder = Counting::new("current");
    let world = World::with_embedders(embedder.clone(), Vec::new());
    world.tenant("acme");
    let id = world.submit("acme", &titled("Fees"), "Three euros.").document.id;
    let ingestor = world.ingestor();
    for _ in 0..50 {
        embedder.fail_next(LlmError::QuotaExceeded("scripted".into()));
        assert!(retried(&turn(&ingestor)).is_some());
        world.later(300_000);
    }
    assert_eq!(work(&ingestor), [done()]);
    assert_eq!(world.document("acme", id).state, DocumentState::Ready);
}

#[test]
fn a_bad_file_fails_at_once_for_its_reason() {
    let world = World::new();
    world.tenant("acme");
    let id = world.submit("acme", &titled("Secret"), "%PDF").document.id;
    let ingestor = extracting(&world, Refusing(|| ExtractError::Encrypted));
    let reason = ExtractError::Encrypted.to_string();
    assert_eq!(failed(&turn(&ingestor)), Some(reason.as_str()));
    assert_eq!(
        world.document("acme", id).failure.as_deref(),
        Some(reason.as_str())
    );
    // The tenant's vector store is not asked: nothing was written to it.
    assert!(world.local.calls().is_empty());
}

#[test]
fn a_failed_replacement_leaves_the_old_version_in_place() {
    let world = World::new();
    world.tenant("acme");
    let fees = named("kb/1", "Fees");
    let id = world.submit("acme", &fees, "Three euros.").document.id;
    world.work();
    let submitted = world.submit("acme", &fees, "%PDF");
    assert!(failed(&turn(&extracting(&world, Refusing(|| ExtractError::Encrypted)))).is_some());
    let document = world.document("acme", id);
    assert_eq!((document.state, document.version), (DocumentState::Ready, 1));
    assert_eq!(world.job("acme", &submitted.job).state, JobState::Failed);
    assert_eq!(shown(&world, "acme", "euros").len(), 1);
}

#[test]
fn a_file_that_stops_the_server_each_time_is_given_up() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Poison"), "boom");
    for _ in 0..5 {
        let claim = Claim {
            tenant: None,
            now: world.now(),
            lease_until: (world.now().to_offset_date_time() + Duration::from_mins(1)).into(),
        };
        assert!(world.store.claim(&claim).unwrap().is_some());
        world.later(61_000);
    }
    assert_eq!(
        failed(&turn(&world.ingestor())),
        Some("the server stopped 5 times while reading this file")
    );
    let document = world.document("acme", submitted.document.id);
    assert_eq!(document.state, DocumentState::Failed);
}

/// Panics, as a parser may that somebody wrote in a hurry.
struct Panicking;

impl Extractor for Panicking {
    fn extract(
        &self,
        _: &mut dyn Read,
        _: FileHint<'_>,
        _: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        panic!("scripted")
    }
}

#[test]
fn a_panic_costs_an_attempt_and_not_the_worker() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Poison"), "boom");
    let outcome = extracting(&world, Panicking).run_one(None, &Cancellation::new());
    assert!(matches!(outcome, Ok(Worked::Panicked { job, .. }) if job.id == submitted.job.id));
    world.later(61_000);
    match world.ingestor().run_one(None, &Cancellation::new()) {
        Ok(Worked::Did { job, settled, .. }) => assert_eq!((job.attempts, settled), (1, done())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_beyond_the_limit_is_refused() {
    let world = World::new();
    world.tenant("acme");
    let id = world
        .submit("acme", &titled("Long"), &long_text(100, "a"))
        .document
        .id;
    let options = IngestOptions {
        limits: IngestLimits {
            max_characters: 20_000,
            ..IngestLimits::default()
        },
        ..IngestOptions::default()
    };
    turn(&Ingestor::new(world.parts(), options));
    let failure = world.document("acme", id).failure.unwrap();
    assert!(failure.contains("more than 20000 characters"), "{failure}");
}

#[test]
fn a_worker_stops_when_it_is_told_and_another_goes_on() {
    let world = World::new();
    world.tenant("acme");
    let id = world
        .submit("acme", &titled("Fees"), &long_text(120, "a"))
        .document
        .id;
    let stop = Cancellation::new();
    stop.cancel();
    let stopped = world.ingestor().run_one(None, &stop).unwrap();
    assert!(matches!(stopped, Worked::Did { settled, .. } if settled == yielded()));
    assert_eq!(world.work(), [done()]);
    assert_eq!(world.document("acme", id).state, DocumentState::Ready);
}

#[test]
fn a_worker_that_lost_its_job_changes_nothing_more() {
    let world = World::new();
    world.tenant("acme");
    let fees = named("kb/1", "Fees");
    let id = world.submit("acme", &fees, &long_text(120, "a")).document.id;
    // While the first chunks are written, the clock runs on and another worker does all of it.
    let store = world.vectors.clone();
    let scene = Arc::new(Mutex::new(None::<usize>));
    let other = world.ingestor();
    let clock = world.clock.clone();
    let collections = {
        let meanwhile = Meanwhile {
            inner: store,
            then: Box::new({
                let scene = scene.clone();
                move || {
                    let first = scene.lock().unwrap().replace(0).is_none();
                    if first {
                        clock.advance(Duration::from_secs(61));
                        let turns = work(&other);
                        *scene.lock().unwrap() = Some(turns.len());
                    }
                }
            }),
        };
        let embedders = world.embedders.clone();
        tenantry_retrieval::Collections::new(
            Arc::new(meanwhile),
            world.store.clone(),
            embedders,
            world.clock.clone(),
        )
    };
    let slow = Ingestor::new(
        IngestParts {
            collections: Arc::new(collections),
            ..world.parts()
        },
        IngestOptions::default(),
    );
    let outcome = slow.run_one(None, &Cancellation::new()).unwrap();
    assert!(matches!(
        outcome,
        Worked::Did {
            settled: Settled::Lost,
            ..
        }
    ));
    assert_eq!(*scene.lock().unwrap(), Some(1));
    let document = world.document("acme", id);
    assert_eq!((document.state, document.version), (DocumentState::Ready, 1));
    assert!(
        world
            .reconciler()
            .compare(&world.scope("acme"))
            .unwrap()
            .is_none()
    );
}

/// A vector store that lets something happen before each write.
struct Meanwhile {
    inner: Arc<dyn VectorStore>,
    then: Box<dyn Fn() + Send + Sync>,
}

impl VectorStore for Meanwhile {
    fn upsert(
        &self,
        index: tenantry_domain::IndexScope<'_>,
        of: tenantry_domain::DocumentVersion,
        metadata: &tenantry_domain::Metadata,
        chunks: &[tenantry_vector_client::IndexedChunk],
    ) -> Result<(), VectorError> {
        (self.then)();
        self.inner.upsert(index, of, metadata, chunks)
    }

    fn search(
        &self,
        index: tenantry_domain::IndexScope<'_>,
        query: VectorQuery<'_>,
    ) -> Result<Vec<Match>, VectorError> {
        self.inner.search(index, query)
    }

    fn embeddings(
        &self,
        index: tenantry_domain::IndexScope<'_>,
        document: DocumentId,
        hashes: &[tenantry_domain::ChunkHash],
    ) -> Result<std::collections::HashMap<tenantry_domain::ChunkHash, tenantry_domain::Embedding>, VectorError>
    {
        self.inner.embeddings(index, document, hashes)
    }

    fn remove(
        &self,
        index: tenantry_domain::IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.inner.remove(index, document, keep)
    }

    fn clear(&self, index: tenantry_domain::IndexScope<'_>) -> Result<(), VectorError> {
        self.inner.clear(index)
    }

    fn count(&self, index: tenantry_domain::IndexScope<'_>) -> Result<u64, VectorError> {
        self.inner.count(index)
    }

    fn contents(
        &self,
        index: tenantry_domain::IndexScope<'_>,
    ) -> Result<Vec<tenantry_vector_client::StoredVersion>, VectorError> {
        self.inner.contents(index)
    }
}

/// Says nothing until the lease was renewed several times.
struct Silent(Arc<(Mutex<usize>, Condvar)>);

impl Extractor for Silent {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let (renewals, renewed) = &*self.0;
        let enough = renewed
            .wait_while(renewals.lock().unwrap(), |renewals| *renewals < 3)
            .unwrap();
        drop(enough);
        tenantry_extraction::MemoryExtractor.extract(file, hint, sink)
    }
}

#[test]
fn a_lease_is_renewed_while_a_file_is_read_in_silence() {
    let world = World::new();
    world.tenant("acme");
    world.submit("acme", &titled("Fees"), "Three euros.");
    let renewals = Arc::new((Mutex::new(0), Condvar::new()));
    let counted = renewals.clone();
    world.store.fail_when(move |method| {
        if method == "report" {
            *counted.0.lock().unwrap() += 1;
            counted.1.notify_all();
        }
        None
    });
    let parts = IngestParts {
        extractor: Arc::new(Silent(renewals)),
        ..world.parts()
    };
    let options = IngestOptions {
        lease: Duration::from_millis(30),
        ..IngestOptions::default()
    };
    assert_eq!(turn(&Ingestor::new(parts, options)), done());
}

#[test]
fn one_document_waits_for_one_turn_of_a_flood() {
    let world = World::new();
    world.tenant("flood");
    world.tenant("acme");
    for n in 0..2_000 {
        world.submit("flood", &titled("Flood"), &format!("Document {n}."));
    }
    let ingestor = world.ingestor();
    for _ in 0..3 {
        assert_eq!(turn(&ingestor), done());
    }
    let id = world.submit("acme", &titled("Fees"), "Three euros.").document.id;
    let mut turns = 0;
    while world.document("acme", id).state != DocumentState::Ready {
        assert_eq!(turn(&ingestor), done());
        turns += 1;
    }
    assert!(turns <= 2, "it waited for {turns} turns");
}

#[test]
fn one_document_waits_for_one_slice_of_a_long_text() {
    let world = World::new();
    world.tenant("long");
    world.tenant("acme");
    let long = world.submit("long", &titled("Long"), &long_text(2_000, "a"));
    let ingestor = world.ingestor();
    assert_eq!(turn(&ingestor), yielded());
    let before = world.job("long", &long.job).progress;
    assert_eq!((before.segments_done, before.segments > 50), (16, true));
    let id = world.submit("acme", &titled("Fees"), "Three euros.").document.id;
    let mut turns = 0;
    while world.document("acme", id).state != DocumentState::Ready {
        turn(&ingestor);
        turns += 1;
    }
    assert!(turns <= 2, "it waited for {turns} turns");
    work(&ingestor);
    let document = world.document("long", long.document.id);
    assert_eq!(document.state, DocumentState::Ready);
    let found = shown(&world, "long", "a0 a700 a1999");
    assert!(
        found
            .iter()
            .any(|found| found.chunk.text.contains("Paragraph a1999."))
    );
    assert_eq!(world.job("long", &long.job).attempts, 0);
}

#[test]
fn a_turn_ends_when_its_time_is_over() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Fees"), &long_text(150, "a"));
    let clock = world.clock.clone();
    world.store.fail_when(move |method| {
        if method == "segments" {
            clock.advance(Duration::from_secs(11));
        }
        None
    });
    let ingestor = world.ingestor();
    assert_eq!(turn(&ingestor), yielded());
    assert_eq!(world.job("acme", &submitted.job).progress.segments_done, 1);
    assert_eq!(turn(&ingestor), yielded());
    assert_eq!(world.job("acme", &submitted.job).progress.segments_done, 2);
}

#[test]
fn a_worker_may_serve_one_tenant_alone() {
    let world = World::new();
    world.tenant("acme");
    world.tenant("other");
    world.submit("acme", &titled("Fees"), "Three euros.");
    world.submit("other", &titled("Fees"), "Ten francs.");
    let other = TenantId::parse("other").unwrap();
    let ingestor = world.ingestor();
    let stop = Cancellation::new();
    let first = ingestor.run_one(Some(&other), &stop).unwrap();
    assert!(matches!(first, Worked::Did { tenant, .. } if tenant == other));
    assert!(matches!(
        ingestor.run_one(Some(&other), &stop).unwrap(),
        Worked::Idle
    ));
    assert_eq!(work(&ingestor).len(), 1);
}

#[test]
fn the_jobs_of_an_inactive_tenant_wait() {
    let world = World::new();
    let acme = world.tenant("acme");
    world.submit("acme", &titled("Fees"), "Three euros.");
    let active = |is_active| {
        let change = TenantChange {
            is_active: Some(is_active),
            ..TenantChange::default()
        };
        world.store.update_tenant(&acme, &change, world.now()).unwrap();
    };
    active(false);
    assert_eq!(world.work(), []);
    active(true);
    assert_eq!(world.work(), [done()]);
}

#[test]
fn a_job_that_was_not_begun_is_cancelled_at_once() {
    let world = World::new();
    world.tenant("acme");
    let submitted = world.submit("acme", &titled("Fees"), "Three euros.");
    let scope = world.scope("acme");
    let cancelled = world.knowledge.cancel(&scope, submitted.job.id).unwrap().unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!(world.work(), []);
}

#[test]
fn cleaning_that_keeps_failing_does_not_unmake_what_is_found() {
    let world = World::new();
    world.tenant("acme");
    let fees = named("kb/1", "Fees");
    let id = world.submit("acme", &fees, "Three euros.").document.id;
    world.work();
    let submitted = world.submit("acme", &fees, "Four euros.");
    let ingestor = world.ingestor();
    for _ in 0..11 {
        world
            .local
            .fail_next(Operation::Remove, VectorError::Unavailable("scripted".into()));
    }
    world.finish(&ingestor);
    let job = world.job("acme", &submitted.job);
    assert_eq!((job.state, job.stage), (JobState::Done, JobStage::Cleaning));
    let document = world.document("acme", id);
    assert_eq!((document.state, document.version), (DocumentState::Ready, 2));
    let scope = world.scope("acme");
    let reconciler = world.reconciler();
    assert_eq!(reconciler.compare(&scope).unwrap().total(), 1);
    assert_eq!(reconciler.repair(&scope, &mut |_| {}).unwrap().cleaned, 1);
    assert!(reconciler.compare(&scope).unwrap().is_none());
}

#[test]
fn a_removal_is_tried_until_it_is_done() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "Three euros.");
    let scope = world.scope("acme");
    let job = world.knowledge.remove(&scope, document.id).unwrap().unwrap();
    world.local.set_down(true);
    world.finish(&world.ingestor());
    assert!(!world.job("acme", &job).state.is_over());
    world.local.set_down(false);
    world.later(400_000);
    assert_eq!(world.work(), [done()]);
    assert!(stored(&world, "acme", "euros").is_empty());
}
