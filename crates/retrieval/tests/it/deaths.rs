//! A worker may be killed, or a part may fail, at any call: the next worker brings every document to its end, and index and
//! records are equal.

use std::sync::Arc;

use tenantry_domain::{
    Cancellation, Document, DocumentId, DocumentState, DocumentVersion, Job, JobState, Page, TenantScope,
};
use tenantry_retrieval::{Ingestor, Worked};
use tenantry_tenant_store::{DocumentFilter, DocumentStore, IndexStore, JobFilter, SourceStore};

use crate::fate::{Counting, End};
use crate::support::{World, done, long_text, titled, turn, yielded};

/// Lets a worker end at each of its calls in turn, each time in a new world; `begin` makes what there is to be done, and
/// `check` is asked about what came of it.
fn at_every_call<T>(segments: u32, begin: impl Fn(&World) -> T, check: impl Fn(&World, T)) {
    for end in [End::Death, End::Fault, End::LostAnswer] {
        let mut reached = 0;
        loop {
            let world = World::with_embedders(Counting::new("current"), Vec::new());
            world.tenant("acme");
            let given = begin(&world);
            world.fate.choose(&world.store, end, reached);
            until_the_end(&world, &world.ingestor_with_slices(segments));
            let was_reached = world.fate.lift(&world.store);
            recover(&world, &world.ingestor_with_slices(segments));
            is_settled(&world);
            check(&world, given);
            if !was_reached {
                break;
            }
            reached += 1;
        }
        assert!(reached >= 5, "only {reached} calls were tried");
    }
}

/// Works until a call fails or nothing is left.
fn until_the_end(world: &World, ingestor: &Ingestor) {
    for _ in 0..100 {
        match ingestor.run_one(None, &Cancellation::new()) {
            Ok(Worked::Did { .. }) => {}
            Ok(Worked::Idle) => world.later(2_000),
            Ok(Worked::Panicked { .. }) => panic!("a worker panicked"),
            Err(_) => break,
        }
    }
}

/// What the next worker does: the lease of the one before ends first.
fn recover(world: &World, ingestor: &Ingestor) {
    for _ in 0..20 {
        world.later(61_000);
        while let Worked::Did { .. } = ingestor.run_one(None, &Cancellation::new()).unwrap() {}
    }
}

fn documents(world: &World, scope: &TenantScope) -> Vec<Document> {
    world
        .knowledge
        .documents(scope, &DocumentFilter::default(), Page::default())
        .unwrap()
        .items
}

/// Nothing is between two states, and nothing is left over anywhere.
fn is_settled(world: &World) {
    let scope = world.scope("acme");
    let jobs = world
        .knowledge
        .jobs(&scope, &JobFilter::default(), Page::default())
        .unwrap();
    assert!(jobs.items.iter().all(|job| job.state.is_over()), "{jobs:?}");
    for document in documents(world, &scope) {
        assert!(
            matches!(document.state, DocumentState::Ready | DocumentState::Failed),
            "{document:?}"
        );
        for version in (0..9).filter(|version| *version != document.version) {
            let of = DocumentVersion {
                document: document.id,
                version,
            };
            assert_eq!(world.store.segments(&scope, of, 0, 1).unwrap(), [], "{version}");
        }
    }
    let differences = world.reconciler().compare(&scope).unwrap();
    assert!(
        differences.is_none() && differences.busy() == 0,
        "{differences:?}"
    );
    let tomorrow = (world.now().to_offset_date_time() + std::time::Duration::from_hours(24)).into();
    assert_eq!(world.store.remove_abandoned(&scope, tomorrow).unwrap(), 0);
}

fn is_ready(world: &World, id: DocumentId, version: u32) {
    let document = world.document("acme", id);
    assert_eq!(
        (document.state, document.version),
        (DocumentState::Ready, version)
    );
    assert!(document.chunks > 0);
    let (_, text) = world
        .knowledge
        .document_with_text(&world.scope("acme"), id)
        .unwrap()
        .unwrap();
    assert_eq!(
        usize::try_from(document.characters).unwrap(),
        text.chars().count()
    );
}

#[test]
fn a_new_document_becomes_ready() {
    at_every_call(
        16,
        |world| {
            world
                .submit("acme", &titled("Fees"), &long_text(36, "a"))
                .document
                .id
        },
        |world, id| is_ready(world, id, 1),
    );
}

#[test]
fn a_document_that_is_indexed_in_several_turns_becomes_ready() {
    at_every_call(
        1,
        |world| {
            world
                .submit("acme", &titled("Fees"), &long_text(44, "a"))
                .document
                .id
        },
        |world, id| is_ready(world, id, 1),
    );
}

#[test]
fn a_replacement_takes_the_place_of_what_was_there() {
    at_every_call(
        16,
        |world| {
            let named = crate::support::named("kb/1", "Fees");
            let id = world.submit("acme", &named, &long_text(20, "a")).document.id;
            world.work();
            world.submit("acme", &named, &long_text(36, "b"));
            id
        },
        |world, id| is_ready(world, id, 2),
    );
}

#[test]
fn a_removed_document_is_gone() {
    at_every_call(
        16,
        |world| {
            let document = world.ingest("acme", "Fees", &long_text(20, "a"));
            world.knowledge.remove(&world.scope("acme"), document.id).unwrap();
        },
        |world, ()| assert_eq!(documents(world, &world.scope("acme")), []),
    );
}

#[test]
fn a_cancelled_job_leaves_no_trace() {
    at_every_call(
        16,
        |world| {
            let submitted = world.submit("acme", &titled("Fees"), &long_text(44, "a"));
            assert_eq!(turn(&world.ingestor_with_slices(1)), yielded());
            let cancelled = world.knowledge.cancel(&world.scope("acme"), submitted.job.id);
            cancelled.unwrap().unwrap()
        },
        |world, job: Job| {
            assert_eq!(world.job("acme", &job).state, JobState::Cancelled);
            let document = world.document("acme", job.document);
            assert_eq!(document.state, DocumentState::Failed);
        },
    );
}

#[test]
fn a_file_without_text_fails_for_that_reason() {
    at_every_call(
        16,
        |world| world.submit("acme", &titled("Blank"), " \n\t \n").document.id,
        |world, id| {
            let document = world.document("acme", id);
            assert_eq!(document.state, DocumentState::Failed);
            assert_eq!(document.failure.as_deref(), Some("the file has no readable text"));
        },
    );
}

#[test]
fn a_document_reaches_an_index_that_is_begun_on_the_way() {
    at_every_call(
        1,
        |world| {
            let submitted = world.submit("acme", &titled("Fees"), &long_text(44, "a"));
            assert_eq!(turn(&world.ingestor_with_slices(1)), yielded());
            let model = world.embedders.current_model();
            world
                .store
                .begin_index(&world.scope("acme"), model.as_ref(), world.now())
                .unwrap();
            submitted.document.id
        },
        |world, id| is_ready(world, id, 1),
    );
}

#[test]
fn two_workers_do_each_job_once() {
    let world = Arc::new(World::with_embedders(Counting::new("current"), Vec::new()));
    world.tenant("acme");
    let ids: Vec<_> = (0..20)
        .map(|n| {
            let text = long_text(3, &format!("n{n}x"));
            world.submit("acme", &titled("Fees"), &text).document.id
        })
        .collect();
    let counts: Vec<usize> = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..2)
            .map(|_| threads.spawn(|| crate::support::work(&world.ingestor())))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                let turns = worker.join().unwrap();
                assert!(turns.iter().all(|settled| *settled == done()));
                turns.len()
            })
            .collect()
    });
    assert_eq!(counts.iter().sum::<usize>(), 20);
    for id in ids {
        is_ready(&world, id, 1);
    }
    is_settled(&world);
}
