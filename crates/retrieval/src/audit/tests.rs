use std::sync::Mutex;

use tenantry_domain::{Actor, AuditAction, AuditEvent, AuditHash, Timestamp};
use tenantry_tenant_store::testing::{FailingStore, failed, unavailable};
use tenantry_tenant_store::{MemoryStore, audit_hash};

use super::*;

/// A log as somebody left it who can write to the database.
struct Forged {
    entries: Mutex<Vec<AuditEntry>>,
    head: Mutex<AuditHead>,
}

impl Forged {
    /// A log of five entries, nothing changed.
    fn new() -> Self {
        let store = MemoryStore::new();
        for second in 0..5 {
            let event = AuditEvent::new(AuditAction::UserChanged).with("role", second);
            let at = Timestamp::from_unix_micros(second * 1_000_000).unwrap();
            store
                .record(&AuditLog::Platform, &Actor::system(), &event, at)
                .unwrap();
        }
        Self {
            entries: Mutex::new(store.audit_after(&AuditLog::Platform, 0, 9).unwrap()),
            head: Mutex::new(store.audit_head(&AuditLog::Platform).unwrap()),
        }
    }

    fn with(change: impl FnOnce(&mut Vec<AuditEntry>, &mut AuditHead)) -> Self {
        let forged = Self::new();
        change(
            &mut forged.entries.lock().unwrap(),
            &mut forged.head.lock().unwrap(),
        );
        forged.entries.lock().unwrap().sort_by_key(|entry| entry.number);
        forged
    }
}

impl AuditStore for Forged {
    fn record(&self, _: &AuditLog, _: &Actor, _: &AuditEvent, _: Timestamp) -> Result<(), StoreError> {
        Err(failed())
    }

    fn audit(&self, _: &AuditFilter, _: Page) -> Result<Paged<AuditEntry>, StoreError> {
        Err(failed())
    }

    fn audit_next(
        &self,
        _: &AuditFilter,
        _: Option<&AuditEntry>,
        _: u16,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Err(failed())
    }

    /// Two entries at most, so that what follows one may be in the next piece.
    fn audit_after(&self, _: &AuditLog, after: u64, limit: u16) -> Result<Vec<AuditEntry>, StoreError> {
        let entries = self.entries.lock().unwrap();
        let later = entries.iter().filter(|entry| entry.number > after);
        Ok(later.take(usize::from(limit).min(2)).cloned().collect())
    }

    fn audit_head(&self, _: &AuditLog) -> Result<AuditHead, StoreError> {
        Ok(*self.head.lock().unwrap())
    }

    fn audit_logs(&self) -> Result<Vec<AuditLog>, StoreError> {
        Ok(vec![AuditLog::Platform])
    }
}

fn verified(store: Forged, noted: Option<AuditHead>) -> VerifiedLog {
    AuditLogs::new(Arc::new(store))
        .verify(&AuditLog::Platform, noted)
        .unwrap()
}

fn check(change: impl FnOnce(&mut Vec<AuditEntry>, &mut AuditHead), wanted: Option<(u64, AuditFlaw)>) {
    let fault = verified(Forged::with(change), None).fault;
    assert_eq!(fault.map(|fault| (fault.number, fault.flaw)), wanted);
}

/// Gives an entry the hash that fits what it says.
fn rehash(entry: &mut AuditEntry) {
    entry.hash = audit_hash(entry);
}

#[test]
fn a_log_as_it_was_entered_is_whole() {
    let whole = Forged::new();
    let end = *whole.head.lock().unwrap();
    let told = verified(whole, None);
    assert_eq!((told.fault, told.end), (None, end));
    check(
        |entries, head| {
            entries.clear();
            *head = AuditHead::START;
        },
        None,
    );
}

#[test]
fn the_first_altered_entry_is_named() {
    for place in 0..5 {
        let wanted = Some((u64::try_from(place).unwrap() + 1, AuditFlaw::Altered));
        check(|entries, _| entries[place].action = AuditAction::LoggedIn, wanted);
        check(|entries, _| entries[place].hash = AuditHash::START, wanted);
        check(
            |entries, _| entries[place].previous = AuditHash::from_bytes([1; 32]),
            wanted,
        );
        let both = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
            entries[place].actor = Actor::of(tenantry_domain::Principal::Operator);
            entries[4].details.clear();
        };
        check(both, wanted);
    }
}

#[test]
fn an_altered_entry_is_named_although_its_hash_fits() {
    for place in 0..5 {
        let wanted = Some((u64::try_from(place).unwrap() + 1, AuditFlaw::Altered));
        let forge = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
            entries[place].details.clear();
            rehash(&mut entries[place]);
        };
        check(forge, wanted);
        let unlink = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
            entries[place].previous = AuditHash::from_bytes([1; 32]);
            rehash(&mut entries[place]);
        };
        check(unlink, wanted);
    }
}

#[test]
fn a_removed_entry_is_named() {
    for place in 0..5 {
        let wanted = Some((u64::try_from(place).unwrap() + 1, AuditFlaw::Removed));
        check(|entries, _| drop(entries.remove(place)), wanted);
        check(|entries, _| entries.truncate(place), wanted);
    }
}

#[test]
fn a_removed_entry_is_named_although_those_after_it_have_moved_up() {
    let close = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
        entries.remove(2);
        entries[2].number = 3;
        entries[3].number = 4;
    };
    check(close, Some((3, AuditFlaw::Reordered { from: 4 })));
    let close_and_rehash = |entries: &mut Vec<AuditEntry>, head: &mut AuditHead| {
        close(entries, head);
        rehash(&mut entries[2]);
        rehash(&mut entries[3]);
    };
    check(close_and_rehash, Some((3, AuditFlaw::Altered)));
}

#[test]
fn reordered_entries_are_named_with_where_they_are_from() {
    let swap = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
        entries[1].number = 4;
        entries[3].number = 2;
    };
    check(swap, Some((2, AuditFlaw::Reordered { from: 4 })));
    let copy = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
        entries[2] = AuditEntry {
            number: 3,
            ..entries[0].clone()
        };
    };
    check(copy, Some((3, AuditFlaw::Reordered { from: 1 })));
}

#[test]
fn what_the_end_of_the_log_does_not_know_was_added() {
    let forget = |_: &mut Vec<AuditEntry>, head: &mut AuditHead| *head = AuditHead::START;
    check(forget, Some((1, AuditFlaw::Added)));
    let add = |entries: &mut Vec<AuditEntry>, _: &mut AuditHead| {
        let mut added = entries[4].clone();
        added.number = 6;
        added.previous = entries[4].hash;
        rehash(&mut added);
        entries.push(added);
    };
    check(add, Some((6, AuditFlaw::Added)));
}

#[test]
fn a_log_made_anew_shows_against_an_end_that_was_noted() {
    let renew = |entries: &mut Vec<AuditEntry>, head: &mut AuditHead| {
        entries[1].details.clear();
        let mut previous = AuditHash::START;
        for entry in entries {
            entry.previous = previous;
            rehash(entry);
            previous = entry.hash;
        }
        head.hash = previous;
    };
    check(renew, None);
    let noted = *Forged::new().head.lock().unwrap();
    let fault =
        |change: fn(&mut Vec<AuditEntry>, &mut AuditHead)| verified(Forged::with(change), Some(noted)).fault;
    let told = fault(renew).unwrap();
    assert_eq!((told.number, told.flaw), (5, AuditFlaw::Altered));
    let cut = |entries: &mut Vec<AuditEntry>, head: &mut AuditHead| {
        entries.truncate(2);
        *head = AuditHead {
            number: 2,
            hash: entries[1].hash,
        };
    };
    assert_eq!(verified(Forged::with(cut), None).fault, None);
    let told = fault(cut).unwrap();
    assert_eq!((told.number, told.flaw), (3, AuditFlaw::Removed));
    assert_eq!(fault(|_, _| {}), None);
}

#[test]
fn a_store_that_fails_is_not_a_log_that_was_altered() {
    let store = Arc::new(FailingStore::new(Forged::new()));
    let logs = AuditLogs::new(store.clone());
    store.fail_when(|method| (method == "audit_after").then(unavailable));
    assert!(matches!(
        logs.verify(&AuditLog::Platform, None),
        Err(StoreError::Unavailable(_))
    ));
    store.fail_when(|method| (method == "audit_after").then(failed));
    assert!(matches!(
        logs.verify(&AuditLog::Platform, None),
        Err(StoreError::Failed(_))
    ));
    // One entry that cannot be read, in a store that is sound.
    let calls = Mutex::new(0);
    store.fail_when(move |method| {
        let mut calls = calls.lock().unwrap();
        *calls += u32::from(method == "audit_after");
        (method == "audit_after" && (2..=3).contains(&*calls)).then(failed)
    });
    let told = logs.verify(&AuditLog::Platform, None).unwrap();
    assert_eq!(told.end.number, 2);
    assert_eq!(told.fault.unwrap().to_string(), "entry 3 was altered");
}

#[test]
fn a_fault_is_told_in_words() {
    let told = |flaw| AuditFault { number: 7, flaw }.to_string();
    assert_eq!(told(AuditFlaw::Removed), "entry 7 was removed");
    assert_eq!(
        told(AuditFlaw::Added),
        "entry 7 was added after the end of the log"
    );
    let moved = told(AuditFlaw::Reordered { from: 9 });
    assert_eq!(moved, "entry 7 was reordered: it was entered as 9");
}

#[test]
fn the_latest_entries_are_verified_without_those_before() {
    let latest = |forged: Forged, entries| {
        let logs = AuditLogs::new(Arc::new(forged));
        let verified = logs.verify_latest(&AuditLog::Platform, entries).unwrap();
        (verified.end.number, verified.fault.map(|fault| fault.number))
    };
    for entries in [0, 1, 3, 5, 1_000] {
        assert_eq!(latest(Forged::new(), entries), (5, None), "{entries}");
    }
    let alter = |place: usize| {
        Forged::with(|entries, _| {
            entries[place].details.insert("role".into(), "9".into());
        })
    };
    assert_eq!(latest(alter(3), 2).1, Some(4));
    assert_eq!(latest(alter(3), 1).1, None, "it is not among the last");
    let shortened = Forged::with(|entries, _| {
        entries.pop();
    });
    assert_eq!(latest(shortened, 2).1, Some(5));
    let gone = Forged::with(|entries, _| {
        entries.remove(2);
    });
    assert_eq!(latest(gone, 2).1, Some(3), "what they stand on is looked at");
}
