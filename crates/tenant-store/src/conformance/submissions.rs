//! What every [`DocumentStore`](crate::DocumentStore) must do with files that are handed in, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Document, DocumentState, Job, JobKind, JobProgress, JobStage, JobState, MediaType, Segment,
};

use super::samples::{at, foreign_scope, scope};
use super::work::{
    RecordStore, again, claim, has_source, hash, metadata, publish, read, segment, settle, submission,
    submit, submit_with_source, text_of,
};
use crate::{Published, Settlement, StoreError, Submission, SubmitOutcome, Submitted};

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
        let new = |submitted: &&Submitted| submitted.outcome == SubmitOutcome::New;
        assert_eq!(outcomes.iter().filter(new).count(), 1, "{outcomes:?}");
        let mut told: Vec<_> = outcomes
            .iter()
            .map(|submitted| (submitted.document.id, submitted.job.id))
            .collect();
        told.dedup();
        assert_eq!(told.len(), 1, "{outcomes:?}");
    }
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
