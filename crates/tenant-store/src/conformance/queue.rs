//! What every [`JobQueue`](crate::JobQueue) must do, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Document, DocumentState, DocumentVersion, Generation, Job, JobId, JobProgress, JobStage, JobState,
    MediaType, SourceId, TextFormat,
};

use super::samples::{at, scope, tenant_id};
use super::work::{
    LEASE, RecordStore, again, claim, claim_at, finish, has_source, metadata, publish, read, segment, settle,
    submission, submit, submit_with_source, take_in, text_of,
};
use crate::{
    Claim, Held, Incoming, JobFilter, Lease, Published, Settlement, StoreError, Submission, TenantChange,
};

/// A queue without jobs, and one whose jobs are all over, gives none.
pub fn a_queue_without_a_job_to_do_gives_none<S: RecordStore>(store: &S) {
    assert_eq!(claim(store, 0), None);
    let acme = scope(store, "acme");
    assert_eq!(claim(store, 0), None);
    take_in(store, &acme, &submission("Owls", 0));
    assert_eq!(claim(store, 10_000), None);
}

/// A claimed job is running, and says what is known of the version that it makes; its document is being read.
pub fn a_claimed_job_says_what_is_known_of_its_version<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = Submission {
        metadata: metadata(),
        declared: Some(MediaType::Pdf),
        title: None,
        ..submission("Owls", 0)
    };
    let submitted = store.submit(&acme, &owls).unwrap();
    let claimed = claim(store, 1).unwrap();
    let wanted = Job {
        state: JobState::Running,
        updated_at: at(1),
        ..submitted.job
    };
    assert_eq!(claimed.tenant, tenant_id("acme"));
    assert_eq!((&claimed.job, claimed.lease.job), (&wanted, owls.job));
    assert_eq!((claimed.cancelled, claimed.live_version), (false, 0));
    let incoming = Incoming {
        source: owls.source,
        file_name: owls.file_name,
        declared: owls.declared,
        title: None,
        metadata: metadata(),
        format: None,
    };
    assert_eq!(claimed.incoming.as_ref(), Some(&incoming));
    assert_eq!(store.job(&acme, owls.job).unwrap(), Some(wanted));
    assert_eq!(
        store.document(&acme, owls.document).unwrap().unwrap().state,
        DocumentState::Extracting
    );

    read_as(store, &acme, &claimed.lease, "From the file");
    let next = claim(store, 10_000_000).unwrap();
    let incoming = Incoming {
        title: Some("From the file".into()),
        format: Some(TextFormat::Markdown),
        ..incoming
    };
    assert_eq!(next.incoming, Some(incoming));
    assert_eq!(next.job.stage, JobStage::Indexing);
}

fn read_as<S: RecordStore>(store: &S, scope: &tenantry_domain::TenantScope, lease: &Lease, title: &str) {
    let read = text_of(title, 1);
    store.text_read(scope, lease, &read, at(2)).unwrap();
}

/// A job is given to one worker, under a token of its own, until its lease ends.
pub fn a_job_is_given_to_one_worker_at_a_time<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    assert_eq!(claim(store, -1), None, "it was not handed in yet");
    let first = claim(store, 0).unwrap();
    assert_eq!(claim(store, LEASE - 1), None);
    let second = claim(store, LEASE).unwrap();
    assert_eq!(first.lease.job, second.lease.job);
    assert_ne!(first.lease.token, second.lease.token);
}

/// Of the tenants with a job to be done, the one served longest ago is next, whoever has how many jobs since when; a tenant is still known when it
/// had none for a while.
pub fn the_tenant_served_longest_ago_is_next<S: RecordStore>(store: &S) {
    let [a, b, c] = ["a", "b", "c"].map(|id| scope(store, id));
    for n in 0..5 {
        submit(store, &a, &format!("a{n}"), 0);
    }
    for n in 0..2 {
        submit(store, &b, &format!("b{n}"), 1);
    }
    let served = |seconds| {
        let claimed = claim(store, seconds).unwrap();
        let scope = [&a, &b, &c]
            .into_iter()
            .find(|scope| *scope.id() == claimed.tenant);
        finish(store, scope.unwrap(), &claimed, seconds);
        claimed.tenant.to_string()
    };
    let turns: Vec<_> = (10..14).map(served).collect();
    assert_eq!(turns, ["a", "b", "a", "b"]);
    submit(store, &c, "c", 14);
    submit(store, &b, "b", 14);
    let turns: Vec<_> = (14..17).map(served).collect();
    assert_eq!(turns, ["c", "a", "b"]);
}

/// Within a tenant the job that may be done longest is next, of one moment the one of the lowest id.
pub fn within_a_tenant_the_job_that_waits_longest_is_next<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let late = submit(store, &acme, "late", 20).job.id;
    let mut twins = ["one", "two"].map(|title| submit(store, &acme, title, 10).job.id);
    twins.sort();
    let turns: Vec<_> = (0..3).map(|_| claim(store, 30).unwrap().job.id).collect();
    assert_eq!(turns, [twins[0], twins[1], late]);
}

/// Jobs of an inactive tenant wait until it is active again.
pub fn jobs_of_inactive_tenants_wait<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let job = submit(store, &acme, "Owls", 0).job.id;
    let set = |is_active| {
        let change = TenantChange {
            is_active: Some(is_active),
            ..TenantChange::default()
        };
        store.update_tenant(acme.id(), &change, at(1)).unwrap().unwrap();
    };
    set(false);
    assert_eq!(claim(store, 2), None);
    let of_acme = Claim {
        tenant: Some(acme.id().clone()),
        ..claim_at(3)
    };
    assert_eq!(store.claim(&of_acme).unwrap(), None);
    set(true);
    assert_eq!(claim(store, 4).unwrap().job.id, job);
}

/// A claim may be for the jobs of one tenant alone.
pub fn a_claim_may_be_for_one_tenant_alone<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    submit(store, &acme, "Owls", 0);
    let wanted = submit(store, &globex, "Larks", 1).job.id;
    let of_globex = |seconds| Claim {
        tenant: Some(globex.id().clone()),
        ..claim_at(seconds)
    };
    assert_eq!(store.claim(&of_globex(2)).unwrap().unwrap().job.id, wanted);
    assert_eq!(store.claim(&of_globex(3)).unwrap(), None);
    assert_eq!(claim(store, 4).unwrap().tenant, *acme.id());
}

/// Two jobs on one document are never given out together; the second waits, and is to be done as soon as the first is over.
pub fn two_jobs_on_one_document_are_never_given_out_together<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = submission("Owls", 0);
    store.submit(&acme, &first).unwrap();
    let claimed = claim(store, 1).unwrap();
    let next = Submission {
        title: None,
        ..again(&first, 2)
    };
    store.submit(&acme, &next).unwrap();
    assert_eq!(claim(store, 3), None);
    let other = submit(store, &acme, "Larks", 4).job.id;
    assert_eq!(claim(store, 5).unwrap().job.id, other, "it waits for nobody");
    assert!(settle(store, &acme, &claimed.lease, &Settlement::Cancelled, 6));
    assert_eq!(claim(store, 7).unwrap().job.id, next.job);

    // Of two that nobody holds the older is first, and then holds the document alone.
    let last = Submission {
        title: Some("Owls at last".into()),
        ..again(&first, 8)
    };
    store.submit(&acme, &last).unwrap();
    let lost = 8 + LEASE;
    let claimed: Vec<_> = (0..3)
        .filter_map(|_| claim(store, lost))
        .map(|job| job.job.id)
        .collect();
    assert_eq!(claimed, [next.job, other]);
}

/// A job whose lease has ended is given to another with one more attempt counted; whoever had it is told so at every step and changes nothing.
pub fn a_worker_who_lost_its_job_changes_nothing<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let owls = submission("Owls", 0);
    submit_with_source(store, &acme, &owls);
    let lost = claim(store, 0).unwrap().lease;
    let next = claim(store, LEASE).unwrap();
    assert_eq!((next.job.id, next.job.attempts), (owls.job, 1));
    assert!(next.job.reason.is_some());
    let made_up = Lease {
        job: JobId::generate(at(0)),
        ..next.lease.clone()
    };
    let (job, document) = (
        store.job(&acme, owls.job).unwrap(),
        store.document(&acme, owls.document).unwrap(),
    );
    let now = at(LEASE + 1);
    for lease in [&lost, &made_up] {
        let text = [segment(0, 0, "stale")];
        let added = store.add_segments(&acme, lease, &text, now, at(10_000)).unwrap();
        let read = store.text_read(&acme, lease, &text_of("stale", 1), now).unwrap();
        let progress = JobProgress {
            chunks: 9,
            ..JobProgress::default()
        };
        let reported = store.report(&acme, lease, &progress, now, at(10_000)).unwrap();
        assert_eq!([added, read, reported], [Held::Lost; 3]);
        assert_eq!(publish(store, &acme, lease, now), Published::Lost);
        for settlement in [Settlement::Yielded, Settlement::Cancelled, Settlement::Done] {
            assert!(!settle(store, &acme, lease, &settlement, LEASE + 1));
        }
    }
    assert_eq!(store.job(&acme, owls.job).unwrap(), job);
    assert_eq!(store.document(&acme, owls.document).unwrap(), document);
    assert!(has_source(store, &acme, owls.source));
    finish(store, &acme, &next, LEASE + 2);
    assert!(!settle(
        store,
        &acme,
        &next.lease,
        &Settlement::Yielded,
        LEASE + 3
    ));
}

/// Another tenant's scope is no use with a lease.
pub fn a_lease_is_of_its_tenant_alone<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    submit(store, &acme, "Owls", 0);
    let claimed = claim(store, 1).unwrap();
    let read = store
        .text_read(&globex, &claimed.lease, &text_of("Owls", 1), at(2))
        .unwrap();
    assert_eq!(read, Held::Lost);
    assert_eq!(publish(store, &globex, &claimed.lease, at(2)), Published::Lost);
    assert!(!settle(store, &globex, &claimed.lease, &Settlement::Cancelled, 2));
    finish(store, &acme, &claimed, 3);
}

/// Adding segments and reporting renew the lease, also when it has ended and nobody took the job.
pub fn a_renewed_lease_keeps_the_job<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    let lease = claim(store, 0).unwrap().lease;
    let progress = JobProgress::default();
    let held = store
        .report(&acme, &lease, &progress, at(LEASE + 5), at(200))
        .unwrap();
    assert_eq!(held, Held::Yes);
    assert_eq!(claim(store, 199), None);
    let held = store.add_segments(&acme, &lease, &[], at(199), at(300)).unwrap();
    assert_eq!(held, Held::Yes);
    assert_eq!(claim(store, 299), None);
    assert_eq!(claim(store, 300).unwrap().job.id, lease.job);
}

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

/// A source that an upload named but never brought is no reason to fail: the worker finds no part of it.
pub fn a_job_without_its_bytes_is_given_out<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    let incoming = claim(store, 1).unwrap().incoming.unwrap();
    assert_eq!(store.part(&acme, incoming.source, 0).unwrap(), None);
    assert_ne!(incoming.source, SourceId::generate(at(1)));
    let listed = store
        .jobs(&acme, &JobFilter::default(), tenantry_domain::Page::default())
        .unwrap();
    assert_eq!(listed.total, 1);
}
