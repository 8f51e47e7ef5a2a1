//! What every [`SourceStore`](crate::SourceStore) must do, beside the other stores of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::SourceId;

use super::samples::{at, foreign_scope, scope};
use super::work::{RecordStore, claim, has_source, settle, submission, submit_with_source};
use crate::{Settlement, StoreError};

/// Parts are read back by their place, byte for byte, and after the last there is none.
pub fn parts_are_read_back_by_their_place<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let source = SourceId::generate(at(0));
    let parts = [vec![0, 255, 0, 1], Vec::new(), vec![7; 3_000_000]];
    for (place, part) in (0..).zip(&parts) {
        store.add_part(&acme, source, place, part, at(0)).unwrap();
    }
    for (place, part) in (0..).zip(parts) {
        assert_eq!(store.part(&acme, source, place).unwrap(), Some(part));
    }
    assert_eq!(store.part(&acme, source, 3).unwrap(), None);
    assert_eq!(store.part(&acme, SourceId::generate(at(0)), 0).unwrap(), None);
}

/// A part replaces the one of its place and no other.
pub fn a_part_replaces_the_one_of_its_place<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let source = SourceId::generate(at(0));
    for (place, bytes) in [(0, b"a"), (1, b"b"), (0, b"c")] {
        store.add_part(&acme, source, place, bytes, at(0)).unwrap();
    }
    let part = |place| store.part(&acme, source, place).unwrap().unwrap();
    assert_eq!((part(0), part(1)), (b"c".to_vec(), b"b".to_vec()));
}

/// A part of a tenant that this store does not know is refused.
pub fn a_part_of_an_unknown_tenant_is_refused<S: RecordStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let source = SourceId::generate(at(0));
    assert!(matches!(
        store.add_part(&nowhere, source, 0, b"a", at(0)),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.part(&nowhere, source, 0).unwrap(), None);
}

/// Another tenant's source can be neither read nor removed, even by its id.
pub fn a_source_of_another_tenant_does_not_exist<S: RecordStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let source = SourceId::generate(at(0));
    store.add_part(&acme, source, 0, b"a", at(0)).unwrap();
    assert_eq!(store.part(&globex, source, 0).unwrap(), None);
    store.remove_source(&globex, source).unwrap();
    assert_eq!(store.remove_abandoned(&globex, at(100)).unwrap(), 0);
    store.add_part(&globex, source, 0, b"b", at(0)).unwrap();
    assert_eq!(store.part(&acme, source, 0).unwrap(), Some(b"a".to_vec()));
}

/// Removing a source removes every part of it and of no other; removing it again is no error.
pub fn removing_a_source_removes_every_part<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let [source, other] = [SourceId::generate(at(0)), SourceId::generate(at(0))];
    for place in 0..3 {
        store.add_part(&acme, source, place, b"a", at(0)).unwrap();
        store.add_part(&acme, other, place, b"b", at(0)).unwrap();
    }
    for _ in 0..2 {
        store.remove_source(&acme, source).unwrap();
    }
    for place in 0..3 {
        assert_eq!(store.part(&acme, source, place).unwrap(), None);
        assert!(store.part(&acme, other, place).unwrap().is_some());
    }
}

/// A source is abandoned when all its parts are old and no job that is not over reads it.
pub fn abandoned_sources_are_removed<S: RecordStore>(store: &S) {
    let acme = scope(store, "acme");
    let [abandoned, growing, new] = [0; 3].map(|_| SourceId::generate(at(0)));
    let parts = [
        (abandoned, 0, 0),
        (abandoned, 1, 9),
        (growing, 0, 0),
        (growing, 1, 10),
        (new, 0, 11),
    ];
    for (source, place, seconds) in parts {
        store.add_part(&acme, source, place, b"a", at(seconds)).unwrap();
    }
    let [waiting, running, ended] = ["Owls", "Larks", "Rooks"].map(|title| submission(title, 0));
    for submission in [&ended, &running, &waiting] {
        submit_with_source(store, &acme, submission);
        if submission.job != waiting.job {
            let lease = claim(store, 1).unwrap().lease;
            if submission.job == ended.job {
                assert!(settle(store, &acme, &lease, &Settlement::Cancelled, 2));
                // Brought once more by a client that did not hear of it.
                store.add_part(&acme, ended.source, 0, b"a", at(3)).unwrap();
            }
        }
    }
    assert_eq!(store.remove_abandoned(&acme, at(10)).unwrap(), 2);
    for (source, is_there) in [
        (abandoned, false),
        (ended.source, false),
        (growing, true),
        (new, true),
        (waiting.source, true),
        (running.source, true),
    ] {
        assert_eq!(has_source(store, &acme, source), is_there);
    }
    assert_eq!(store.part(&acme, abandoned, 1).unwrap(), None);
    assert_eq!(store.remove_abandoned(&acme, at(10)).unwrap(), 0);
}
