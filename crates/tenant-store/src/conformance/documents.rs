//! What every [`DocumentStore`](crate::DocumentStore) must do for who reads documents, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Document, DocumentId, DocumentState, DocumentVersion, JobId, Page, PageMark, Segment, TenantScope,
    TextFormat,
};

use super::samples::{at, scope};
use super::work::{
    RecordStore, again, claim, finish, metadata, read, segment, settle, submission, submit, take_in,
};
use crate::{DocumentFilter, ReadyDocument, ReadyVersion, Settlement, Submission, SubmitOutcome};

fn titles(documents: impl IntoIterator<Item = Document>) -> Vec<String> {
    documents.into_iter().map(|document| document.title).collect()
}

/// Another tenant's document can be neither read, found, listed, replaced nor removed, even by its id, its name or its bytes.
pub fn a_document_of_another_tenant_does_not_exist<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let owls = Submission {
        external_id: Some("owls".into()),
        ..submission("Owls", 0)
    };
    let before = take_in(store, &acme, &owls);
    let of = DocumentVersion {
        document: before.id,
        version: 1,
    };
    assert_eq!(store.segments(&acme, of, 0, 9).unwrap().len(), 1);

    assert_eq!(store.document(&globex, before.id).unwrap(), None);
    assert_eq!(store.ready_documents(&globex, &[before.id]).unwrap(), []);
    assert_eq!(store.ready_versions(&globex, None, 9).unwrap(), []);
    assert_eq!(store.segments(&globex, of, 0, 9).unwrap(), []);
    let listed = store
        .documents(&globex, &DocumentFilter::default(), Page::default())
        .unwrap();
    assert_eq!((listed.items, listed.total), (vec![], 0));
    let removed = store.remove_document(&globex, before.id, JobId::generate(at(1)), at(1));
    assert_eq!(removed.unwrap(), None);
    let other = store.submit(&globex, &again(&owls, 2)).unwrap();
    assert_eq!(other.outcome, SubmitOutcome::New);
    assert_eq!(store.document(&acme, before.id).unwrap(), Some(before));
}

/// The list has the newest first, cut into pages, and knows its whole length.
pub fn documents_are_listed_newest_first_in_pages_with_the_total<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    for (title, seconds) in [("third", 30), ("first", 10), ("second", 20)] {
        submit(store, &acme, title, seconds);
    }
    // Made at one moment: the order of ids decides, so that pages neither repeat nor miss one.
    let mut ids = [DocumentId::generate(at(40)), DocumentId::generate(at(40))];
    ids.sort();
    for (document, title) in ids.into_iter().zip(["lower", "higher"]) {
        let twin = Submission {
            document,
            ..submission(title, 40)
        };
        store.submit(&acme, &twin).unwrap();
    }
    let mut listed = Vec::new();
    let mut page = Page::new(2, 0).unwrap();
    for wanted in [2, 2, 1, 0] {
        let paged = store.documents(&acme, &DocumentFilter::default(), page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 5));
        listed.extend(titles(paged.items));
        page = page.next().unwrap();
    }
    assert_eq!(listed, ["higher", "lower", "third", "second", "first"]);
}

/// A list may be of one state, or of the one document with a name; a name that cannot be is that of none.
pub fn a_list_of_documents_may_be_narrowed<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let named = Submission {
        external_id: Some("owls".into()),
        ..submission("Owls", 0)
    };
    take_in(store, &acme, &named);
    submit(store, &acme, "Larks", 1);
    let listed = |state, name: Option<&str>| {
        let filter = DocumentFilter {
            state,
            external_id: name.map(Into::into),
        };
        let paged = store.documents(&acme, &filter, Page::default()).unwrap();
        assert_eq!(u64::try_from(paged.items.len()).unwrap(), paged.total);
        titles(paged.items)
    };
    assert_eq!(listed(Some(DocumentState::Ready), None), ["Owls"]);
    assert_eq!(listed(Some(DocumentState::Pending), None), ["Larks"]);
    assert_eq!(listed(None, Some("owls")), ["Owls"]);
    for (state, name) in [
        (Some(DocumentState::Deleting), None),
        (Some(DocumentState::Pending), Some("owls")),
        (None, Some("Owls")),
        (None, Some("%")),
        (None, Some("ow\0ls")),
    ] {
        assert_eq!(listed(state, name), [""; 0], "{state:?} {name:?}");
    }
}

/// Of the ids asked for, only documents with a version that may be found come back, each once, however many are asked for.
pub fn only_ready_documents_may_be_found<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let ready = Submission {
        external_id: Some("r".into()),
        metadata: metadata(),
        ..submission("ready", 0)
    };
    let deleting = take_in(store, &acme, &submission("deleting", 0)).id;
    store
        .remove_document(&acme, deleting, JobId::generate(at(0)), at(0))
        .unwrap()
        .unwrap();
    take_in_alone(store, &acme, &ready);
    take_in_alone(store, &acme, &submission("unasked", 1));
    let failed = submit(store, &acme, "failed", 2).document.id;
    let indexing = submit(store, &acme, "indexing", 3).document.id;
    let mut ids = vec![deleting, ready.document, failed, indexing];
    for _ in 0..3 {
        let claimed = claim(store, 4).unwrap();
        match claimed.job.document {
            id if id == failed => {
                let reason = "it was empty".into();
                assert!(settle(
                    store,
                    &acme,
                    &claimed.lease,
                    &Settlement::Failed { reason },
                    4
                ));
            }
            id if id == indexing => read(store, &acme, &claimed, at(4)),
            other => assert_eq!(other, deleting),
        }
    }
    ids.push(submit(store, &acme, "pending", 5).document.id);

    let found = [ReadyDocument {
        id: ready.document,
        version: 1,
        title: "ready".into(),
        metadata: metadata(),
        external_id: Some("r".into()),
    }];
    ids.extend(ids.clone());
    let asked = |ids: &[DocumentId]| store.ready_documents(&acme, ids).unwrap();
    assert_eq!(asked(&ids), found);
    assert_eq!(asked(&[]), []);
    ids.extend((0..2_000).map(|_| DocumentId::generate(at(3))));
    ids.extend(ids.clone());
    assert_eq!(asked(&ids), found);
}

/// Takes a file in although other jobs are older.
fn take_in_alone<S: RecordStore>(store: &S, scope: &TenantScope, submission: &Submission) {
    store.submit(scope, submission).unwrap();
    let mut others = Vec::new();
    loop {
        let claimed = claim(store, 2).unwrap();
        if claimed.job.document == submission.document {
            finish(store, scope, &claimed, 2);
            break;
        }
        others.push(claimed.lease);
    }
    for lease in others {
        assert!(settle(store, scope, &lease, &Settlement::Yielded, 2));
    }
}

/// The versions that may be found are listed by document, after one, with what indexing them again needs.
pub fn ready_versions_are_listed_by_document<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let mut ready: Vec<_> = (0..3)
        .map(|n| {
            let submission = Submission {
                metadata: metadata(),
                ..submission(&format!("Owls {n}"), n)
            };
            let document = take_in(store, &acme, &submission);
            ReadyVersion {
                of: DocumentVersion {
                    document: document.id,
                    version: 1,
                },
                title: document.title,
                metadata: metadata(),
                format: TextFormat::Markdown,
                chunks: 3,
                segments: 1,
            }
        })
        .collect();
    submit(store, &acme, "pending", 4);
    ready.sort_by_key(|version| version.of);
    assert_eq!(store.ready_versions(&acme, None, 100).unwrap(), ready);
    assert_eq!(store.ready_versions(&acme, None, 0).unwrap(), []);
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.ready_versions(&acme, after, 2).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.of.document);
        listed.extend(page);
    }
    assert_eq!(listed, ready);
}

/// Segments are read in order, from one on, as they were added, with what is in them and before them.
pub fn segments_are_read_as_they_were_added<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let submitted = submit(store, &acme, "Owls", 0);
    let claimed = claim(store, 1).unwrap();
    let mut segments = vec![
        Segment {
            headings: vec!["Bïrds \"of\" prey".into(), String::new()],
            pages: vec![PageMark { at: 0, page: 1 }, PageMark { at: 4, page: 2 }],
            ..segment(0, 0, "añ€😀\r\n'; DROP TABLE jobs; --")
        },
        segment(1, 25, ""),
        segment(2, u32::MAX, &"ß".repeat(400_000)),
    ];
    // Ten sorts after nine, as no text does.
    segments.extend((3..12).map(|ordinal| segment(ordinal, ordinal, "x")));
    for some in segments.chunks(4) {
        store
            .add_segments(&acme, &claimed.lease, some, at(2), at(60))
            .unwrap();
    }
    let of = DocumentVersion {
        document: submitted.document.id,
        version: 1,
    };
    assert_eq!(store.segments(&acme, of, 0, 100).unwrap(), segments);
    assert_eq!(
        store.segments(&acme, of, 9, 2).unwrap().as_slice(),
        segments.get(9..11).unwrap()
    );
    assert_eq!(store.segments(&acme, of, 12, 5).unwrap(), []);
    assert_eq!(
        store
            .segments(&acme, DocumentVersion { version: 2, ..of }, 0, 5)
            .unwrap(),
        []
    );
}
