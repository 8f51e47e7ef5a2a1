use std::fmt;

use tenantry_domain::AuditEntry;
use tenantry_tenant_store::{AuditHead, AuditLog, AuditStore, StoreError, audit_hash};

/// Entries read in one step.
const PIECE: u16 = 1_000;

/// How many numbers are tried to tell a moved entry from an altered one.
const MOST_PLACES: u64 = 1_000_000;

/// What the walk through a log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLog {
    /// The log.
    pub log: AuditLog,
    /// The last entry that is what was entered, with all before it: worth noting where whoever writes to the database cannot.
    pub end: AuditHead,
    /// The first entry that is not; `None` for a log that is whole.
    pub fault: Option<AuditFault>,
}

/// The first entry of a log that is not what was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditFault {
    /// Its number.
    pub number: u64,
    /// What is wrong there.
    pub flaw: AuditFlaw,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFlaw {
    /// It is not what was entered there.
    Altered,
    /// It is not there.
    Removed,
    /// It was entered with that other number.
    Reordered {
        /// The number.
        from: u64,
    },
    /// It stands after the end of the log.
    Added,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.flaw {
            AuditFlaw::Altered => write!(f, "entry {number} was altered"),
            AuditFlaw::Removed => write!(f, "entry {number} was removed"),
            AuditFlaw::Reordered { from } => {
                write!(f, "entry {number} was reordered: it was entered as {from}")
            }
            AuditFlaw::Added => write!(f, "entry {number} was added after the end of the log"),
        }
    }
}

/// A walk through a log.
struct Walk<'s> {
    store: &'s dyn AuditStore,
    log: &'s AuditLog,
    /// Where the log ended when the walk began.
    end: AuditHead,
    /// An end from elsewhere.
    noted: Option<AuditHead>,
    /// The last entry that was found to be right.
    at: AuditHead,
}

pub(super) fn verify(
    store: &dyn AuditStore,
    log: &AuditLog,
    noted: Option<AuditHead>,
) -> Result<VerifiedLog, StoreError> {
    let mut walk = Walk {
        store,
        log,
        // Read first: entries that are added meanwhile come after it.
        end: store.audit_head(log)?,
        noted,
        at: AuditHead::START,
    };
    let fault = walk.first_fault()?;
    Ok(VerifiedLog {
        log: log.clone(),
        end: walk.at,
        fault,
    })
}

/// The same of the last `entries` alone, the one before them being taken as it is.
pub(super) fn verify_latest(
    store: &dyn AuditStore,
    log: &AuditLog,
    entries: u64,
) -> Result<VerifiedLog, StoreError> {
    let end = store.audit_head(log)?;
    let mut walk = Walk {
        store,
        log,
        end,
        noted: None,
        at: AuditHead::START,
    };
    let before = end.number.saturating_sub(entries);
    if before > 0 {
        let first = store.audit_after(log, before - 1, 1)?.pop();
        match first.filter(|entry| entry.number == before) {
            Some(AuditEntry { number, hash, .. }) => walk.at = AuditHead { number, hash },
            // It is gone, and the whole log tells whether more is.
            None => return verify(store, log, None),
        }
    }
    let fault = walk.first_fault()?;
    Ok(VerifiedLog {
        log: log.clone(),
        end: walk.at,
        fault,
    })
}

impl Walk<'_> {
    fn first_fault(&mut self) -> Result<Option<AuditFault>, StoreError> {
        loop {
            let Some(entries) = self.piece()? else {
                return Ok(Some(self.next_is(AuditFlaw::Altered)));
            };
            if entries.is_empty() {
                return self.fault_of_end();
            }
            for (place, entry) in entries.iter().enumerate() {
                let fault = self.fault_of(entry, entries.get(place + 1))?;
                if fault.is_some() {
                    return Ok(fault);
                }
                self.at = AuditHead::after(entry);
            }
        }
    }

    /// The next entries; `None` when the very next one cannot be read, which no entry is that the store wrote.
    fn piece(&self) -> Result<Option<Vec<AuditEntry>>, StoreError> {
        let read = |after, limit| self.store.audit_after(self.log, after, limit);
        for limit in [PIECE, 1] {
            match read(self.at.number, limit) {
                Err(StoreError::Failed(_)) => {}
                done => return done.map(Some),
            }
        }
        // It is the entry and not the store, if that can say that there is nothing after the last number.
        read(u64::MAX, 1).map(|_| None)
    }

    /// What is wrong with the entry that comes next, or shows by it of the one before.
    fn fault_of(
        &self,
        entry: &AuditEntry,
        follower: Option<&AuditEntry>,
    ) -> Result<Option<AuditFault>, StoreError> {
        if entry.number != self.at.number.saturating_add(1) {
            return Ok(Some(self.next_is(AuditFlaw::Removed)));
        }
        if audit_hash(entry) != entry.hash {
            return Ok(Some(self.next_is(self.what_became_of(entry))));
        }
        if entry.previous != self.at.hash && self.at.number > 0 && self.is_confirmed(entry, follower)? {
            // The one before it says something else than it did, under a hash that fits.
            return Ok(Some(AuditFault {
                number: self.at.number,
                flaw: AuditFlaw::Altered,
            }));
        }
        let is_wrong = entry.previous != self.at.hash || self.differs(entry);
        Ok(is_wrong.then(|| self.next_is(AuditFlaw::Altered)))
    }

    /// Whether an end that is known says otherwise.
    fn differs(&self, entry: &AuditEntry) -> bool {
        self.ends()
            .any(|end| end.number == entry.number && end.hash != entry.hash)
    }

    fn ends(&self) -> impl Iterator<Item = AuditHead> {
        [Some(self.end), self.noted].into_iter().flatten()
    }

    /// Whether what comes after an entry says that it is what was entered.
    fn is_confirmed(&self, entry: &AuditEntry, follower: Option<&AuditEntry>) -> Result<bool, StoreError> {
        if self.end.number == entry.number {
            return Ok(self.end.hash == entry.hash);
        }
        let follower = match follower {
            Some(follower) => Some(follower.clone()),
            None => self.store.audit_after(self.log, entry.number, 1)?.pop(),
        };
        Ok(follower.is_some_and(|follower| follower.previous == entry.hash))
    }

    /// Whether an entry that does not fit its number fits another one of the log.
    fn what_became_of(&self, entry: &AuditEntry) -> AuditFlaw {
        let mut moved = entry.clone();
        let is_from = |from: &u64| {
            moved.number = *from;
            audit_hash(&moved) == entry.hash
        };
        match (1..=self.end.number.min(MOST_PLACES)).find(is_from) {
            Some(from) => AuditFlaw::Reordered { from },
            None => AuditFlaw::Altered,
        }
    }

    /// What is wrong where the entries end.
    fn fault_of_end(&self) -> Result<Option<AuditFault>, StoreError> {
        if self.ends().any(|end| end.number > self.at.number) {
            return Ok(Some(self.next_is(AuditFlaw::Removed)));
        }
        let now = self.store.audit_head(self.log)?;
        Ok((now.number < self.at.number).then(|| AuditFault {
            number: now.number.saturating_add(1),
            flaw: AuditFlaw::Added,
        }))
    }

    /// That flaw of the entry after the last right one.
    fn next_is(&self, flaw: AuditFlaw) -> AuditFault {
        AuditFault {
            number: self.at.number.saturating_add(1),
            flaw,
        }
    }
}
