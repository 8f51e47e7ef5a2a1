//! What every [`JobQueue`](crate::JobQueue) must do to give jobs out, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    DocumentState, Job, JobId, JobProgress, JobStage, JobState, MediaType, Page, SourceId, TenantScope,
    TextFormat,
};

use super::samples::{at, scope, tenant_id};
use super::work::{
    LEASE, RecordStore, again, claim, claim_at, finish, has_source, metadata, publish, read, segment, settle,
    submission, submit, submit_with_source, take_in, text_of,
};
use crate::{Claim, Held, Incoming, JobFilter, Lease, Published, Settlement, Submission, TenantChange};

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

fn read_as<S: RecordStore>(store: &S, scope: &TenantScope, lease: &Lease, title: &str) {
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
    let when_lost = 8 + LEASE;
    let claimed: Vec<_> = (0..3)
        .filter_map(|_| claim(store, when_lost))
        .map(|job| job.job.id)
        .collect();
    assert_eq!(claimed, [next.job, other]);
}

/// An earlier version's job goes first also while it waits for its next try, and is not passed by a later version's.
pub fn a_document_is_worked_on_in_the_order_of_its_versions<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let first = submission("Owls", 0);
    store.submit(&acme, &first).unwrap();
    let claimed = claim(store, 1).unwrap();
    read(store, &acme, &claimed, at(1));
    let next = Submission {
        title: None,
        ..again(&first, 2)
    };
    store.submit(&acme, &next).unwrap();
    let retry = Settlement::Retry {
        not_before: at(100),
        reason: "its chunks could not be removed".into(),
    };
    assert!(settle(store, &acme, &claimed.lease, &retry, 3));
    assert_eq!(claim(store, 99), None);
    let undoing = claim(store, 100).unwrap();
    assert_eq!((undoing.job.id, undoing.cancelled), (first.job, true));
    // Nor when it was lost.
    let undoing = claim(store, 100 + LEASE).unwrap();
    assert_eq!(undoing.job.id, first.job);
    assert!(settle(store, &acme, &undoing.lease, &Settlement::Cancelled, 200));
    assert_eq!(claim(store, 201).unwrap().job.id, next.job);
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

/// A source that an upload named but never brought is no reason to fail: the worker finds no part of it.
pub fn a_job_without_its_bytes_is_given_out<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    submit(store, &acme, "Owls", 0);
    let incoming = claim(store, 1).unwrap().incoming.unwrap();
    assert_eq!(store.part(&acme, incoming.source, 0).unwrap(), None);
    assert_ne!(incoming.source, SourceId::generate(at(1)));
    let listed = store.jobs(&acme, &JobFilter::default(), Page::default()).unwrap();
    assert_eq!(listed.total, 1);
}
