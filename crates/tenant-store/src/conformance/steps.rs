//! What every [`JobQueue`](crate::JobQueue) must do with what a worker hands over, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Document, DocumentState, DocumentVersion, Generation, JobId, JobProgress, JobStage, JobState, MediaType,
};

use super::samples::{at, scope};
use super::work::{
    RecordStore, again, claim, has_source, metadata, publish, read, segment, settle, submission, submit,
    submit_with_source, take_in, text_of,
};
use crate::{Held, Published, Settlement, StoreError, Submission};

/// The segment of ordinal 0 removes those of an earlier try, and those of no other version.
pub fn the_first_segment_removes_those_of_an_earlier_try<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    take_in(store, &acme, &owls);
    let next = Submission {
        title: None,
        ..again(&owls, 1)
    };
    store.submit(&acme, &next).unwrap();
    let lease = claim(store, 2).unwrap().lease;
    let add = |segments: &[_]| {
        store
            .add_segments(&acme, &lease, segments, at(2), at(60))
            .unwrap()
    };
    assert_eq!(add(&[segment(0, 0, "a"), segment(1, 1, "b")]), Held::Yes);
    assert_eq!(add(&[segment(2, 2, "c")]), Held::Yes);
    assert_eq!(add(&[segment(0, 0, "x")]), Held::Yes);
    let texts = |version| {
        let of = DocumentVersion {
            document: owls.document,
            version,
        };
        let segments = store.segments(&acme, of, 0, 9).unwrap();
        segments
            .into_iter()
            .map(|segment| segment.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(2), ["x"]);
    assert_eq!(texts(1), ["Owls"]);
}

/// Declaring the text read moves job and document on, and removes the bytes; saying it again is no harm.
pub fn the_text_read_moves_the_job_on<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let lease = claim(store, 1).unwrap().lease;
    let read = text_of("The title inside", 7);
    for _ in 0..2 {
        assert_eq!(store.text_read(&acme, &lease, &read, at(3)).unwrap(), Held::Yes);
    }
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!((job.state, job.stage), (JobState::Running, JobStage::Indexing));
    assert_eq!((job.progress.segments, job.progress.characters), (7, 12));
    let document = store.document(&acme, owls.document).unwrap().unwrap();
    assert_eq!(document.state, DocumentState::Indexing);
    assert_eq!(document.title, "The title inside");
    assert!(!has_source(store, &acme, owls.source));
}

/// Progress is kept as it is reported.
pub fn progress_is_kept<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    let lease = claim(store, 1).unwrap().lease;
    let progress = JobProgress {
        segments_done: 1,
        segments: 2,
        chunks: 3,
        reused: 4,
        characters: u32::MAX,
    };
    let held = store.report(&acme, &lease, &progress, at(2), at(60)).unwrap();
    assert_eq!(held, Held::Yes);
    let job = store.job(&acme, lease.job).unwrap().unwrap();
    assert_eq!((job.progress, job.updated_at), (progress, at(2)));
}

/// A worker is told at each step that somebody asked for the end, and what it then hands over is not kept; its lease is renewed all the same.
pub fn a_worker_is_told_that_its_job_is_to_end<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let lease = claim(store, 1).unwrap().lease;
    store.cancel_job(&acme, owls.job, at(2)).unwrap().unwrap();
    let text = [segment(0, 0, "x")];
    let progress = JobProgress {
        chunks: 9,
        ..JobProgress::default()
    };
    let told = [
        store.add_segments(&acme, &lease, &text, at(3), at(60)).unwrap(),
        store.text_read(&acme, &lease, &text_of("x", 1), at(3)).unwrap(),
        store.report(&acme, &lease, &progress, at(3), at(500)).unwrap(),
    ];
    assert_eq!(told, [Held::Cancelled; 3]);
    assert_eq!(publish(store, &acme, &lease, at(3)), Published::Cancelled);
    assert_eq!(claim(store, 499), None);
    let of = DocumentVersion {
        document: owls.document,
        version: 1,
    };
    assert_eq!(store.segments(&acme, of, 0, 9).unwrap(), []);
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!((job.stage, job.progress.chunks), (JobStage::Extracting, 0));
    assert!(has_source(store, &acme, owls.source));
    assert!(settle(store, &acme, &lease, &Settlement::Cancelled, 4));
}

/// A published version may be found, with what was given and read, and no other version's text is left; its job has the traces to remove. Saying it
/// again changes nothing.
pub fn a_published_version_may_be_found<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = Submission {
        metadata: metadata(),
        ..submission("Owls", 0)
    };
    store.submit(&acme, &owls).unwrap();
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(2));
    assert_eq!(publish(store, &acme, &claimed.lease, at(3)), Published::Yes);
    assert_eq!(publish(store, &acme, &claimed.lease, at(9)), Published::Yes);
    let wanted = Document {
        id: owls.document,
        external_id: None,
        title: "Owls".into(),
        media_type: MediaType::Markdown,
        metadata: metadata(),
        content_hash: Some(owls.hash),
        version: 1,
        state: DocumentState::Ready,
        failure: None,
        characters: 12,
        chunks: 3,
        created_at: at(0),
        updated_at: at(3),
    };
    assert_eq!(store.document(&acme, owls.document).unwrap(), Some(wanted));
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!((job.state, job.stage), (JobState::Running, JobStage::Cleaning));
    assert_eq!(job.progress.chunks, 3);
    let later = claim(store, 10_000_000).unwrap();
    assert_eq!((later.live_version, later.job.stage), (1, JobStage::Cleaning));
    assert!(settle(store, &acme, &later.lease, &Settlement::Done, 10_000_001));
    let job = store.job(&acme, owls.job).unwrap().unwrap();
    assert_eq!(
        (job.state, job.percent(), job.reason),
        (JobState::Done, 100, None)
    );

    let next = Submission {
        title: None,
        ..again(&owls, 10_000_002)
    };
    take_in(store, &acme, &next);
    let of = |version| DocumentVersion {
        document: owls.document,
        version,
    };
    assert_eq!(store.segments(&acme, of(1), 0, 9).unwrap(), []);
    assert_eq!(store.segments(&acme, of(2), 0, 9).unwrap().len(), 1);
}

/// A version is not published unless it was written to the live index and the one that is being built.
pub fn a_version_is_written_to_every_index_in_use<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(2));
    let lease = &claimed.lease;
    let publish = |written: &[Generation]| store.publish(&acme, lease, 3, written, at(3)).unwrap();
    store.indexes(&acme, None, at(1)).unwrap();
    let (first, second) = (Generation::FIRST, Generation::FIRST.next());
    store.begin_index(&acme, None, at(1)).unwrap();
    for too_few in [&[][..], &[first], &[second], &[second.next()]] {
        assert_eq!(publish(too_few), Published::IndexesChanged);
    }
    assert_eq!(
        store.job(&acme, lease.job).unwrap().unwrap().stage,
        JobStage::Indexing
    );
    assert!(store.switch_index(&acme, second).unwrap());
    assert_eq!(publish(&[first]), Published::IndexesChanged);
    assert_eq!(publish(&[second]), Published::Yes, "the first is retired");
}

/// A step out of its order is refused and changes nothing.
pub fn a_step_out_of_its_order_is_refused<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    store.submit(&acme, &owls).unwrap();
    let claimed = claim(store, 1).unwrap();
    let lease = &claimed.lease;
    let settled = |settlement| store.settle(&acme, lease, &settlement, at(9)).map(drop);
    let published = || store.publish(&acme, lease, 1, &[], at(9)).map(drop);
    let added = || {
        let text = [segment(0, 0, "late")];
        store.add_segments(&acme, lease, &text, at(9), at(90)).map(drop)
    };
    let read_again = || {
        store
            .text_read(&acme, lease, &text_of("late", 1), at(9))
            .map(drop)
    };
    let refused = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Failed(_))), "{result:?}");
    };
    let before = store.job(&acme, owls.job).unwrap();
    refused(published());
    refused(settled(Settlement::Done));
    assert_eq!(store.job(&acme, owls.job).unwrap(), before);
    read(store, &acme, &claimed, at(2));
    refused(added());
    refused(settled(Settlement::Done));
    assert_eq!(publish(store, &acme, lease, at(3)), Published::Yes);
    let before = store.job(&acme, owls.job).unwrap();
    refused(added());
    refused(read_again());
    assert_eq!(store.job(&acme, owls.job).unwrap(), before);
    assert!(settle(store, &acme, lease, &Settlement::Done, 4));

    store
        .remove_document(&acme, owls.document, JobId::generate(at(5)), at(5))
        .unwrap();
    let lease = claim(store, 6).unwrap().lease;
    let text = store.text_read(&acme, &lease, &text_of("x", 1), at(7));
    refused(text.map(drop));
    refused(store.publish(&acme, &lease, 1, &[], at(7)).map(drop));
    assert!(settle(store, &acme, &lease, &Settlement::Done, 8));
}
