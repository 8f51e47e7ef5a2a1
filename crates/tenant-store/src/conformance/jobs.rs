//! What every [`JobStore`](crate::JobStore) must do, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{DocumentState, Job, JobId, JobState, Page};

use super::samples::{at, foreign_scope, scope};
use super::work::{
    RecordStore, again, claim, finish, has_source, publish, read, settle, submission, submit,
    submit_with_source, take_in,
};
use crate::{JobFilter, Published, Settlement, Submission};

/// An absent job is `None`, and is not cancelled.
pub fn an_absent_job_is_none<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    for scope in [acme, foreign_scope("nowhere")] {
        let id = JobId::generate(at(0));
        assert_eq!(store.job(&scope, id).unwrap(), None);
        assert_eq!(store.cancel_job(&scope, id, at(1)).unwrap(), None);
    }
}

/// Another tenant's job can be neither read, listed nor cancelled, even by its id.
pub fn a_job_of_another_tenant_does_not_exist<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let job = submit(store, &acme, "Owls", 0).job;
    assert_eq!(store.job(&globex, job.id).unwrap(), None);
    let listed = store
        .jobs(&globex, &JobFilter::default(), Page::default())
        .unwrap();
    assert_eq!((listed.items, listed.total), (vec![], 0));
    assert_eq!(store.cancel_job(&globex, job.id, at(1)).unwrap(), None);
    assert_eq!(store.job(&acme, job.id).unwrap(), Some(job));
}

/// The list has the newest first, cut into pages, and knows its whole length.
pub fn jobs_are_listed_newest_first_in_pages_with_the_total<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let [third, first, second] =
        [("c", 30), ("a", 10), ("b", 20)].map(|(title, seconds)| submit(store, &acme, title, seconds).job.id);
    let mut twins = ["d", "e"].map(|title| submit(store, &acme, title, 40).job.id);
    twins.sort();
    let [lower, higher] = twins;
    let mut listed = Vec::new();
    let mut page = Page::new(2, 0).unwrap();
    for wanted in [2, 2, 1, 0] {
        let paged = store.jobs(&acme, &JobFilter::default(), page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 5));
        listed.extend(paged.items.into_iter().map(|job| job.id));
        page = page.next().unwrap();
    }
    assert_eq!(listed, [higher, lower, third, second, first]);
}

/// A list may be of one state, on one document, or both.
pub fn a_list_of_jobs_may_be_narrowed<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    take_in(store, &acme, &owls);
    let next = Submission {
        title: None,
        ..again(&owls, 1)
    };
    let next = store.submit(&acme, &next).unwrap().job;
    let larks = submit(store, &acme, "Larks", 2).job;
    let listed = |state, document| {
        let paged = store
            .jobs(&acme, &JobFilter { state, document }, Page::default())
            .unwrap();
        assert_eq!(u64::try_from(paged.items.len()).unwrap(), paged.total);
        paged.items.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(Some(JobState::Queued), None), [larks.id, next.id]);
    assert_eq!(listed(None, Some(owls.document)), [next.id, owls.job]);
    assert_eq!(listed(Some(JobState::Done), Some(owls.document)), [owls.job]);
    assert_eq!(listed(Some(JobState::Failed), None), []);
    assert_eq!(listed(Some(JobState::Done), Some(larks.document)), []);
}

/// A job that was never begun is cancelled at once, with its bytes, and a document without another version has failed.
pub fn a_job_that_was_never_begun_is_cancelled_at_once<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let cancelled = store.cancel_job(&acme, owls.job, at(1)).unwrap().unwrap();
    assert_eq!(
        (cancelled.state, cancelled.updated_at),
        (JobState::Cancelled, at(1))
    );
    assert_eq!(store.job(&acme, owls.job).unwrap(), Some(cancelled));
    assert!(!has_source(store, &acme, owls.source));
    let document = store.document(&acme, owls.document).unwrap().unwrap();
    assert_eq!(
        (document.state, document.failure.as_deref()),
        (DocumentState::Failed, Some("cancelled"))
    );
    assert_eq!(document.updated_at, at(1));
    assert_eq!(claim(store, 2), None);
}

/// The end of a job that was begun is left to its worker, or to the next one, who removes the traces.
pub fn the_end_of_a_job_that_was_begun_is_left_to_a_worker<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let lost = claim(store, 1).unwrap();
    assert!(!lost.cancelled);
    let asked = store.cancel_job(&acme, owls.job, at(2)).unwrap().unwrap();
    assert_eq!((asked.state, asked.updated_at), (JobState::Running, at(2)));
    assert!(has_source(store, &acme, owls.source));
    let repeated = store.cancel_job(&acme, owls.job, at(3)).unwrap();
    assert_eq!(repeated, Some(asked));

    let next = claim(store, 100).unwrap();
    assert!(next.cancelled);
    assert_eq!(next.job.id, owls.job);
    assert!(settle(store, &acme, &next.lease, &Settlement::Cancelled, 101));
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::Cancelled, None));
    let document = store.document(&acme, owls.document).unwrap().unwrap();
    assert_eq!(
        (document.state, document.failure.as_deref()),
        (DocumentState::Failed, Some("cancelled"))
    );
    assert!(!has_source(store, &acme, owls.source));
}

/// A begun job that waits for its next try is not waited for when it is cancelled.
pub fn a_job_that_waits_for_its_next_try_is_ended_without_waiting<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let job = submit(store, &acme, "Owls", 0).job.id;
    let retry = Settlement::Retry {
        not_before: at(10_000),
        reason: "the embedder said no".into(),
    };
    let claimed = claim(store, 1).unwrap();
    assert!(settle(store, &acme, &claimed.lease, &retry, 2));
    assert_eq!(claim(store, 3), None);
    let asked = store.cancel_job(&acme, job, at(4)).unwrap().unwrap();
    assert_eq!(asked.state, JobState::Queued);
    let claimed = claim(store, 5).unwrap();
    assert!(claimed.cancelled);
    assert_eq!(claimed.job.id, job);
}

/// A job that is over, one that has published its document, and a removal are left as they are.
pub fn what_cannot_be_undone_is_not_cancelled<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let unchanged = |id: JobId| -> Job {
        let before = store.job(&acme, id).unwrap().unwrap();
        assert_eq!(store.cancel_job(&acme, id, at(90)).unwrap(), Some(before.clone()));
        assert_eq!(store.job(&acme, id).unwrap(), Some(before.clone()));
        before
    };
    let owls = submission("Owls", 0);
    store.submit(&acme, &owls).unwrap();
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(1));
    assert_eq!(publish(store, &acme, &claimed.lease, at(2)), Published::Yes);
    unchanged(owls.job);
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Done, 3));
    assert_eq!(unchanged(owls.job).state, JobState::Done);

    let removal = JobId::generate(at(4));
    store
        .remove_document(&acme, owls.document, removal, at(4))
        .unwrap();
    unchanged(removal);
    let claimed = claim(store, 5).unwrap();
    unchanged(removal);
    assert!(!claimed.cancelled);
}

/// Cancelling the next version of a document leaves the version that may be found.
pub fn a_cancelled_replacement_leaves_the_document_ready<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    take_in(store, &acme, &owls);
    for (seconds, begun) in [(10, false), (20, true)] {
        let next = Submission {
            title: Some(format!("Owls {seconds}")),
            ..again(&owls, seconds)
        };
        store.submit(&acme, &next).unwrap();
        let before = store.document(&acme, owls.document).unwrap();
        let claimed = begun.then(|| claim(store, seconds + 1).unwrap());
        store
            .cancel_job(&acme, next.job, at(seconds + 2))
            .unwrap()
            .unwrap();
        if let Some(claimed) = claimed {
            assert!(settle(
                store,
                &acme,
                &claimed.lease,
                &Settlement::Cancelled,
                seconds + 3
            ));
        }
        assert_eq!(
            store.job(&acme, next.job).unwrap().unwrap().state,
            JobState::Cancelled
        );
        assert_eq!(store.document(&acme, owls.document).unwrap(), before);
    }
    let next = Submission {
        title: None,
        ..again(&owls, 30)
    };
    store.submit(&acme, &next).unwrap();
    finish(store, &acme, &claim(store, 31).unwrap(), 31);
}
