//! What every [`IndexStore`] must do, beside a [`TenantStore`] of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Dimension, EmbeddingModel, Generation, Index, IndexState, TenantScope};

use super::samples::{at, foreign_scope, scope};
use crate::{IndexStore, StoreError, TenantChange, TenantStore};

fn model(name: &str, dimension: Option<usize>) -> EmbeddingModel {
    EmbeddingModel {
        provider: "openai".into(),
        name: name.into(),
        dimension: dimension.map(|n| Dimension::new(n).unwrap()),
    }
}

fn states<S: IndexStore>(store: &S, scope: &TenantScope) -> Vec<(u32, IndexState)> {
    let indexes = store.indexes(scope, None, at(99)).unwrap();
    indexes
        .into_iter()
        .map(|index| (index.generation.get(), index.state))
        .collect()
}

fn generation(number: u32) -> Generation {
    Generation::new(number).unwrap()
}

/// A tenant without an index gets the first, live, by the model that is named or by none; from then on it is that one, whatever is named.
pub fn a_tenant_without_an_index_gets_the_first<S: TenantStore + IndexStore>(store: &S) {
    for (id, model) in [
        ("none", None),
        ("known", Some(model("small", Some(20_000)))),
        ("unknown", Some(model("\u{1F989} 'quoted'", None))),
    ] {
        let scope = scope(store, id);
        let wanted = [Index {
            generation: Generation::FIRST,
            model: model.clone(),
            state: IndexState::Live,
            created_at: at(1),
        }];
        assert_eq!(store.indexes(&scope, model.as_ref(), at(1)).unwrap(), wanted);
        assert_eq!(store.indexes(&scope, None, at(2)).unwrap(), wanted);
    }
}

/// Many who ask at once get the same first index.
pub fn many_who_ask_at_once_get_the_same_index<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    let mut answers: Vec<_> = std::thread::scope(|threads| {
        let started: Vec<_> = (0..6)
            .map(|n| {
                let model = model(&format!("model {n}"), None);
                let acme = &acme;
                threads.spawn(move || store.indexes(acme, Some(&model), at(n)).unwrap())
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

/// An index of a tenant that this store does not know is refused.
pub fn an_index_of_an_unknown_tenant_is_refused<S: TenantStore + IndexStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let asked = store.indexes(&nowhere, None, at(0)).map(drop);
    let begun = store.begin_index(&nowhere, None, at(0)).map(drop);
    for result in [asked, begun] {
        assert!(matches!(result, Err(StoreError::UnknownTenant)), "{result:?}");
    }
    assert!(!store.switch_index(&nowhere, Generation::FIRST).unwrap());
}

/// A dimension is kept where none was known; another is refused, as is one of an index without a model or that is not there.
pub fn a_dimension_is_kept_once<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    store.indexes(&acme, Some(&model("small", None)), at(0)).unwrap();
    let [small, large] = [384, 1_536].map(|n| Dimension::new(n).unwrap());
    let set = |scope, number, dimension| store.set_dimension(scope, generation(number), dimension).unwrap();
    assert!(!set(&acme, 2, small));
    assert!(set(&acme, 1, small));
    assert!(set(&acme, 1, small));
    assert!(!set(&acme, 1, large));
    let kept = store.indexes(&acme, None, at(0)).unwrap();
    assert_eq!(kept.first().unwrap().model, Some(model("small", Some(384))));
    let globex = scope(store, "globex");
    store.indexes(&globex, None, at(0)).unwrap();
    assert!(!set(&globex, 1, small));
}

/// An index is begun beside the live one, of the next generation; asked for again with the same model it is the same, with another it is refused.
pub fn one_index_at_a_time_is_built<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    store.indexes(&acme, None, at(0)).unwrap();
    let small = model("small", Some(384));
    let wanted = Index {
        generation: generation(2),
        model: Some(small.clone()),
        state: IndexState::Building,
        created_at: at(1),
    };
    assert_eq!(store.begin_index(&acme, Some(&small), at(1)).unwrap(), wanted);
    let same_space = model("small", None);
    assert_eq!(
        store.begin_index(&acme, Some(&same_space), at(2)).unwrap(),
        wanted
    );
    for other in [
        None,
        Some(model("large", Some(384))),
        Some(model("small", Some(768))),
    ] {
        assert!(matches!(
            store.begin_index(&acme, other.as_ref(), at(3)),
            Err(StoreError::IdTaken)
        ));
    }
    assert_eq!(
        states(store, &acme),
        [(1, IndexState::Live), (2, IndexState::Building)]
    );
}

/// Switching makes the index that is being built live and the live one retired; nothing else can be switched to.
pub fn switching_is_to_the_index_that_was_built<S: TenantStore + IndexStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    store.indexes(&acme, None, at(0)).unwrap();
    store.indexes(&globex, None, at(0)).unwrap();
    store.begin_index(&acme, None, at(1)).unwrap();
    for (scope, number) in [(&acme, 1), (&acme, 3), (&globex, 2), (&globex, 1)] {
        assert!(!store.switch_index(scope, generation(number)).unwrap());
    }
    assert!(store.switch_index(&acme, generation(2)).unwrap());
    let switched = [(1, IndexState::Retired), (2, IndexState::Live)];
    assert_eq!(states(store, &acme), switched);
    for number in [1, 2] {
        assert!(!store.switch_index(&acme, generation(number)).unwrap());
    }
    assert_eq!(states(store, &acme), switched);
    assert_eq!(states(store, &globex), [(1, IndexState::Live)]);
}

/// A retired index can be opened again and switched back to, unless another is being built.
pub fn a_retired_index_can_be_gone_back_to<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    store.indexes(&acme, None, at(0)).unwrap();
    store.begin_index(&acme, None, at(1)).unwrap();
    for number in [1, 2, 3] {
        assert!(!store.reopen_index(&acme, generation(number)).unwrap());
    }
    assert!(store.switch_index(&acme, generation(2)).unwrap());
    assert!(!store.reopen_index(&acme, generation(2)).unwrap());
    assert!(store.reopen_index(&acme, generation(1)).unwrap());
    assert_eq!(
        states(store, &acme),
        [(1, IndexState::Building), (2, IndexState::Live)]
    );
    assert!(store.switch_index(&acme, generation(1)).unwrap());
    assert_eq!(
        states(store, &acme),
        [(1, IndexState::Live), (2, IndexState::Retired)]
    );
    store.begin_index(&acme, None, at(2)).unwrap();
    assert!(!store.reopen_index(&acme, generation(2)).unwrap());
}

/// An index that is not live can be forgotten, and its generation is not given again.
pub fn a_forgotten_index_is_gone_for_good<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    store.indexes(&acme, None, at(0)).unwrap();
    store.begin_index(&acme, None, at(1)).unwrap();
    let forget = |number| store.forget_index(&acme, generation(number)).unwrap();
    assert!(!forget(1), "it is live");
    assert!(forget(2));
    assert!(!forget(2));
    assert_eq!(states(store, &acme), [(1, IndexState::Live)]);
    assert!(!store.switch_index(&acme, generation(2)).unwrap());
    assert!(!store.reopen_index(&acme, generation(2)).unwrap());
    assert_eq!(
        store.begin_index(&acme, None, at(2)).unwrap().generation,
        generation(3)
    );
    assert!(store.switch_index(&acme, generation(3)).unwrap());
    assert!(forget(1), "it is retired");
    assert_eq!(states(store, &acme), [(3, IndexState::Live)]);
}

/// The live and building indexes of active tenants are listed, by tenant and generation.
pub fn the_indexes_in_use_are_those_of_active_tenants<S: TenantStore + IndexStore>(store: &S) {
    let [b, a, off] = ["b", "a", "off"].map(|id| scope(store, id));
    scope(store, "without");
    for scope in [&b, &a, &off] {
        store.indexes(scope, None, at(0)).unwrap();
    }
    for _ in 0..2 {
        let building = store.begin_index(&a, None, at(1)).unwrap();
        assert!(store.switch_index(&a, building.generation).unwrap());
    }
    store.begin_index(&a, None, at(1)).unwrap();
    let change = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(off.id(), &change, at(2)).unwrap().unwrap();
    let used: Vec<_> = store
        .indexes_in_use()
        .unwrap()
        .into_iter()
        .map(|(tenant, index)| (tenant.to_string(), index.generation.get(), index.state))
        .collect();
    let wanted = [
        ("a", 3, IndexState::Live),
        ("a", 4, IndexState::Building),
        ("b", 1, IndexState::Live),
    ];
    assert_eq!(
        used,
        wanted.map(|(id, number, state)| (id.to_owned(), number, state))
    );
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + IndexStore>(store: &S) {
    let acme = scope(store, "acme");
    let bad = model("a\0", None);
    let asked = store.indexes(&acme, Some(&bad), at(0)).map(drop);
    let begun = store.begin_index(&acme, Some(&bad), at(0)).map(drop);
    for result in [asked, begun] {
        assert!(matches!(result, Err(StoreError::Failed(_))), "{result:?}");
    }
    assert_eq!(store.indexes_in_use().unwrap(), []);
}
