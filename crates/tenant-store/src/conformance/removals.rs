//! What every [`DocumentStore`](crate::DocumentStore) must do to remove a document, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{DocumentId, DocumentState, DocumentVersion, JobId, JobKind, JobStage, JobState, Page};

use super::samples::{at, scope};
use super::work::{
    RecordStore, again, claim, has_source, publish, settle, submission, submit_with_source, take_in,
};
use crate::{DocumentFilter, Published, Settlement, Submission};

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
    assert_eq!((listed.items.len(), listed.total), (1, 1));
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

/// A removal that is done leaves neither document, text, bytes nor jobs, and frees the ids; nothing of others is touched.
pub fn a_removal_that_is_done_leaves_nothing<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let owls = submission("Owls", 0);
    take_in(store, &globex, &owls);
    let kept = take_in(store, &acme, &submission("Larks", 0));
    take_in(store, &acme, &owls);
    let next = Submission {
        title: None,
        ..again(&owls, 1)
    };
    submit_with_source(store, &acme, &next);
    let removal = JobId::generate(at(2));
    store
        .remove_document(&acme, owls.document, removal, at(2))
        .unwrap();
    let claimed = claim(store, 3).unwrap();
    assert_eq!(claimed.job.id, removal);
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Done, 3));
    assert_eq!(store.document(&acme, owls.document).unwrap(), None);
    for job in [owls.job, next.job, removal] {
        assert_eq!(store.job(&acme, job).unwrap(), None);
    }
    let of = DocumentVersion {
        document: owls.document,
        version: 1,
    };
    assert_eq!(store.segments(&acme, of, 0, 9).unwrap(), []);
    assert!(!has_source(store, &acme, next.source));
    assert_eq!(claim(store, 10_000), None);

    assert_eq!(store.document(&acme, kept.id).unwrap(), Some(kept));
    assert_eq!(store.segments(&globex, of, 0, 9).unwrap().len(), 1);
    take_in(store, &acme, &owls);
}
