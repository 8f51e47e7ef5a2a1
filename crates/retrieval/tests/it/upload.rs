//! Files that come part by part.

use tenantry_domain::{ExternalIndex, Page};
use tenantry_retrieval::{IngestLimits, Knowledge, SubmitError, TenantUpdate, Upload};
use tenantry_tenant_store::{JobFilter, SourceStore, SubmitOutcome};

use crate::support::{World, index, titled, with_key};

/// How many files wait that no job reads.
fn left_behind(world: &World, tenant: &str) -> u64 {
    world.later(1);
    world
        .store
        .remove_abandoned(&world.scope(tenant), world.now())
        .unwrap()
}

fn part(world: &World, upload: &mut Upload, bytes: &[u8]) -> Result<(), SubmitError> {
    world.knowledge.add_part(&world.scope("acme"), upload, bytes)
}

#[test]
fn a_file_in_parts_is_the_same_file_as_in_one_piece() {
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    let whole = world.submit("acme", &titled("Fees"), "Late returns cost ten euros.");
    world.work();
    let mut upload = world.knowledge.begin(&scope).unwrap();
    for piece in ["Late returns", " cost ", "ten euros."] {
        part(&world, &mut upload, piece.as_bytes()).unwrap();
    }
    let again = world.knowledge.finish(&scope, upload, &titled("Fees")).unwrap();
    assert_eq!(again.outcome, SubmitOutcome::Unchanged);
    assert_eq!(again.document.id, whole.document.id);
    let mut other = world.knowledge.begin(&scope).unwrap();
    for piece in ["Late returns", " are free."] {
        part(&world, &mut other, piece.as_bytes()).unwrap();
    }
    let other = world.knowledge.finish(&scope, other, &titled("Other")).unwrap();
    world.work();
    let found = world.knowledge.document_with_text(&scope, other.document.id);
    assert_eq!(found.unwrap().unwrap().1, "Late returns are free.");
    assert_eq!(left_behind(&world, "acme"), 0);
}

#[test]
fn a_file_that_is_given_up_leaves_nothing() {
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    let mut upload = world.knowledge.begin(&scope).unwrap();
    part(&world, &mut upload, b"half of it").unwrap();
    world.knowledge.abandon(&scope, upload.source());
    assert_eq!(left_behind(&world, "acme"), 0);

    // Neither does one that cannot be kept for what is said of it, or because there is nothing of it.
    let mut untitled = world.knowledge.begin(&scope).unwrap();
    part(&world, &mut untitled, b"all of it").unwrap();
    let refused = world.knowledge.finish(&scope, untitled, &titled(" "));
    assert!(matches!(refused, Err(SubmitError::Invalid(field)) if field.field == "title"));
    let empty = world.knowledge.begin(&scope).unwrap();
    let refused = world.knowledge.finish(&scope, empty, &titled("Empty"));
    assert!(matches!(refused, Err(SubmitError::Invalid(field)) if field.field == "file"));
    assert_eq!(left_behind(&world, "acme"), 0);
    let jobs = world
        .knowledge
        .jobs(&scope, &JobFilter::default(), Page::default());
    assert_eq!(jobs.unwrap().total, 0);
}

#[test]
fn a_file_is_too_large_at_the_part_that_makes_it_so() {
    let world = World::new();
    world.tenant("acme");
    let store = &world.store;
    let limits = IngestLimits {
        max_bytes: 10,
        ..IngestLimits::default()
    };
    let clock = world.clock.clone();
    let knowledge = Knowledge::new(store.clone(), store.clone(), store.clone(), limits, clock);
    let scope = world.scope("acme");
    let mut upload = knowledge.begin(&scope).unwrap();
    knowledge.add_part(&scope, &mut upload, b"0123456789").unwrap();
    let refused = knowledge.add_part(&scope, &mut upload, b"x");
    assert!(matches!(refused, Err(SubmitError::TooLarge { max_bytes: 10 })));
}

#[test]
fn a_tenant_whose_index_another_tool_fills_cannot_even_begin() {
    let world = World::new();
    let key = "pcsk_0123456789abcdef";
    let docs = vec![index("docs", 3)];
    world.catalog.accounts.set_account(key, docs);
    world
        .tenants
        .create(&world.root, with_key("acme", key, None))
        .unwrap();
    let external = ExternalIndex {
        namespace: String::new(),
        text_field: ExternalIndex::TEXT_FIELD.to_owned(),
    };
    let update = TenantUpdate {
        pinecone_external: Some(Some(external)),
        ..TenantUpdate::default()
    };
    let id = "acme".parse().unwrap();
    world.tenants.update(&world.root, &id, &update).unwrap();
    let refused = world.knowledge.begin(&world.scope("acme"));
    assert!(matches!(refused, Err(SubmitError::ReadOnly)));
}
