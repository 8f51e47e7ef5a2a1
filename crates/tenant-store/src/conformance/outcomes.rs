//! What every [`JobQueue`](crate::JobQueue) must do with a job that is given back, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{DocumentState, DocumentVersion, JobProgress, JobStage, JobState};

use super::samples::{at, scope};
use super::work::{
    RecordStore, again, claim, has_source, publish, read, segment, settle, submission, submit,
    submit_with_source, take_in,
};
use crate::{Published, Settlement, Submission};

/// A job that yields goes on when the other tenants had their turn, with no attempt counted.
pub fn a_job_that_yields_lets_other_tenants_go_first<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let long = submit(store, &acme, "long", 0).job.id;
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(1));
    let short = submit(store, &globex, "short", 2).job.id;
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Yielded, 3));
    assert_eq!(store.job(&acme, long).unwrap().unwrap().state, JobState::Queued);
    assert_eq!(claim(store, 4).unwrap().job.id, short);
    let job = claim(store, 5).unwrap().job;
    assert_eq!((job.id, job.attempts, job.stage), (long, 0, JobStage::Indexing));
}

/// A job that is to be tried again waits until then, says why, and counts the attempt.
pub fn a_job_is_tried_again_when_it_is_time<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = submit(store, &acme, "Owls", 0).job.id;
    for attempt in 1..4_i32 {
        let now = i64::from(attempt) * 1_000;
        let claimed = claim(store, now).unwrap();
        let retry = Settlement::Retry {
            not_before: at(now + 500),
            reason: format!("no for the {attempt}. time"),
        };
        assert!(settle(store, &acme, &claimed.lease, &retry, now + 1));
        let job = store.job(&acme, id).unwrap().unwrap();
        assert_eq!((job.state, job.not_before), (JobState::Queued, at(now + 500)));
        assert_eq!(i64::from(job.attempts), i64::from(attempt));
        assert_eq!(job.reason, Some(format!("no for the {attempt}. time")));
        assert_eq!(claim(store, now + 499), None);
    }
    assert_eq!(claim(store, 3_500).unwrap().job.id, id);
}

/// Attempts tell how often a job failed at one place: a segment that is done starts their count anew, and less than that does not.
pub fn attempts_are_counted_anew_when_the_job_has_come_further<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let id = submit(store, &acme, "Owls", 0).job.id;
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(1));
    let retry = Settlement::Retry {
        not_before: at(2),
        reason: "no".into(),
    };
    assert!(settle(store, &acme, &claimed.lease, &retry, 1));
    let claimed = claim(store, 2).unwrap();
    let counted = |segments_done, chunks| {
        let progress = JobProgress {
            segments_done,
            chunks,
            ..claimed.job.progress
        };
        store
            .report(&acme, &claimed.lease, &progress, at(3), at(60))
            .unwrap();
        store.job(&acme, id).unwrap().unwrap()
    };
    assert_eq!(counted(0, 5).attempts, 1);
    let further = counted(1, 5);
    assert_eq!((further.attempts, further.reason), (0, None));
    assert!(settle(store, &acme, &claimed.lease, &retry, 4));
    let claimed = claim(store, 5).unwrap();
    assert_eq!(claimed.job.attempts, 1);
    store
        .report(&acme, &claimed.lease, &claimed.job.progress, at(6), at(60))
        .unwrap();
    assert_eq!(store.job(&acme, id).unwrap().unwrap().attempts, 1);
}

/// A job that was given up leaves neither text nor bytes of its version, and says why; the document has failed for the same reason unless it has another
/// version.
pub fn a_job_that_was_given_up_leaves_nothing<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let lease = claim(store, 1).unwrap().lease;
    let failed = Settlement::Failed {
        reason: "the file has no text".into(),
    };
    store
        .add_segments(&acme, &lease, &[segment(0, 0, "x")], at(1), at(60))
        .unwrap();
    assert!(settle(store, &acme, &lease, &failed, 2));
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1));
    assert_eq!(job.reason.as_deref(), Some("the file has no text"));
    let document = store.document(&acme, owls.document).unwrap().unwrap();
    assert_eq!(
        (document.state, document.failure.as_deref()),
        (DocumentState::Failed, Some("the file has no text"))
    );
    let of = |version| DocumentVersion {
        document: owls.document,
        version,
    };
    assert_eq!(store.segments(&acme, of(1), 0, 9).unwrap(), []);
    assert!(!has_source(store, &acme, owls.source));
    assert_eq!(claim(store, 10_000), None);

    take_in(store, &acme, &again(&owls, 3));
    let next = Submission {
        title: None,
        ..again(&owls, 4)
    };
    store.submit(&acme, &next).unwrap();
    let before = store.document(&acme, owls.document).unwrap();
    let claimed = claim(store, 5).unwrap();
    read(store, &acme, &claimed, at(5));
    assert!(settle(store, &acme, &claimed.lease, &failed, 6));
    assert_eq!(store.document(&acme, owls.document).unwrap(), before);
    assert_eq!(store.segments(&acme, of(2), 0, 9).unwrap().len(), 1);
    assert_eq!(store.segments(&acme, of(3), 0, 9).unwrap(), []);
}

/// A job given up after its version may be found leaves that version.
pub fn a_published_version_outlives_its_job<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    store.submit(&acme, &owls).unwrap();
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(1));
    assert_eq!(publish(store, &acme, &claimed.lease, at(2)), Published::Yes);
    let before = store.document(&acme, owls.document).unwrap();
    let reason = "the vector store said no".into();
    assert!(settle(
        store,
        &acme,
        &claimed.lease,
        &Settlement::Failed { reason },
        3
    ));
    assert_eq!(store.document(&acme, owls.document).unwrap(), before);
    let of = DocumentVersion {
        document: owls.document,
        version: 1,
    };
    assert_eq!(store.segments(&acme, of, 0, 9).unwrap().len(), 1);
}
