//! An index is built anew beside the one that is searched, switched to, and gone back from.

use std::sync::Arc;

use tenantry_domain::{DocumentState, Generation, IndexState};
use tenantry_llm_client::Embedder;
use tenantry_retrieval::{Embedders, IndexError, IngestParts, Ingestor, Reconciler, ReindexError, Reindexer};
use tenantry_tenant_store::IndexStore;
use tenantry_vector_client::testing::{Moment, Operation};
use tenantry_vector_client::{VectorError, VectorStore};

use crate::fate::{Counting, End};
use crate::support::{World, long_text, named, work};

/// The same world as a server sees it after its model was changed.
pub(crate) struct Later {
    pub(crate) embedders: Arc<Embedders>,
    pub(crate) collections: Arc<tenantry_retrieval::Collections>,
}

impl Later {
    pub(crate) fn new(
        world: &World,
        current: Option<Arc<dyn Embedder>>,
        others: Vec<Arc<dyn Embedder>>,
    ) -> Self {
        let embedders = Arc::new(Embedders::new(current, others));
        let collections = tenantry_retrieval::Collections::new(
            world.local.clone(),
            world.store.clone(),
            embedders.clone(),
            world.clock.clone(),
        );
        Self {
            embedders,
            collections: Arc::new(collections),
        }
    }

    fn reconciler(&self, world: &World) -> Reconciler {
        Reconciler::new(
            world.store.clone(),
            world.store.clone(),
            world.store.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            world.store.clone(),
            world.clock.clone(),
        )
    }

    pub(crate) fn reindexer(&self, world: &World) -> Reindexer {
        Reindexer::new(
            Arc::new(self.reconciler(world)),
            self.collections.clone(),
            self.embedders.clone(),
            world.clock.clone(),
        )
    }

    fn ingestor(&self, world: &World) -> Ingestor {
        let parts = IngestParts {
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            ..world.parts()
        };
        Ingestor::new(parts, <_>::default())
    }
}

fn states(world: &World) -> Vec<(u32, IndexState)> {
    let indexes = world
        .store
        .indexes(&world.scope("acme"), None, world.now())
        .unwrap();
    indexes
        .iter()
        .map(|index| (index.generation.get(), index.state))
        .collect()
}

fn chunks(world: &World, generation: u32) -> u64 {
    let generation = Generation::new(generation).unwrap();
    world
        .vectors
        .count(world.scope("acme").index(generation))
        .unwrap()
}

fn three_documents() -> (World, Arc<Counting>) {
    let old = Counting::new("old");
    let world = World::with_embedders(old.clone(), Vec::new());
    world.tenant("acme");
    for n in 0..3 {
        world.submit(
            "acme",
            &named(&format!("kb/{n}"), "Fees"),
            &long_text(30, &format!("n{n}x")),
        );
    }
    world.work();
    old.texts();
    (world, old)
}

#[test]
fn a_new_model_gets_a_new_index_and_the_old_one_stays_to_go_back_to() {
    let (world, old) = three_documents();
    let new = Counting::new("new");
    let later = Later::new(&world, Some(new.clone()), vec![old.clone()]);
    let scope = world.scope("acme");
    let mut seen = Vec::new();
    let reindexer = later.reindexer(&world);
    let built = reindexer
        .build(&scope, &mut |progress| seen.push(progress.repair.done))
        .unwrap();
    assert_eq!((built.live.generation.get(), built.written), (2, 3));
    assert_eq!(built.live.model.unwrap().to_string(), "test/new (64)");
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(states(&world), [(1, IndexState::Retired), (2, IndexState::Live)]);
    assert_eq!(chunks(&world, 1), chunks(&world, 2));
    assert_eq!(u64::try_from(new.texts()).unwrap(), chunks(&world, 2));
    assert_eq!(old.texts(), 0);

    // What comes after the switch goes into the new one alone, until it is gone back.
    world.submit("acme", &named("kb/0", "Fees"), &long_text(20, "changed"));
    world.submit("acme", &named("kb/9", "More"), &long_text(10, "more"));
    work(&later.ingestor(&world));
    assert_eq!(old.texts(), 0);
    let back = reindexer.back(&scope, &mut |_| {}).unwrap();
    assert_eq!(
        (back.live.generation.get(), back.retired.generation.get()),
        (1, 2)
    );
    assert_eq!(states(&world), [(1, IndexState::Live), (2, IndexState::Retired)]);
    assert_eq!(chunks(&world, 1), chunks(&world, 2));
    assert!(later.reconciler(&world).compare(&scope).unwrap().is_none());
}

#[test]
fn one_earlier_index_is_kept_and_no_more() {
    let (world, old) = three_documents();
    let later = Later::new(&world, Some(Counting::new("new")), vec![old]);
    let scope = world.scope("acme");
    let reindexer = later.reindexer(&world);
    reindexer.build(&scope, &mut |_| {}).unwrap();
    reindexer.build(&scope, &mut |_| {}).unwrap();
    assert_eq!(states(&world), [(2, IndexState::Retired), (3, IndexState::Live)]);
    assert_eq!(chunks(&world, 1), 0);
    assert_eq!(reindexer.drop_retired(&scope).unwrap(), 1);
    assert_eq!(states(&world), [(3, IndexState::Live)]);
    assert_eq!(chunks(&world, 2), 0);
    assert!(matches!(
        reindexer.back(&scope, &mut |_| {}),
        Err(ReindexError::NoEarlier)
    ));
}

#[test]
fn documents_come_and_go_while_an_index_is_built() {
    let (world, old) = three_documents();
    let later = Later::new(&world, Some(Counting::new("new")), vec![old]);
    let scope = world.scope("acme");
    let ingestor = later.ingestor(&world);
    let mut step = 0;
    later
        .reindexer(&world)
        .build(&scope, &mut |_| {
            step += 1;
            match step {
                1 => {
                    world.submit("acme", &named("kb/0", "Fees"), &long_text(50, "changed"));
                    work(&ingestor);
                }
                2 => {
                    let filter = tenantry_tenant_store::DocumentFilter {
                        external_id: Some("kb/2".into()),
                        ..<_>::default()
                    };
                    let listed = world.knowledge.documents(&scope, &filter, <_>::default());
                    let id = listed.unwrap().items[0].id;
                    world.knowledge.remove(&scope, id).unwrap();
                    work(&ingestor);
                }
                3 => {
                    world.submit("acme", &named("kb/7", "New"), &long_text(12, "seven"));
                }
                _ => {}
            }
        })
        .unwrap();
    work(&ingestor);
    assert!(step >= 3);
    let compared = later.reconciler(&world).compare(&scope).unwrap();
    assert!(compared.is_none() && compared.busy() == 0, "{compared:?}");
    let listed = world
        .knowledge
        .documents(&scope, &<_>::default(), <_>::default())
        .unwrap();
    assert_eq!(listed.total, 3);
    assert!(
        listed
            .items
            .iter()
            .all(|found| found.state == DocumentState::Ready)
    );
    let total: u32 = listed.items.iter().map(|found| found.chunks).sum();
    assert_eq!(chunks(&world, 2), u64::from(total));
}

#[test]
fn a_build_that_is_killed_at_any_call_goes_on_where_it_was() {
    let mut reached = 0;
    loop {
        let (world, old) = three_documents();
        let later = Later::new(&world, Some(Counting::new("new")), vec![old]);
        let scope = world.scope("acme");
        world.fate.choose(&world.store, End::Death, reached);
        let first = later.reindexer(&world).build(&scope, &mut |_| {});
        let was_reached = world.fate.lift(&world.store);
        assert_eq!(was_reached, first.is_err());
        if first.is_ok() {
            break;
        }
        let live = world.collections.own(&scope).unwrap().live().generation.get();
        assert_eq!(chunks(&world, live), chunks(&world, 1).max(chunks(&world, 2)));
        if live == 1 {
            later.reindexer(&world).build(&scope, &mut |_| {}).unwrap();
            assert_eq!(states(&world), [(1, IndexState::Retired), (2, IndexState::Live)]);
        }
        assert!(later.reconciler(&world).compare(&scope).unwrap().is_none());
        reached += 1;
    }
    assert!(reached > 20, "only {reached} calls were tried");
}

#[test]
fn going_back_goes_on_where_it_was_killed() {
    let (world, old) = three_documents();
    let later = Later::new(&world, Some(Counting::new("new")), vec![old]);
    let scope = world.scope("acme");
    let reindexer = later.reindexer(&world);
    reindexer.build(&scope, &mut |_| {}).unwrap();
    world.submit("acme", &named("kb/0", "Fees"), &long_text(30, "changed"));
    work(&later.ingestor(&world));
    let down = VectorError::Unavailable("scripted".into());
    world.local.fail_nth(Operation::Upsert, 1, Moment::After, down);
    assert!(reindexer.back(&scope, &mut |_| {}).is_err());
    assert_eq!(states(&world), [(1, IndexState::Building), (2, IndexState::Live)]);
    let back = reindexer.back(&scope, &mut |_| {}).unwrap();
    assert_eq!(back.live.generation.get(), 1);
    assert!(later.reconciler(&world).compare(&scope).unwrap().is_none());
}

#[test]
fn an_index_of_a_model_that_is_not_configured_is_not_gone_back_to() {
    let (world, old) = three_documents();
    let new: Arc<dyn Embedder> = Counting::new("new");
    let scope = world.scope("acme");
    Later::new(&world, Some(new.clone()), vec![old])
        .reindexer(&world)
        .build(&scope, &mut |_| {})
        .unwrap();
    let without = Later::new(&world, Some(new), Vec::new());
    let result = without.reindexer(&world).back(&scope, &mut |_| {});
    let Err(ReindexError::Index(IndexError::Mismatch(mismatch))) = result else {
        panic!("{result:?}");
    };
    assert_eq!(
        mismatch.to_string(),
        "the index was built by test/old (64), configured is test/new"
    );
    assert_eq!(states(&world), [(1, IndexState::Retired), (2, IndexState::Live)]);
}

#[test]
fn an_unfinished_index_of_another_model_stands_in_the_way_until_it_is_abandoned() {
    let (world, old) = three_documents();
    let other: Arc<dyn Embedder> = Counting::new("other");
    let scope = world.scope("acme");
    world
        .store
        .begin_index(&scope, Some(&other.identity()), world.now())
        .unwrap();
    let later = Later::new(&world, Some(Counting::new("new")), vec![old, other]);
    let reindexer = later.reindexer(&world);
    let refused = reindexer.build(&scope, &mut |_| {}).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "an index of another model, test/other, is being built"
    );
    assert!(reindexer.abandon(&scope).unwrap());
    assert!(!reindexer.abandon(&scope).unwrap());
    reindexer.build(&scope, &mut |_| {}).unwrap();
}

#[test]
fn a_lexical_index_gets_vectors_when_it_is_built_again() {
    let world = World::new();
    world.tenant("acme");
    world.ingest("acme", "Fees", &long_text(20, "a"));
    let new = Counting::new("new");
    let later = Later::new(&world, Some(new.clone()), Vec::new());
    let scope = world.scope("acme");
    world.submit("acme", &named("kb/1", "More"), "Ten francs.");
    work(&later.ingestor(&world));
    assert_eq!(new.texts(), 0, "a lexical index stays lexical");
    later.reindexer(&world).build(&scope, &mut |_| {}).unwrap();
    assert_eq!(u64::try_from(new.texts()).unwrap(), chunks(&world, 2));
}
