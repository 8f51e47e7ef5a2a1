//! What every [`DocumentStore`](crate::DocumentStore) must do, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Document, DocumentId, DocumentState, DocumentVersion, Job, JobId, JobKind, JobProgress, JobStage,
    JobState, MediaType, Page, PageMark, Segment, TextFormat,
};

use super::samples::{at, foreign_scope, scope};
use super::work::{
    RecordStore, again, claim, finish, has_source, hash, metadata, publish, read, segment, settle,
    submission, submit, submit_with_source, take_in, text_of,
};
use crate::{
    DocumentFilter, Published, ReadyDocument, ReadyVersion, Settlement, StoreError, Submission, SubmitOutcome,
};

fn titles(documents: impl IntoIterator<Item = Document>) -> Vec<String> {
    documents.into_iter().map(|document| document.title).collect()
}

/// A new document is pending, titled by what is known, of the kind that the client or the file's name says, and so is its job; both are read
/// back as they were given.
pub fn a_new_document_begins_pending<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let all = Submission {
        external_id: Some("böx/1".into()),
        declared: Some(MediaType::Pdf),
        metadata: metadata(),
        ..submission("Owls", 5)
    };
    let unnamed = |title: Option<&str>, file: Option<&str>, external: Option<&str>| Submission {
        title: title.map(Into::into),
        file_name: file.map(Into::into),
        external_id: external.map(Into::into),
        hash: hash(&format!("{file:?}{external:?}")),
        ..submission("", 5)
    };
    let cases = [
        (all, "Owls", MediaType::Pdf),
        (
            unnamed(None, Some("b.html"), Some("x")),
            "b.html",
            MediaType::Html,
        ),
        (unnamed(None, None, Some("name")), "name", MediaType::PlainText),
        (unnamed(None, None, None), "", MediaType::PlainText),
    ];
    for (submission, title, media_type) in cases {
        let submitted = store.submit(&acme, &submission).unwrap();
        let document = Document {
            id: submission.document,
            external_id: submission.external_id.clone(),
            title: title.into(),
            media_type,
            metadata: submission.metadata.clone(),
            content_hash: Some(submission.hash),
            version: 0,
            state: DocumentState::Pending,
            failure: None,
            characters: 0,
            chunks: 0,
            created_at: at(5),
            updated_at: at(5),
        };
        let job = Job {
            id: submission.job,
            document: submission.document,
            version: 1,
            kind: JobKind::Ingest,
            state: JobState::Queued,
            stage: JobStage::Extracting,
            progress: JobProgress::default(),
            reason: None,
            attempts: 0,
            not_before: at(5),
            created_at: at(5),
            updated_at: at(5),
        };
        assert_eq!(submitted.outcome, SubmitOutcome::New);
        assert_eq!((&submitted.document, &submitted.job), (&document, &job));
        assert_eq!(store.document(&acme, document.id).unwrap(), Some(document));
        assert_eq!(store.job(&acme, job.id).unwrap(), Some(job));
    }
}

/// An id is taken within its tenant, that of a document and that of a job; another tenant may have the same. A submission that is refused
/// leaves nothing behind.
pub fn an_id_is_taken_in_its_tenant_alone<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let first = submission("Owls", 0);
    store.submit(&acme, &first).unwrap();
    let same_document = Submission {
        document: first.document,
        ..submission("Larks", 1)
    };
    let same_job = Submission {
        job: first.job,
        ..submission("Larks", 1)
    };
    for taken in [&same_document, &same_job] {
        assert!(matches!(store.submit(&acme, taken), Err(StoreError::IdTaken)));
    }
    assert_eq!(store.document(&acme, same_job.document).unwrap(), None);
    assert_eq!(store.job(&acme, same_document.job).unwrap(), None);
    assert!(matches!(
        store.remove_document(&acme, first.document, first.job, at(2)),
        Err(StoreError::IdTaken)
    ));
    store.submit(&globex, &same_document).unwrap();
    assert_eq!(
        store.document(&acme, first.document).unwrap().unwrap().title,
        "Owls"
    );
}

/// A submission of a tenant that this store does not know is refused.
pub fn a_submission_of_an_unknown_tenant_is_refused<S: RecordStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let submission = submission("Owls", 0);
    assert!(matches!(
        store.submit(&nowhere, &submission),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.document(&nowhere, submission.document).unwrap(), None);
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
fn take_in_alone<S: RecordStore>(store: &S, scope: &tenantry_domain::TenantScope, submission: &Submission) {
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

/// The same file with the same title and metadata, on its way or ready, changes nothing, and its bytes are removed, unless they are those
/// that the job reads.
pub fn the_same_submission_again_is_unchanged<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    for (external_id, title) in [(None, "Owls"), (Some("larks".to_owned()), "Larks")] {
        let first = Submission {
            external_id,
            metadata: metadata(),
            ..submission(title, 0)
        };
        submit_with_source(store, &acme, &first);
        let unchanged = |seconds| {
            let again = Submission {
                file_name: Some("renamed.txt".into()),
                ..again(&first, seconds)
            };
            let submitted = submit_with_source(store, &acme, &again);
            assert_eq!(submitted.outcome, SubmitOutcome::Unchanged);
            assert_eq!(
                (submitted.document.id, submitted.job.id),
                (first.document, first.job)
            );
            assert!(!has_source(store, &acme, again.source));
        };
        unchanged(1);
        let twice = store.submit(&acme, &first).unwrap();
        assert_eq!(twice.outcome, SubmitOutcome::Unchanged);
        assert!(has_source(store, &acme, first.source));

        let claimed = claim(store, 2).unwrap();
        unchanged(3);
        read(store, &acme, &claimed, at(3));
        assert_eq!(publish(store, &acme, &claimed.lease, at(3)), Published::Yes);
        unchanged(4);
        assert!(settle(store, &acme, &claimed.lease, &Settlement::Done, 4));
        let before = store.document(&acme, first.document).unwrap();
        unchanged(5);
        assert_eq!(store.document(&acme, first.document).unwrap(), before);
        assert_eq!(claim(store, 6), None);
    }
}

/// Another title or other metadata of the same file, and another file of the same name, are the next version of the same document.
pub fn another_submission_of_a_document_is_its_next_version<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let unnamed = submission("Owls", 0);
    let named = Submission {
        external_id: Some("larks".into()),
        ..submission("Larks", 0)
    };
    for first in [unnamed, named.clone()] {
        take_in(store, &acme, &first);
        let changed = [
            Submission {
                title: Some("Night owls".into()),
                ..again(&first, 1)
            },
            Submission {
                title: None,
                ..again(&first, 2)
            },
            Submission {
                metadata: metadata(),
                ..again(&first, 3)
            },
        ];
        for (next, version) in changed.into_iter().zip(2..) {
            let submitted = store.submit(&acme, &next).unwrap();
            assert_eq!(submitted.outcome, SubmitOutcome::Replacement);
            assert_eq!(
                (submitted.document.id, submitted.job.id),
                (first.document, next.job)
            );
            assert_eq!(submitted.job.version, version);
            finish(store, &acme, &claim(store, 3).unwrap(), 3);
        }
    }
    let other_bytes = Submission {
        hash: hash("other"),
        ..again(&named, 4)
    };
    let submitted = store.submit(&acme, &other_bytes).unwrap();
    assert_eq!(
        (submitted.outcome, submitted.document.id),
        (SubmitOutcome::Replacement, named.document)
    );
}

/// A name makes a document of its own: the same bytes without it, and under another, are others.
pub fn a_name_makes_a_document_of_its_own<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = submission("Owls", 0);
    store.submit(&acme, &first).unwrap();
    for name in ["a", "A", ""] {
        let named = Submission {
            external_id: Some(name.into()),
            ..again(&first, 1)
        };
        assert_eq!(
            store.submit(&acme, &named).unwrap().outcome,
            SubmitOutcome::New,
            "{name:?}"
        );
    }
}

/// A document that may be found stays what it is until its next version may be.
pub fn a_document_stays_what_it_is_until_its_next_version_is_ready<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = Submission {
        external_id: Some("owls".into()),
        ..submission("Owls", 0)
    };
    let before = take_in(store, &acme, &first);
    let next = Submission {
        external_id: first.external_id.clone(),
        metadata: metadata(),
        ..submission("Larks", 10)
    };
    let submitted = store.submit(&acme, &next).unwrap();
    let now = Document {
        updated_at: at(10),
        ..before
    };
    assert_eq!(submitted.document, now);
    let claimed = claim(store, 11).unwrap();
    assert_eq!(claimed.live_version, 1);
    read(store, &acme, &claimed, at(12));
    assert_eq!(store.document(&acme, now.id).unwrap(), Some(now.clone()));
    assert_eq!(publish(store, &acme, &claimed.lease, at(13)), Published::Yes);
    let wanted = Document {
        title: "Larks".into(),
        metadata: metadata(),
        content_hash: Some(next.hash),
        version: 2,
        updated_at: at(13),
        ..now
    };
    assert_eq!(store.document(&acme, wanted.id).unwrap(), Some(wanted));
}

/// A new submission ends the job before it: at once when nobody began it, with its bytes; else when its worker hears of it. The document then
/// belongs to the new job alone.
pub fn a_submission_ends_the_job_before_it<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = Submission {
        external_id: Some("owls".into()),
        ..submission("Owls", 0)
    };
    submit_with_source(store, &acme, &first);
    let second = Submission {
        hash: hash("second"),
        ..again(&first, 1)
    };
    let submitted = submit_with_source(store, &acme, &second);
    assert_eq!(submitted.document.state, DocumentState::Pending);
    assert_eq!(submitted.document.content_hash, Some(second.hash));
    let ended = store.job(&acme, first.job).unwrap().unwrap();
    assert_eq!((ended.state, ended.updated_at), (JobState::Cancelled, at(1)));
    assert!(!has_source(store, &acme, first.source));

    let claimed = claim(store, 2).unwrap();
    assert_eq!(claimed.job.id, second.job);
    let third = Submission {
        hash: hash("third"),
        ..again(&first, 3)
    };
    submit_with_source(store, &acme, &third);
    assert_eq!(
        store.job(&acme, second.job).unwrap().unwrap().state,
        JobState::Running
    );
    assert!(has_source(store, &acme, second.source));
    assert_eq!(publish(store, &acme, &claimed.lease, at(4)), Published::Cancelled);
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Cancelled, 4));
    assert!(!has_source(store, &acme, second.source));
    let document = store.document(&acme, first.document).unwrap().unwrap();
    assert_eq!((document.state, document.failure), (DocumentState::Pending, None));

    let claimed = claim(store, 5).unwrap();
    assert_eq!((claimed.job.id, claimed.job.version), (third.job, 3));
    finish(store, &acme, &claimed, 5);
}

/// A document that failed is tried again with the same file, as its next version.
pub fn a_document_that_failed_is_tried_again<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = submission("Owls", 0);
    store.submit(&acme, &first).unwrap();
    let claimed = claim(store, 1).unwrap();
    let reason = "it was empty".to_owned();
    assert!(settle(
        store,
        &acme,
        &claimed.lease,
        &Settlement::Failed { reason },
        2
    ));
    let submitted = store.submit(&acme, &again(&first, 3)).unwrap();
    assert_eq!(
        (submitted.outcome, submitted.job.version),
        (SubmitOutcome::Replacement, 2)
    );
    assert_eq!(
        (submitted.document.state, submitted.document.failure.as_deref()),
        (DocumentState::Pending, None)
    );
    finish(store, &acme, &claim(store, 4).unwrap(), 4);
    let document = store.document(&acme, first.document).unwrap().unwrap();
    assert_eq!((document.state, document.version), (DocumentState::Ready, 2));
}

/// A file of a document that is being removed becomes a new document, known by its bytes or by its name.
pub fn a_file_of_a_document_being_removed_becomes_a_new_one<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let unnamed = submission("Owls", 0);
    let named = Submission {
        external_id: Some("larks".into()),
        ..submission("Larks", 0)
    };
    for first in [unnamed, named] {
        store.submit(&acme, &first).unwrap();
        store
            .remove_document(&acme, first.document, JobId::generate(at(1)), at(1))
            .unwrap();
        let next = again(&first, 2);
        let submitted = store.submit(&acme, &next).unwrap();
        assert_eq!(
            (submitted.outcome, submitted.document.id),
            (SubmitOutcome::New, next.document)
        );
        // And once more, beside the two that are being removed.
        store
            .remove_document(&acme, next.document, JobId::generate(at(3)), at(3))
            .unwrap();
        assert_eq!(
            store.submit(&acme, &again(&first, 4)).unwrap().outcome,
            SubmitOutcome::New
        );
    }
}

/// Of many who hand in one file at once one makes the document, and all are told of it.
pub fn one_file_handed_in_by_many_at_once_is_one_document<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    for (round, external_id) in [(0, None), (1, Some("owls".to_owned()))] {
        let first = Submission {
            external_id,
            ..submission("Owls", round)
        };
        let outcomes: Vec<_> = std::thread::scope(|threads| {
            let started: Vec<_> = (0..6)
                .map(|_| threads.spawn(|| store.submit(&acme, &again(&first, round)).unwrap()))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let new = |submitted: &&crate::Submitted| submitted.outcome == SubmitOutcome::New;
        assert_eq!(outcomes.iter().filter(new).count(), 1, "{outcomes:?}");
        let mut told: Vec<_> = outcomes
            .iter()
            .map(|submitted| (submitted.document.id, submitted.job.id))
            .collect();
        told.dedup();
        assert_eq!(told.len(), 1, "{outcomes:?}");
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

/// Removing a document declares it so, adds one job, and gives that job to whoever asks again; when the job was given up, another.
pub fn removing_a_document_adds_one_job<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let document = take_in(store, &acme, &submission("Owls", 0)).id;
    take_in(store, &acme, &submission("Larks", 1));
    let remove = |seconds| {
        store
            .remove_document(&acme, document, JobId::generate(at(seconds)), at(seconds))
            .unwrap()
            .unwrap()
    };
    let job = remove(2);
    assert_eq!(
        (job.kind, job.state, job.stage),
        (JobKind::Remove, JobState::Queued, JobStage::Removing)
    );
    assert_eq!((job.document, job.version, job.created_at), (document, 1, at(2)));
    assert_eq!(store.job(&acme, job.id).unwrap(), Some(job.clone()));
    let now = store.document(&acme, document).unwrap().unwrap();
    assert_eq!((now.state, now.updated_at), (DocumentState::Deleting, at(2)));
    let listed = store
        .documents(&acme, &DocumentFilter::default(), Page::default())
        .unwrap();
    assert_eq!(
        (titles(listed.items), listed.total),
        (vec!["Larks".to_owned()], 1)
    );
    assert_eq!(remove(3), job);

    let claimed = claim(store, 4).unwrap();
    assert_eq!((claimed.live_version, &claimed.incoming), (0, &None));
    assert_eq!(remove(5).id, job.id);
    let reason = "the vector store said no".into();
    assert!(settle(
        store,
        &acme,
        &claimed.lease,
        &Settlement::Failed { reason },
        6
    ));
    assert_ne!(remove(7).id, job.id);
    assert_eq!(
        store
            .remove_document(&acme, DocumentId::generate(at(0)), JobId::generate(at(8)), at(8))
            .unwrap(),
        None
    );
}

/// Removing a document ends the job that takes it in.
pub fn removing_a_document_ends_its_job<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let waiting = submission("Owls", 0);
    submit_with_source(store, &acme, &waiting);
    let remove = |document, seconds| {
        store
            .remove_document(&acme, document, JobId::generate(at(seconds)), at(seconds))
            .unwrap()
            .unwrap()
    };
    let removal = remove(waiting.document, 1);
    assert_eq!(
        store.job(&acme, waiting.job).unwrap().unwrap().state,
        JobState::Cancelled
    );
    assert!(!has_source(store, &acme, waiting.source));
    let claimed = claim(store, 2).unwrap();
    assert_eq!(claimed.job.id, removal.id);
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Done, 2));

    let running = submission("Larks", 3);
    submit_with_source(store, &acme, &running);
    let worker = claim(store, 4).unwrap();
    let removal = remove(running.document, 5);
    assert_eq!(claim(store, 6), None, "the worker is at it");
    assert_eq!(publish(store, &acme, &worker.lease, at(7)), Published::Cancelled);
    assert!(settle(store, &acme, &worker.lease, &Settlement::Cancelled, 7));
    assert_eq!(
        store.document(&acme, running.document).unwrap().unwrap().state,
        DocumentState::Deleting
    );
    assert_eq!(claim(store, 8).unwrap().job.id, removal.id);
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let nul = || Some("a\0b".to_owned());
    for bad in [
        Submission {
            title: nul(),
            ..submission("", 1)
        },
        Submission {
            external_id: nul(),
            ..submission("", 1)
        },
        Submission {
            file_name: nul(),
            ..submission("", 1)
        },
    ] {
        assert!(matches!(store.submit(&acme, &bad), Err(StoreError::Failed(_))));
        assert_eq!(store.document(&acme, bad.document).unwrap(), None);
        assert_eq!(store.job(&acme, bad.job).unwrap(), None);
    }
    submit(store, &acme, "Owls", 2);
    let lease = claim(store, 3).unwrap().lease;
    let headings = Segment {
        headings: vec!["\0".into()],
        ..segment(0, 0, "x")
    };
    for bad in [segment(0, 0, "a\0"), headings] {
        let added = store.add_segments(&acme, &lease, &[bad], at(4), at(60));
        assert!(matches!(added, Err(StoreError::Failed(_))));
    }
    let read = store.text_read(&acme, &lease, &text_of("\0", 1), at(4));
    assert!(matches!(read, Err(StoreError::Failed(_))));
    let failed = Settlement::Failed { reason: "\0".into() };
    let settled = store.settle(&acme, &lease, &failed, at(4));
    assert!(matches!(settled, Err(StoreError::Failed(_))));
    let job = store.job(&acme, lease.job).unwrap().unwrap();
    assert_eq!((job.state, job.stage), (JobState::Running, JobStage::Extracting));
}
