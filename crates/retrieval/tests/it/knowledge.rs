//! Documents in, hits out, and nothing left behind when something fails on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_domain::{Dimension, DocumentState, Embedding, EmbeddingModel, MediaType, Page, TopK};
use tenantry_llm_client::{Embedded, Embedder, LlmError};
use tenantry_retrieval::{IngestError, NewText, SearchError};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{Advance, DocumentStore};
use tenantry_vector_client::testing::Operation;
use tenantry_vector_client::{VectorError, VectorStore};

use crate::support::{World, note};

fn top(n: u16) -> TopK {
    TopK::new(n).unwrap()
}

/// Places texts by how often they speak of lateness, price and hours; fails from a chosen call on.
struct Themes {
    calls: AtomicUsize,
    fails_from: usize,
}

impl Themes {
    fn failing_from(call: usize) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicUsize::new(0),
            fails_from: call,
        })
    }
}

impl Embedder for Themes {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "test".to_owned(),
            name: "themes".to_owned(),
            dimension: Dimension::new(3).ok(),
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) >= self.fails_from {
            return Err(LlmError::Unavailable("scripted".into()));
        }
        let place = |text: &&str| {
            let count = |word: &str| f32::from(u16::try_from(text.matches(word).count()).unwrap());
            Embedding::new(vec![
                count("late") + 0.1,
                count("price") + 0.1,
                count("hour") + 0.1,
            ])
            .unwrap()
        };
        Ok(Embedded {
            embeddings: texts.iter().map(place).collect(),
            tokens: None,
        })
    }
}

#[test]
fn a_document_is_found_by_its_words_with_the_text_at_its_offsets() {
    let world = World::new();
    world.tenant("acme");
    let text = "Opening hours are nine to five.\r\n\r\nA late return costs three euros a day.";
    let document = world.ingest("acme", "  House rules ", text);
    assert_eq!(
        (document.title.as_str(), document.state, document.chunks),
        ("House rules", DocumentState::Ready, 1)
    );
    let hits = world
        .searcher(None)
        .search(&world.scope("acme"), "late return", top(5))
        .unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(
        (hits[0].document, hits[0].title.as_str()),
        (document.id, "House rules")
    );
    let (_, stored) = world
        .knowledge(None)
        .document_with_text(&world.scope("acme"), document.id)
        .unwrap()
        .unwrap();
    assert_eq!(hits[0].chunk.span.slice(&stored), hits[0].chunk.text);
    assert!(!stored.contains('\r'));
}

#[test]
fn the_same_question_finds_each_tenants_own_document() {
    let world = World::new();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        world.tenant(tenant);
        world.ingest(tenant, "Fees", &format!("A late return costs {fee} a day."));
    }
    for (tenant, own, foreign) in [("acme", "euros", "francs"), ("other", "francs", "euros")] {
        let hits = world
            .searcher(None)
            .search(&world.scope(tenant), "late return", top(5))
            .unwrap();
        assert!(
            hits.iter()
                .all(|hit| hit.chunk.text.contains(own) && !hit.chunk.text.contains(foreign))
        );
        assert_eq!(hits.len(), 1);
    }
}

#[test]
fn a_foreign_document_does_not_exist() {
    let world = World::new();
    world.tenant("acme");
    world.tenant("other");
    let document = world.ingest("acme", "Fees", "A late return costs three euros.");
    let other = world.scope("other");
    let knowledge = world.knowledge(None);
    assert!(knowledge.document(&other, document.id).unwrap().is_none());
    assert!(
        knowledge
            .document_with_text(&other, document.id)
            .unwrap()
            .is_none()
    );
    assert!(!knowledge.remove(&other, document.id).unwrap());
    assert_eq!(knowledge.documents(&other, Page::default()).unwrap().total, 0);
    assert!(
        knowledge
            .document(&world.scope("acme"), document.id)
            .unwrap()
            .is_some()
    );
}

#[test]
fn embeddings_find_what_shares_no_word_with_the_query() {
    let world = World::new();
    world.tenant("acme");
    let themes = Themes::failing_from(usize::MAX);
    let knowledge = world.knowledge(Some(themes.clone()));
    let scope = world.scope("acme");
    for (title, text) in [
        ("Fees", "price price price"),
        ("Hours", "hour hour hour"),
        ("Rules", "late late"),
    ] {
        knowledge.ingest(&scope, &note(title, text), &mut |_| {}).unwrap();
    }
    let hits = world
        .searcher(Some(themes))
        .search(&scope, "lateness latest", top(1))
        .unwrap();
    assert_eq!(hits[0].title, "Rules");
    assert!(hits[0].score.dense.is_some());
}

#[test]
fn a_document_that_is_not_ready_is_not_found() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "A late return costs three euros.");
    let scope = world.scope("acme");
    for state in [
        DocumentState::Upserting,
        DocumentState::Failed,
        DocumentState::Deleting,
    ] {
        let advance = Advance {
            state,
            chunks: None,
            failure: None,
            at: world.now(),
        };
        world
            .store
            .inner()
            .advance_document(&scope, document.id, &advance)
            .unwrap();
        assert_eq!(
            world.searcher(None).search(&scope, "late", top(5)).unwrap(),
            [],
            "{state}"
        );
    }
}

#[test]
fn removing_a_document_removes_its_chunks() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "A late return costs three euros.");
    let scope = world.scope("acme");
    assert!(world.knowledge(None).remove(&scope, document.id).unwrap());
    assert_eq!(world.local.count(&scope).unwrap(), 0);
    assert!(!world.knowledge(None).remove(&scope, document.id).unwrap());
}

#[test]
fn a_removal_that_fails_halfway_is_completed_by_the_next_one() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees", "A late return costs three euros.");
    let scope = world.scope("acme");
    let knowledge = world.knowledge(None);
    world.local.fail_next(
        Operation::RemoveDocument,
        VectorError::Unavailable("scripted".into()),
    );
    assert!(knowledge.remove(&scope, document.id).is_err());
    assert_eq!(world.searcher(None).search(&scope, "late", top(5)).unwrap(), []);
    assert!(knowledge.document(&scope, document.id).unwrap().is_none());
    assert!(knowledge.remove(&scope, document.id).unwrap());
    assert_eq!(world.local.count(&scope).unwrap(), 0);
}

#[test]
fn a_failed_ingestion_leaves_nothing() {
    let long = "A late return costs three euros a day, and every day counts. ".repeat(1_500);
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    // The first batch is stored, the second cannot be embedded.
    let knowledge = world.knowledge(Some(Themes::failing_from(1)));
    let mut stored = 0;
    let failed = knowledge.ingest(&scope, &note("Fees", &long), &mut |progress| {
        stored = progress.done;
    });
    assert!(matches!(failed, Err(IngestError::Embed(_))));
    assert!(stored > 0, "the failure comes after the first batch");
    // The vector store refuses.
    world
        .local
        .fail_next(Operation::Upsert, VectorError::Unavailable("scripted".into()));
    let failed = world
        .knowledge(None)
        .ingest(&scope, &note("Fees", "late"), &mut |_| {});
    assert!(matches!(failed, Err(IngestError::Vector(_))));
    // The record store dies when the document is declared ready.
    world
        .store
        .fail_when(|method| (method == "document").then(unavailable));
    let failed = world
        .knowledge(None)
        .ingest(&scope, &note("Fees", "late"), &mut |_| {});
    assert!(matches!(failed, Err(IngestError::Store(_))));
    world.store.heal();

    assert_eq!(
        world
            .knowledge(None)
            .documents(&scope, Page::default())
            .unwrap()
            .total,
        0
    );
    assert_eq!(world.local.count(&scope).unwrap(), 0);
}

#[test]
fn a_document_removed_while_it_is_stored_leaves_nothing() {
    let long = "A late return costs three euros a day, and every day counts. ".repeat(1_500);
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    let knowledge = world.knowledge(None);
    let mut removed = 0;
    let stored = knowledge.ingest(&scope, &note("Fees", &long), &mut |progress| {
        assert!(
            removed > 0 || progress.done < progress.total,
            "there are several batches"
        );
        for document in knowledge.documents(&scope, Page::default()).unwrap().items {
            assert!(knowledge.remove(&scope, document.id).unwrap());
            removed += 1;
        }
    });
    assert!(matches!(stored, Err(IngestError::Store(_))), "{stored:?}");
    assert_eq!(removed, 1);
    assert_eq!(world.local.count(&scope).unwrap(), 0);
}

#[test]
fn a_title_shows_all_that_it_says() {
    let world = World::new();
    world.tenant("acme");
    let document = world.ingest("acme", "Fees\u{E0069}\u{E0067}\u{202E}", "late");
    assert_eq!(document.title, "Fees");
}

#[test]
fn a_document_that_cannot_be_undone_stays_as_failed() {
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    world.local.set_down(true);
    assert!(
        world
            .knowledge(None)
            .ingest(&scope, &note("Fees", "late"), &mut |_| {})
            .is_err()
    );
    world.local.set_down(false);
    let left = world.knowledge(None).documents(&scope, Page::default()).unwrap();
    assert_eq!(left.items[0].state, DocumentState::Failed);
    assert!(left.items[0].failure.is_some());
    assert!(world.knowledge(None).remove(&scope, left.items[0].id).unwrap());
}

#[test]
fn a_text_without_readable_characters_is_refused() {
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    for (title, text, field) in [
        ("", "text", "title"),
        ("a\0", "text", "title"),
        ("Title", " \n", "text"),
        ("Title", "a\0b", "text"),
        ("Title", "\u{200B}\u{FEFF}\u{200B}", "text"),
    ] {
        match world
            .knowledge(None)
            .ingest(&scope, &note(title, text), &mut |_| {})
        {
            Err(IngestError::Invalid(invalid)) => assert_eq!(invalid.field, field, "{text:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        world
            .knowledge(None)
            .documents(&scope, Page::default())
            .unwrap()
            .total,
        0
    );
}

#[test]
fn a_query_is_neither_blank_nor_endless() {
    let world = World::new();
    world.tenant("acme");
    let scope = world.scope("acme");
    for query in [String::new(), " \n".into(), "x".repeat(16_001)] {
        let refused = world.searcher(None).search(&scope, &query, top(5));
        assert!(matches!(refused, Err(SearchError::Invalid(invalid)) if invalid.field == "query"));
    }
}

#[test]
fn progress_counts_up_to_all_chunks() {
    let world = World::new();
    world.tenant("acme");
    let text = NewText {
        title: "Long".into(),
        media_type: MediaType::Markdown,
        text: "A late return costs three euros a day, and every day counts.\n\n".repeat(1_500),
    };
    let mut seen = Vec::new();
    let document = world
        .knowledge(None)
        .ingest(&world.scope("acme"), &text, &mut |progress| seen.push(progress))
        .unwrap();
    let last = seen.last().unwrap();
    assert!(seen.len() > 1 && seen.windows(2).all(|pair| pair[0].done < pair[1].done));
    assert_eq!(
        (last.done, u32::try_from(last.total)),
        (last.total, Ok(document.chunks))
    );
}
