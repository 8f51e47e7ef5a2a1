//! A tenant names the embedding model of its index.

use std::sync::Arc;

use tenantry_domain::TopK;
use tenantry_llm_client::MemoryEmbedder;
use tenantry_retrieval::{
    ChatTuning, DenseSearch, Embedders, NewTenant, OfferedModels, PineconeLookup, ReindexError,
    RejectedPinecone, SaveTenantError, SearchRequest, Searcher, Tenants,
};
use tenantry_tenant_store::{TenantChange, TenantStore};

use crate::fate::Counting;
use crate::reindex::Later;
use crate::support::{World, index, with_key};

const KEY: &str = "pcsk_0123456789abcdef";

struct Two {
    world: World,
    first: Arc<Counting>,
    second: Arc<Counting>,
}

/// A server with two models, the first for who names none.
fn two() -> Two {
    let (first, second) = (Counting::new("first"), Counting::new("second"));
    let world = World::with_embedders(first.clone(), vec![second.clone()]);
    world.tenant("acme");
    world.tenant("globex");
    Two { world, first, second }
}

impl Two {
    fn name(&self, tenant: &str, model: Option<&str>) {
        let mut chat = self.world.scope(tenant).tenant().chat.clone();
        chat.embedding_model = model.map(Into::into);
        let change = TenantChange {
            chat: Some(chat),
            ..TenantChange::default()
        };
        let id = tenant.parse().unwrap();
        let store = self.world.store.inner();
        store
            .update_tenant(&id, &change, self.world.now())
            .unwrap()
            .unwrap();
    }

    /// The model that a search of the tenant's index used.
    fn searched(&self, later: &Later, tenant: &str) -> DenseSearch {
        let searcher = Searcher::new(
            self.world.store.clone(),
            later.collections.clone(),
            later.embedders.clone(),
            None,
        );
        let request = SearchRequest {
            explain: true,
            ..SearchRequest::new("late return", TopK::new(3).unwrap())
        };
        let found = searcher.search(&self.world.scope(tenant), &request).unwrap();
        assert_eq!(found.hits.len(), 1);
        found.explanation.unwrap().dense
    }

    fn later(&self) -> Later {
        Later::new(&self.world, Some(self.first.clone()), vec![self.second.clone()])
    }
}

fn is_by(searched: &DenseSearch, name: &str) -> bool {
    matches!(searched, DenseSearch::Searched(model) if model.name == name)
}

#[test]
fn a_new_index_is_made_by_the_model_that_the_tenant_names() {
    let two = two();
    two.name("globex", Some("second"));
    for tenant in ["acme", "globex"] {
        two.world
            .ingest(tenant, "Fees", "A late return costs three euros.");
    }
    assert_eq!((two.first.texts(), two.second.texts()), (1, 1));
    let later = two.later();
    assert!(is_by(&two.searched(&later, "acme"), "first"));
    assert!(is_by(&two.searched(&later, "globex"), "second"));
}

#[test]
fn an_index_stays_searched_by_the_model_that_made_it_until_it_is_built_anew() {
    let two = two();
    two.world
        .ingest("acme", "Fees", "A late return costs three euros.");
    let (later, scope) = (two.later(), || two.world.scope("acme"));
    let reindexer = later.reindexer(&two.world);
    assert!(!reindexer.is_outdated(&scope()).unwrap());
    two.name("acme", Some("second"));
    assert!(is_by(&two.searched(&later, "acme"), "first"));
    assert!(reindexer.is_outdated(&scope()).unwrap());
    assert!(!reindexer.is_outdated(&two.world.scope("globex")).unwrap());

    reindexer.build(&scope(), &mut |_| {}).unwrap();
    assert!(is_by(&two.searched(&later, "acme"), "second"));
    assert!(!reindexer.is_outdated(&scope()).unwrap());
    two.name("acme", None);
    assert!(reindexer.is_outdated(&scope()).unwrap());
}

#[test]
fn a_model_that_is_not_configured_makes_no_index_and_no_other_takes_its_place() {
    let two = two();
    two.name("acme", Some("sold-out"));
    two.world
        .ingest("acme", "Fees", "A late return costs three euros.");
    assert_eq!((two.first.texts(), two.second.texts()), (0, 0));
    let later = two.later();
    assert_eq!(two.searched(&later, "acme"), DenseSearch::NoModel);
    let reindexer = later.reindexer(&two.world);
    let scope = two.world.scope("acme");
    for refused in [
        reindexer.is_outdated(&scope).map(drop),
        reindexer.build(&scope, &mut |_| {}).map(drop),
    ] {
        match refused {
            Err(ReindexError::UnknownModel(unknown)) => assert_eq!(unknown.0, "sold-out"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_model_goes_by_its_name_whether_or_not_it_is_the_servers_first() {
    let two = two();
    let scope = two.world.scope("acme");
    assert_eq!(two.world.embedders.names(), ["first", "second"]);
    for (named, wanted) in [
        (None, "first"),
        (Some("first"), "first"),
        (Some("second"), "second"),
    ] {
        two.name("acme", named);
        let scope = two.world.scope("acme");
        let found = two.world.embedders.wanted(scope.tenant()).unwrap().unwrap();
        assert_eq!(found.identity().name, wanted);
    }
    assert!(Embedders::none().wanted(scope.tenant()).unwrap().is_none());
}

#[test]
fn a_tenants_own_index_must_hold_vectors_of_the_model_that_it_names() {
    let world = World::with_embedders(Counting::new("first"), vec![Arc::new(MemoryEmbedder)]);
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let lookup = PineconeLookup::new(world.catalog.clone(), None).with_embedders(world.embedders.clone());
    let tenants = Tenants::new(
        world.store.clone(),
        world.sealer.clone(),
        lookup,
        world.resolver.clone(),
        world.clock.clone(),
    )
    .with_models(OfferedModels {
        embedding: world.embedders.names(),
        ..OfferedModels::default()
    });
    let new = |id: &str, model: Option<&str>| NewTenant {
        chat: Some(ChatTuning {
            embedding_model: Some(model.map(Into::into)),
            ..ChatTuning::default()
        }),
        ..with_key(id, KEY, Some("docs"))
    };
    // The dimension of the server's own model is not known to this lookup.
    tenants.create(&world.root, new("initech", None)).unwrap();
    let refused = tenants.create(&world.root, new("hooli", Some("hashed-words")));
    assert!(
        matches!(refused, Err(SaveTenantError::Pinecone(RejectedPinecone::Dimension { expected, .. })) if expected.get() == 64),
    );
}
