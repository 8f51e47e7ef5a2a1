//! Saving tenants: sealed keys, checked settings.

use secrecy::ExposeSecret;
use tenantry_crypto::{Field, OpenError, Sealer};
use tenantry_domain::{ExternalIndex, Fusion, SearchSettings};
use tenantry_retrieval::{
    CollectionError, NewTenant, PineconeCheck, PineconeState, RejectedPinecone, SaveTenantError,
    SearchTuning, TenantUpdate, Tenants,
};
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore};
use tenantry_vector_client::Metric;

use crate::support::{World, index, plain, with_key};

const KEY: &str = "pcsk_0123456789abcdef_WXYZ";

fn rejected(error: SaveTenantError) -> RejectedPinecone {
    match error {
        SaveTenantError::Pinecone(rejected) => rejected,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_stored_sealed_for_its_own_tenant() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let saved = world
        .tenants
        .create(&world.root, with_key("acme", KEY, Some("docs")))
        .unwrap();
    let secret = saved.tenant.pinecone.api_key.clone().unwrap();
    assert_eq!(secret.last_four, "WXYZ");
    assert!(!secret.sealed.as_str().contains(KEY));
    let opened = world
        .sealer
        .open(Field::pinecone_api_key(&saved.tenant.id), &secret.sealed)
        .unwrap();
    assert_eq!(opened.expose_secret(), KEY);
    let other = world.tenant("other");
    assert!(
        world
            .sealer
            .open(Field::pinecone_api_key(&other), &secret.sealed)
            .is_err()
    );
}

#[test]
fn settings_that_work_are_verified_and_the_host_is_kept() {
    let world = World::new();
    world
        .catalog
        .accounts
        .set_account(KEY, vec![index("docs", 3), index("big", 1536)]);
    // Named, or the only one that fits the embedding model.
    for (id, name) in [("named", Some("docs")), ("only", None)] {
        let saved = world
            .tenants
            .create(&world.root, with_key(id, KEY, name))
            .unwrap();
        assert!(
            matches!(saved.check, Some(PineconeCheck::Verified { warning: None, .. })),
            "{id}"
        );
        assert_eq!(saved.tenant.pinecone.index.as_deref(), Some("docs"));
        assert_eq!(
            saved.tenant.pinecone.host.as_deref(),
            Some("docs-abc.svc.pinecone.io")
        );
        assert_eq!(PineconeState::of(&saved.tenant.pinecone), PineconeState::Verified);
    }
}

#[test]
fn settings_that_cannot_work_are_refused_and_nothing_is_stored() {
    let world = World::new();
    let dotted = tenantry_vector_client::IndexDescription {
        metric: Some(Metric::Other("euclidean".into())),
        ..index("far", 3)
    };
    world.catalog.accounts.set_account(
        KEY,
        vec![index("docs", 3), index("more", 3), index("big", 1536), dotted],
    );
    for (new, wanted) in [
        (
            with_key("acme", "pcsk_wrong_key_0000", Some("docs")),
            RejectedPinecone::Key,
        ),
        (
            with_key("acme", KEY, Some("nope")),
            RejectedPinecone::UnknownIndex("nope".into()),
        ),
        (with_key("acme", KEY, None), RejectedPinecone::AmbiguousIndex(3)),
        (
            with_key("acme", KEY, Some("big")),
            RejectedPinecone::Dimension {
                index: "big".into(),
                actual: "1536".into(),
                expected: tenantry_domain::Dimension::new(3).unwrap(),
            },
        ),
        (
            with_key("acme", KEY, Some("far")),
            RejectedPinecone::Metric {
                index: "far".into(),
                metric: "euclidean".into(),
            },
        ),
    ] {
        assert_eq!(
            rejected(world.tenants.create(&world.root, new).unwrap_err()),
            wanted
        );
    }
    assert!(
        world
            .store
            .inner()
            .tenant(&"acme".parse().unwrap())
            .unwrap()
            .is_none()
    );
}

#[test]
fn an_unreachable_pinecone_leaves_the_check_pending_until_the_first_use() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    world.catalog.set_down(true);
    let saved = world
        .tenants
        .create(&world.root, with_key("acme", KEY, Some("docs")))
        .unwrap();
    assert!(matches!(saved.check, Some(PineconeCheck::Pending { .. })));
    assert_eq!(PineconeState::of(&saved.tenant.pinecone), PineconeState::Pending);
    assert!(matches!(
        world.collections.of(&world.scope("acme")),
        Err(CollectionError::Pending)
    ));

    world.catalog.set_down(false);
    assert!(world.collections.of(&world.scope("acme")).is_ok());
    let tenant = world.store.inner().tenant(&saved.tenant.id).unwrap().unwrap();
    assert_eq!(PineconeState::of(&tenant.pinecone), PineconeState::Verified);
}

#[test]
fn where_indexes_are_local_a_key_is_refused_and_all_else_works() {
    let world = World::new();
    let tenants = Tenants::local(world.store.clone(), world.resolver.clone(), world.clock.clone());
    let refused = |error: SaveTenantError| match error {
        SaveTenantError::Invalid(invalid) => invalid.field,
        other => panic!("{other:?}"),
    };
    let error = tenants
        .create(&world.root, with_key("acme", KEY, Some("docs")))
        .unwrap_err();
    assert_eq!(refused(error), "pinecone_api_key");
    let saved = tenants.create(&world.root, plain("acme")).unwrap();
    assert_eq!(saved.check, None);
    let with_key = TenantUpdate {
        pinecone_api_key: Some(KEY.into()),
        ..TenantUpdate::default()
    };
    let error = tenants
        .update(&world.root, &saved.tenant.id, &with_key)
        .unwrap_err();
    assert_eq!(refused(error), "pinecone_api_key");
    let renamed = TenantUpdate {
        name: Some("Acme Ltd".into()),
        ..TenantUpdate::default()
    };
    let saved = tenants
        .update(&world.root, &saved.tenant.id, &renamed)
        .unwrap()
        .unwrap();
    assert_eq!(saved.tenant.name, "Acme Ltd");
    assert_eq!(saved.tenant.pinecone.api_key, None);
}

#[test]
fn an_environment_that_contradicts_the_index_is_a_warning() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let new = NewTenant {
        pinecone_environment: Some("eu-west1-gcp".into()),
        ..with_key("acme", KEY, None)
    };
    let saved = world.tenants.create(&world.root, new).unwrap();
    assert!(matches!(
        saved.check,
        Some(PineconeCheck::Verified { warning: Some(_), .. })
    ));
}

#[test]
fn a_store_is_opened_once_with_the_tenants_own_key() {
    let world = World::new();
    let other_key = "pcsk_other_key_9876543210";
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    world
        .catalog
        .accounts
        .set_account(other_key, vec![index("docs", 3)]);
    world
        .tenants
        .create(&world.root, with_key("acme", KEY, None))
        .unwrap();
    world
        .tenants
        .create(&world.root, with_key("other", other_key, None))
        .unwrap();
    for tenant in ["acme", "acme", "other", "acme"] {
        assert!(world.collections.of(&world.scope(tenant)).is_ok());
    }
    let host = "docs-abc.svc.pinecone.io".to_owned();
    let opened = world.remote.opened.lock().unwrap().clone();
    assert_eq!(
        opened,
        [
            (host.clone(), KEY.to_owned()),
            (host.clone(), other_key.to_owned())
        ]
    );

    let update = TenantUpdate {
        pinecone_api_key: Some(other_key.into()),
        ..TenantUpdate::default()
    };
    world
        .tenants
        .update(&world.root, &"acme".parse().unwrap(), &update)
        .unwrap()
        .unwrap();
    assert!(world.collections.of(&world.scope("acme")).is_ok());
    assert_eq!(
        world.remote.opened.lock().unwrap().last(),
        Some(&(host, other_key.to_owned()))
    );
}

#[test]
fn a_sealed_key_copied_to_another_tenant_opens_nothing_there() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    world
        .tenants
        .create(&world.root, with_key("acme", KEY, None))
        .unwrap();
    let other = world.tenant("other");
    let acme = world.scope("acme");
    assert!(world.collections.of(&acme).is_ok(), "acme's store is open now");
    let stolen = TenantChange {
        pinecone_api_key: Some(acme.tenant().pinecone.api_key.clone()),
        pinecone_host: Some(acme.tenant().pinecone.host.clone()),
        ..TenantChange::default()
    };
    world
        .store
        .inner()
        .update_tenant(&other, &stolen, world.now())
        .unwrap();
    let opened = world.collections.of(&world.scope("other"));
    assert!(matches!(
        opened.err(),
        Some(CollectionError::SealedKey(OpenError::Rejected))
    ));
}

#[test]
fn an_update_keeps_what_is_missing_and_clears_what_is_null() {
    let world = World::new();
    let acme = world.tenant("acme");
    let rename = TenantUpdate {
        name: Some("  New name ".into()),
        ..TenantUpdate::default()
    };
    let saved = world
        .tenants
        .update(&world.root, &acme, &rename)
        .unwrap()
        .unwrap();
    assert_eq!(saved.tenant.name, "New name");
    assert_eq!(saved.tenant.system_prompt.as_deref(), Some("You speak for acme."));
    let clear = TenantUpdate {
        system_prompt: Some(None),
        ..TenantUpdate::default()
    };
    let saved = world.tenants.update(&world.root, &acme, &clear).unwrap().unwrap();
    assert_eq!(saved.tenant.system_prompt, None);
    let missing = world
        .tenants
        .update(&world.root, &"nobody".parse().unwrap(), &TenantUpdate::default());
    assert!(missing.unwrap().is_none());
}

#[test]
fn a_changed_index_is_checked_with_the_stored_key() {
    let world = World::new();
    world
        .catalog
        .accounts
        .set_account(KEY, vec![index("docs", 3), index("more", 3)]);
    world
        .tenants
        .create(&world.root, with_key("acme", KEY, Some("docs")))
        .unwrap();
    let acme = "acme".parse().unwrap();
    let to = |name: &str| TenantUpdate {
        pinecone_index: Some(Some(name.into())),
        ..TenantUpdate::default()
    };
    let saved = world
        .tenants
        .update(&world.root, &acme, &to("more"))
        .unwrap()
        .unwrap();
    assert_eq!(
        saved.tenant.pinecone.host.as_deref(),
        Some("more-abc.svc.pinecone.io")
    );
    assert!(world.tenants.update(&world.root, &acme, &to("nope")).is_err());
    let kept = world.store.inner().tenant(&acme).unwrap().unwrap();
    assert_eq!(kept.pinecone.index.as_deref(), Some("more"));
}

#[test]
fn values_that_cannot_be_kept_are_named() {
    let world = World::new();
    let long = "x".repeat(32_001);
    for (new, field) in [
        (
            NewTenant {
                name: " ".into(),
                ..plain("acme")
            },
            "name",
        ),
        (
            NewTenant {
                name: "a\nb".into(),
                ..plain("acme")
            },
            "name",
        ),
        (
            NewTenant {
                system_prompt: Some(long),
                ..plain("acme")
            },
            "system_prompt",
        ),
        (
            NewTenant {
                system_prompt: Some("a\0b".into()),
                ..plain("acme")
            },
            "system_prompt",
        ),
        (
            NewTenant {
                pinecone_index: Some("Docs".into()),
                ..plain("acme")
            },
            "pinecone_index",
        ),
        (
            NewTenant {
                pinecone_environment: Some(String::new()),
                ..plain("acme")
            },
            "pinecone_environment",
        ),
        (with_key("acme", "", None), "pinecone_api_key"),
        (with_key("acme", "key with blanks", None), "pinecone_api_key"),
        (with_key("acme", "key\n", None), "pinecone_api_key"),
    ] {
        match world.tenants.create(&world.root, new) {
            Err(SaveTenantError::Invalid(invalid)) => assert_eq!(invalid.field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn a_taken_id_is_refused_before_pinecone_is_asked() {
    let world = World::new();
    world.tenant("acme");
    let again = world
        .tenants
        .create(&world.root, with_key("acme", "pcsk_wrong_key_0000", None));
    assert!(matches!(again, Err(SaveTenantError::Store(StoreError::IdTaken))));
}

fn external(namespace: &str, text_field: &str) -> ExternalIndex {
    ExternalIndex {
        namespace: namespace.into(),
        text_field: text_field.into(),
    }
}

#[test]
fn search_settings_are_kept_replaced_as_a_whole_and_cleared() {
    let world = World::new();
    let tuning = SearchTuning {
        dense_weight: Some(2.0),
        k: Some(60.0),
        min_score: Some(0.25),
        ..SearchTuning::default()
    };
    let new = NewTenant {
        search: Some(tuning),
        ..plain("acme")
    };
    let tenant = world.tenants.create(&world.root, new).unwrap().tenant;
    assert_eq!(tenant.search.fusion, Fusion::new(60.0, 2.0, 1.0).unwrap());
    assert_eq!(tenant.search.min_score, Some(0.25));
    let update = |search| {
        let update = TenantUpdate {
            search,
            ..TenantUpdate::default()
        };
        let saved = world.tenants.update(&world.root, &tenant.id, &update).unwrap();
        saved.unwrap().tenant.search
    };
    assert_eq!(update(None), tenant.search);
    let lexical = SearchTuning {
        lexical_weight: Some(3.0),
        ..SearchTuning::default()
    };
    let replaced = update(Some(Some(lexical)));
    assert_eq!(replaced.fusion, Fusion::new(10.0, 0.5, 3.0).unwrap());
    assert_eq!(replaced.min_score, None);
    assert_eq!(update(Some(None)), SearchSettings::default());
    assert_eq!(world.scope("acme").tenant().search, SearchSettings::default());
}

#[test]
fn search_settings_that_no_search_can_use_are_refused() {
    let world = World::new();
    let tuning = SearchTuning::default();
    for wrong in [
        SearchTuning {
            k: Some(0.5),
            ..tuning
        },
        SearchTuning {
            dense_weight: Some(-1.0),
            ..tuning
        },
        SearchTuning {
            dense_weight: Some(0.0),
            lexical_weight: Some(0.0),
            ..tuning
        },
        SearchTuning {
            lexical_weight: Some(f32::NAN),
            ..tuning
        },
        SearchTuning {
            min_score: Some(1.5),
            ..tuning
        },
        SearchTuning {
            min_score: Some(f32::NAN),
            ..tuning
        },
    ] {
        let new = NewTenant {
            search: Some(wrong),
            ..plain("acme")
        };
        match world.tenants.create(&world.root, new) {
            Err(SaveTenantError::Invalid(invalid)) => assert_eq!(invalid.field, "search"),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
}

#[test]
fn an_external_index_is_checked_like_any_other_and_can_be_given_up() {
    let world = World::new();
    world
        .catalog
        .accounts
        .set_account(KEY, vec![index("docs", 3), index("big", 1536)]);
    let reading = |name: &str| NewTenant {
        pinecone_external: Some(external("handbook", "body")),
        ..with_key("acme", KEY, Some(name))
    };
    let error = world.tenants.create(&world.root, reading("big")).unwrap_err();
    assert!(matches!(rejected(error), RejectedPinecone::Dimension { .. }));
    let error = world.tenants.create(&world.root, reading("nope")).unwrap_err();
    assert_eq!(rejected(error), RejectedPinecone::UnknownIndex("nope".into()));
    let saved = world.tenants.create(&world.root, reading("docs")).unwrap();
    assert_eq!(saved.tenant.pinecone.external, Some(external("handbook", "body")));
    assert_eq!(PineconeState::of(&saved.tenant.pinecone), PineconeState::Verified);
    let update = |pinecone_external| {
        let update = TenantUpdate {
            pinecone_external,
            ..TenantUpdate::default()
        };
        let saved = world
            .tenants
            .update(&world.root, &saved.tenant.id, &update)
            .unwrap();
        saved.unwrap()
    };
    assert!(update(None).tenant.pinecone.external.is_some());
    let changed = update(Some(Some(external("", ExternalIndex::TEXT_FIELD))));
    assert_eq!(changed.tenant.pinecone.external, Some(external("", "text")));
    assert!(matches!(changed.check, Some(PineconeCheck::Verified { .. })));
    assert_eq!(update(Some(None)).tenant.pinecone.external, None);
}

#[test]
fn an_external_index_needs_a_key_and_readable_settings() {
    let world = World::new();
    world.catalog.accounts.set_account(KEY, vec![index("docs", 3)]);
    let refused = |result: Result<_, SaveTenantError>| match result {
        Err(SaveTenantError::Invalid(invalid)) => invalid.field,
        other => panic!("{other:?}"),
    };
    for (namespace, text_field, field) in [
        ("n".repeat(129), "text".to_owned(), "pinecone_external.namespace"),
        ("a\nb".into(), "text".into(), "pinecone_external.namespace"),
        ("ключ".into(), "text".into(), "pinecone_external.namespace"),
        ("ok".into(), String::new(), "pinecone_external.text_field"),
        ("ok".into(), "$text".into(), "pinecone_external.text_field"),
        ("ok".into(), "t".repeat(65), "pinecone_external.text_field"),
        ("ok".into(), "a\0".into(), "pinecone_external.text_field"),
    ] {
        let new = NewTenant {
            pinecone_external: Some(external(&namespace, &text_field)),
            ..with_key("acme", KEY, None)
        };
        assert_eq!(
            refused(world.tenants.create(&world.root, new)),
            field,
            "{namespace:?} {text_field:?}"
        );
    }
    let keyless = NewTenant {
        pinecone_external: Some(external("", "text")),
        ..plain("acme")
    };
    assert_eq!(
        refused(world.tenants.create(&world.root, keyless)),
        "pinecone_external"
    );
    let acme = world.tenant("acme");
    let update = TenantUpdate {
        pinecone_external: Some(Some(external("", "text"))),
        ..TenantUpdate::default()
    };
    let updated = world.tenants.update(&world.root, &acme, &update);
    assert_eq!(refused(updated.map(Option::unwrap)), "pinecone_external");
}

#[test]
fn no_tenant_reads_the_namespace_that_another_ones_chunks_are_in() {
    let world = World::new();
    world
        .catalog
        .accounts
        .set_account(KEY, vec![index("docs", 3), index("more", 3)]);
    world
        .tenants
        .create(&world.root, with_key("other", KEY, Some("docs")))
        .unwrap();
    world.tenant("keyless");
    let reading = |namespace: &str, name: &str| NewTenant {
        pinecone_external: Some(external(namespace, "text")),
        ..with_key("acme", KEY, Some(name))
    };
    for namespace in ["other", "other.2"] {
        match world.tenants.create(&world.root, reading(namespace, "docs")) {
            Err(SaveTenantError::Invalid(invalid)) => {
                assert_eq!(invalid.field, "pinecone_external.namespace");
            }
            refused => panic!("{refused:?}"),
        }
    }
    world.catalog.set_down(true);
    assert!(
        world
            .tenants
            .create(&world.root, reading("other", "more"))
            .is_err(),
        "the host is not known"
    );
    world.catalog.set_down(false);
    let acme = world
        .tenants
        .create(&world.root, reading("other", "more"))
        .unwrap()
        .tenant
        .id;
    for (namespace, allowed) in [
        ("keyless", true),
        ("others", true),
        ("acme", true),
        ("other.1", false),
    ] {
        let update = TenantUpdate {
            pinecone_external: Some(Some(external(namespace, "text"))),
            pinecone_index: Some(Some("docs".into())),
            ..TenantUpdate::default()
        };
        let updated = world.tenants.update(&world.root, &acme, &update);
        assert_eq!(updated.is_ok(), allowed, "{namespace}");
    }
}
