//! What every [`DocumentStore`] must do, beside a [`TenantStore`] of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Document, DocumentId, DocumentState, MediaType, Page, TenantScope, Timestamp};

use super::samples::{at, document, foreign_scope, scope};
use crate::{Advance, DocumentStore, NewDocument, ReadyDocument, StoreError, TenantStore};

fn advance(state: DocumentState, at: Timestamp) -> Advance {
    Advance {
        state,
        chunks: None,
        failure: None,
        at,
    }
}

fn titles(documents: impl IntoIterator<Item = Document>) -> Vec<String> {
    documents.into_iter().map(|document| document.title).collect()
}

fn stored<S: DocumentStore>(store: &S, scope: &TenantScope, title: &str, seconds: i64) -> NewDocument {
    let document = document(title, seconds);
    store.create_document(scope, &document).unwrap();
    document
}

/// A new document is pending, has no chunks, counts its text in code points, and is read back as it was written.
pub fn a_document_begins_pending_without_chunks<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    for (media_type, text) in [
        (MediaType::PlainText, String::new()),
        (MediaType::Markdown, "añ€😀\r\n".into()),
    ] {
        let new = NewDocument {
            media_type,
            text: text.clone(),
            ..document("Owls", 0)
        };
        store.create_document(&acme, &new).unwrap();
        let wanted = Document {
            id: new.id,
            title: "Owls".into(),
            media_type,
            state: DocumentState::Pending,
            failure: None,
            characters: u32::try_from(text.chars().count()).unwrap(),
            chunks: 0,
            created_at: at(0),
            updated_at: at(0),
        };
        assert_eq!(store.document(&acme, new.id).unwrap(), Some(wanted));
        assert_eq!(store.document_text(&acme, new.id).unwrap(), Some(text));
    }
}

/// An id is taken within its tenant; another tenant may have a document of the same id.
pub fn a_document_id_is_taken_in_its_tenant_alone<S: TenantStore + DocumentStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let first = stored(store, &acme, "Owls", 0);
    let second = NewDocument {
        title: "Larks".into(),
        ..first.clone()
    };
    assert!(matches!(
        store.create_document(&acme, &second),
        Err(StoreError::IdTaken)
    ));
    store.create_document(&globex, &second).unwrap();
    assert_eq!(store.document(&acme, first.id).unwrap().unwrap().title, "Owls");
    assert_eq!(store.document(&globex, first.id).unwrap().unwrap().title, "Larks");
}

/// A document of a tenant that this store does not know is refused.
pub fn a_document_of_an_unknown_tenant_is_refused<S: TenantStore + DocumentStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let document = document("Owls", 0);
    assert!(matches!(
        store.create_document(&nowhere, &document),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.document(&nowhere, document.id).unwrap(), None);
}

/// Another tenant's document can be neither read, found, listed, advanced nor removed, even by its id.
pub fn a_document_of_another_tenant_does_not_exist<S: TenantStore + DocumentStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let id = stored(store, &acme, "Owls", 0).id;
    assert!(
        store
            .advance_document(&acme, id, &advance(DocumentState::Ready, at(1)))
            .unwrap()
    );
    let before = store.document(&acme, id).unwrap();
    assert!(before.is_some());

    assert_eq!(store.document(&globex, id).unwrap(), None);
    assert_eq!(store.document_text(&globex, id).unwrap(), None);
    assert_eq!(store.ready_documents(&globex, &[id]).unwrap(), []);
    let listed = store.documents(&globex, Page::default()).unwrap();
    assert_eq!((listed.items, listed.total), (vec![], 0));
    assert!(
        !store
            .advance_document(&globex, id, &advance(DocumentState::Deleting, at(2)))
            .unwrap()
    );
    assert!(!store.remove_document(&globex, id).unwrap());
    assert_eq!(store.document(&acme, id).unwrap(), before);
}

/// The list has the newest first, cut into pages, and knows its whole length.
pub fn documents_are_listed_newest_first_in_pages_with_the_total<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    for (title, seconds) in [("third", 30), ("first", 10), ("second", 20)] {
        stored(store, &acme, title, seconds);
    }
    // Made at one moment: the order of ids decides, so that pages neither repeat nor miss one.
    let mut twins = [document("", 40), document("", 40)];
    twins.sort_by_key(|twin| twin.id);
    for (twin, title) in twins.iter_mut().zip(["lower", "higher"]) {
        twin.title = title.into();
        store.create_document(&acme, twin).unwrap();
    }
    let mut listed = Vec::new();
    let mut page = Page::new(2, 0).unwrap();
    for wanted in [2, 2, 1, 0] {
        let paged = store.documents(&acme, page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 5));
        listed.extend(titles(paged.items));
        page = page.next().unwrap();
    }
    assert_eq!(listed, ["higher", "lower", "third", "second", "first"]);
}

/// A document that is being deleted is not listed or counted, but still there to be removed.
pub fn a_document_being_deleted_is_not_listed<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = stored(store, &acme, "Owls", 0).id;
    stored(store, &acme, "Larks", 1);
    assert!(
        store
            .advance_document(&acme, id, &advance(DocumentState::Deleting, at(2)))
            .unwrap()
    );
    let paged = store.documents(&acme, Page::default()).unwrap();
    assert_eq!((titles(paged.items), paged.total), (vec!["Larks".to_owned()], 1));
    assert_eq!(
        store.document(&acme, id).unwrap().unwrap().state,
        DocumentState::Deleting
    );
}

/// Of the ids asked for, only ready documents come back, each once, however many are asked for.
pub fn only_ready_documents_may_be_found<S: TenantStore + DocumentStore>(store: &S) {
    use DocumentState::{Deleting, Embedding, Failed, Pending, Ready, Upserting};
    let acme = scope(store, "acme");
    let mut ids = Vec::new();
    for state in [Pending, Embedding, Upserting, Ready, Failed, Deleting] {
        let id = stored(store, &acme, state.as_str(), 0).id;
        assert!(store.advance_document(&acme, id, &advance(state, at(1))).unwrap());
        ids.push(id);
    }
    let unasked = stored(store, &acme, "unasked", 0).id;
    assert!(
        store
            .advance_document(&acme, unasked, &advance(Ready, at(1)))
            .unwrap()
    );

    ids.extend(ids.clone());
    let ready = |ids: &[DocumentId]| store.ready_documents(&acme, ids).unwrap();
    let found = [ReadyDocument {
        id: ids.get(3).copied().unwrap(),
        title: "ready".into(),
    }];
    assert_eq!(ready(&ids), found);
    assert_eq!(ready(&[]), []);
    ids.extend((0..2_000).map(|_| DocumentId::generate(at(3))));
    ids.extend(ids.clone());
    assert_eq!(ready(&ids), found);
}

/// A step sets state, failure and time, and the number of chunks where one is given.
pub fn advancing_sets_state_chunks_failure_and_time<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = stored(store, &acme, "Owls", 0).id;
    let steps = [
        (DocumentState::Embedding, Some(12), None, 12),
        (DocumentState::Failed, None, Some("the embedder said \"no\""), 12),
        (DocumentState::Ready, Some(3), None, 3),
    ];
    for (seconds, (state, chunks, failure, wanted)) in (1..).zip(steps) {
        let step = Advance {
            state,
            chunks,
            failure: failure.map(Into::into),
            at: at(seconds),
        };
        assert!(store.advance_document(&acme, id, &step).unwrap());
        let now = store.document(&acme, id).unwrap().unwrap();
        assert_eq!(
            (now.state, now.failure.as_deref(), now.chunks),
            (state, failure, wanted)
        );
        assert_eq!((now.created_at, now.updated_at), (at(0), at(seconds)));
    }
}

/// Work that ends late does not bring a deleted document back; deleting it again is no error.
pub fn a_document_being_deleted_stays_so<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = stored(store, &acme, "Owls", 0).id;
    assert!(
        store
            .advance_document(&acme, id, &advance(DocumentState::Deleting, at(1)))
            .unwrap()
    );
    let before = store.document(&acme, id).unwrap();
    assert!(
        !store
            .advance_document(&acme, id, &advance(DocumentState::Ready, at(2)))
            .unwrap()
    );
    assert_eq!(store.document(&acme, id).unwrap(), before);
    assert!(
        store
            .advance_document(&acme, id, &advance(DocumentState::Deleting, at(3)))
            .unwrap()
    );
}

/// A document that is not there is neither advanced nor removed, and that is no error.
pub fn an_absent_document_is_neither_advanced_nor_removed<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = DocumentId::generate(at(0));
    assert!(
        !store
            .advance_document(&acme, id, &advance(DocumentState::Ready, at(1)))
            .unwrap()
    );
    assert!(!store.remove_document(&acme, id).unwrap());
    assert_eq!(store.document(&acme, id).unwrap(), None);
    assert_eq!(store.document_text(&acme, id).unwrap(), None);
}

/// A removed document is gone with its text, and its id may be given again.
pub fn removing_a_document_frees_its_id<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let document = stored(store, &acme, "Owls", 0);
    assert!(store.remove_document(&acme, document.id).unwrap());
    assert!(!store.remove_document(&acme, document.id).unwrap());
    assert_eq!(store.document(&acme, document.id).unwrap(), None);
    assert_eq!(store.document_text(&acme, document.id).unwrap(), None);
    store.create_document(&acme, &document).unwrap();
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + DocumentStore>(store: &S) {
    let acme = scope(store, "acme");
    let good = stored(store, &acme, "Owls", 0);
    for bad in [
        NewDocument {
            title: "a\0".into(),
            ..document("", 1)
        },
        NewDocument {
            text: "a\0b".into(),
            ..document("", 1)
        },
    ] {
        assert!(matches!(
            store.create_document(&acme, &bad),
            Err(StoreError::Failed(_))
        ));
        assert_eq!(store.document(&acme, bad.id).unwrap(), None);
    }
    let step = Advance {
        failure: Some("\0".into()),
        ..advance(DocumentState::Failed, at(2))
    };
    assert!(matches!(
        store.advance_document(&acme, good.id, &step),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(
        store.document(&acme, good.id).unwrap().unwrap().state,
        DocumentState::Pending
    );
}
