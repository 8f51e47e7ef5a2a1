//! What every [`DocumentStore`](crate::DocumentStore) must do when a document is handed in again, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Document, DocumentState, JobId, JobState};

use super::samples::{at, scope};
use super::work::{
    RecordStore, again, claim, finish, has_source, hash, metadata, publish, read, settle, submission,
    submit_with_source, take_in,
};
use crate::{Published, Settlement, Submission, SubmitOutcome};

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
