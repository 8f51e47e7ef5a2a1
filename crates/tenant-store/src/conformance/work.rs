//! The steps of a worker, for the obligations that need a document to have come some way.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::collections::BTreeMap;

use tenantry_domain::{
    ContentHash, Document, DocumentId, Generation, JobId, MediaType, Metadata, MetadataValue, Segment,
    SourceId, TenantScope, TextFormat, Timestamp,
};

use super::samples::at;
use crate::{
    Claim, ClaimedJob, DocumentStore, Held, IndexStore, JobQueue, JobStore, Lease, Published, Settlement,
    SourceStore, Submission, Submitted, TenantStore, TextRead,
};

/// Every trait of a store that takes documents in, on the same records.
pub trait RecordStore: TenantStore + DocumentStore + SourceStore + JobStore + JobQueue + IndexStore {}

impl<S: TenantStore + DocumentStore + SourceStore + JobStore + JobQueue + IndexStore> RecordStore for S {}

/// How long the leases of these workers are.
pub(super) const LEASE: i64 = 60;

pub(super) fn hash(text: &str) -> ContentHash {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(text.bytes().cycle()) {
        *place = byte;
    }
    ContentHash::from_bytes(bytes)
}

/// Metadata with a value of every kind.
pub(super) fn metadata() -> Metadata {
    let values = [
        ("lang", MetadataValue::Text("añ€😀 \"quoted\"".into())),
        ("year", MetadataValue::Number(0.1 + 0.2)),
        ("draft", MetadataValue::Bool(false)),
        ("tags", MetadataValue::Texts(vec!["a".into(), String::new()])),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value));
    Metadata::new(BTreeMap::from(values)).unwrap()
}

/// A Markdown file of that title, whose bytes are known by it too.
pub(super) fn submission(title: &str, seconds: i64) -> Submission {
    Submission {
        source: SourceId::generate(at(seconds)),
        document: DocumentId::generate(at(seconds)),
        job: JobId::generate(at(seconds)),
        external_id: None,
        title: Some(title.into()),
        file_name: Some("notes.md".into()),
        declared: None,
        metadata: Metadata::default(),
        hash: hash(title),
        at: at(seconds),
    }
}

/// The same file with the same name, handed in once more.
pub(super) fn again(submission: &Submission, seconds: i64) -> Submission {
    Submission {
        source: SourceId::generate(at(seconds)),
        document: DocumentId::generate(at(seconds)),
        job: JobId::generate(at(seconds)),
        at: at(seconds),
        ..submission.clone()
    }
}

/// Submits a file of that title.
pub(super) fn submit<S: RecordStore>(store: &S, scope: &TenantScope, title: &str, seconds: i64) -> Submitted {
    store.submit(scope, &submission(title, seconds)).unwrap()
}

/// Stores the bytes of a submission's file and submits it.
pub(super) fn submit_with_source<S: RecordStore>(
    store: &S,
    scope: &TenantScope,
    submission: &Submission,
) -> Submitted {
    store
        .add_part(scope, submission.source, 0, b"bytes", submission.at)
        .unwrap();
    store.submit(scope, submission).unwrap()
}

pub(super) fn has_source<S: RecordStore>(store: &S, scope: &TenantScope, source: SourceId) -> bool {
    store.part(scope, source, 0).unwrap().is_some()
}

pub(super) fn claim_at(seconds: i64) -> Claim {
    Claim {
        tenant: None,
        now: at(seconds),
        lease_until: at(seconds + LEASE),
    }
}

pub(super) fn claim<S: RecordStore>(store: &S, seconds: i64) -> Option<ClaimedJob> {
    store.claim(&claim_at(seconds)).unwrap()
}

pub(super) fn segment(ordinal: u32, start: u32, text: &str) -> Segment {
    Segment {
        ordinal,
        start,
        text: text.into(),
        headings: Vec::new(),
        pages: Vec::new(),
    }
}

pub(super) fn text_of(title: &str, segments: u32) -> TextRead {
    TextRead {
        media_type: MediaType::Markdown,
        format: TextFormat::Markdown,
        title: title.into(),
        characters: 12,
        segments,
    }
}

/// Reads one segment of text out of the file.
pub(super) fn read<S: RecordStore>(store: &S, scope: &TenantScope, claimed: &ClaimedJob, now: Timestamp) {
    let title = claimed
        .incoming
        .as_ref()
        .and_then(|incoming| incoming.title.clone());
    let title = title.unwrap_or_default();
    let lease = &claimed.lease;
    let text = [segment(0, 0, &title)];
    let added = store
        .add_segments(scope, lease, &text, now, at(1_000_000))
        .unwrap();
    assert_eq!(added, Held::Yes);
    let read = store.text_read(scope, lease, &text_of(&title, 1), now).unwrap();
    assert_eq!(read, Held::Yes);
}

pub(super) fn publish<S: RecordStore>(
    store: &S,
    scope: &TenantScope,
    lease: &Lease,
    now: Timestamp,
) -> Published {
    store.publish(scope, lease, 3, &[Generation::FIRST], now).unwrap()
}

pub(super) fn settle<S: RecordStore>(
    store: &S,
    scope: &TenantScope,
    lease: &Lease,
    settlement: &Settlement,
    seconds: i64,
) -> bool {
    store.settle(scope, lease, settlement, at(seconds)).unwrap()
}

/// Does everything that a claimed job of a document needs.
pub(super) fn finish<S: RecordStore>(store: &S, scope: &TenantScope, claimed: &ClaimedJob, seconds: i64) {
    read(store, scope, claimed, at(seconds));
    assert_eq!(publish(store, scope, &claimed.lease, at(seconds)), Published::Yes);
    assert!(settle(store, scope, &claimed.lease, &Settlement::Done, seconds));
}

/// Submits a file and takes it in, with nothing else to do in the queue.
pub(super) fn take_in<S: RecordStore>(store: &S, scope: &TenantScope, submission: &Submission) -> Document {
    let submitted = store.submit(scope, submission).unwrap();
    let claim = Claim {
        tenant: Some(scope.id().clone()),
        now: submission.at,
        lease_until: at(1_000_000),
    };
    let claimed = store.claim(&claim).unwrap().unwrap();
    assert_eq!(claimed.job.id, submitted.job.id);
    read(store, scope, &claimed, submission.at);
    assert_eq!(
        publish(store, scope, &claimed.lease, submission.at),
        Published::Yes
    );
    assert!(
        store
            .settle(scope, &claimed.lease, &Settlement::Done, submission.at)
            .unwrap()
    );
    store.document(scope, submitted.document.id).unwrap().unwrap()
}
