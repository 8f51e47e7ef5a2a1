use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenantry_domain::{ApiKey, SessionId, Tenant, Timestamp, TokenHash, User, UserId};

use super::Credential;

/// How long what was read of a caller may be used again.
const FRESH: Duration = Duration::from_secs(1);
/// How many callers are remembered at most.
const MAX_REMEMBERED: usize = 10_000;

/// What was read of a caller in one step.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) who: Who,
    pub(super) tenant: Option<Arc<Tenant>>,
    pub(super) at: Timestamp,
}

/// Whom a credential names.
#[derive(Debug)]
pub(super) enum Who {
    User(KnownUser),
    ApiKey(ApiKey),
}

#[derive(Debug)]
pub(super) struct KnownUser {
    pub(super) user: User,
    /// Whether the session of the credential is live, where it has one.
    pub(super) session_is_live: bool,
    pub(super) sessions_ended_at: Option<Timestamp>,
}

impl Seen {
    /// Whether this may be used again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        is_recent(self.at, now)
    }
}

/// Whether that was a moment ago; not when the clock was set back since.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.since(at).is_some_and(|age| age < FRESH)
}

/// What of a credential decides what is read for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    User(UserId, Option<SessionId>),
    ApiKey(TokenHash),
}

impl From<&Credential> for Key {
    fn from(credential: &Credential) -> Self {
        match credential {
            Credential::Token(claims) => Self::User(claims.user, claims.session),
            Credential::ApiKey(hash) => Self::ApiKey(*hash),
            Credential::Identity(identity) => Self::User(identity.user, None),
        }
    }
}

/// The callers of the last second.
#[derive(Default)]
pub(super) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    callers: HashMap<Key, Arc<Seen>>,
    /// Raised by every `forget`, so that a read begun before it is not remembered after it.
    generation: u64,
    /// When those who are no longer fresh were last dropped.
    swept: Option<Timestamp>,
}

/// A read that has begun: whether anything was forgotten since is known by it.
pub(super) struct Reading {
    key: Key,
    at: Timestamp,
    generation: u64,
}

impl Reading {
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }
}

impl Memory {
    pub(super) fn recall(&self, key: Key, now: Timestamp) -> Option<Arc<Seen>> {
        let seen = self.lock().callers.get(&key).cloned()?;
        seen.is_fresh(now).then_some(seen)
    }

    pub(super) fn begin(&self, key: Key, at: Timestamp) -> Reading {
        let generation = self.lock().generation;
        Reading { key, at, generation }
    }

    /// Keeps what was read, unless something was forgotten meanwhile.
    pub(super) fn keep(&self, reading: &Reading, seen: Option<Seen>) -> Option<Arc<Seen>> {
        let seen = seen.map(Arc::new);
        let mut remembered = self.lock();
        remembered.make_room(reading.at);
        match &seen {
            Some(seen) if remembered.generation == reading.generation => {
                remembered.callers.insert(reading.key, seen.clone());
            }
            _ => {
                remembered.callers.remove(&reading.key);
            }
        }
        seen
    }

    pub(super) fn forget(&self) {
        let mut remembered = self.lock();
        remembered.callers.clear();
        remembered.generation += 1;
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().callers.len()
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// Drops, once in a while, who is no longer fresh: each holds a tenant with its prompt.
    fn make_room(&mut self, now: Timestamp) {
        if !self.swept.is_some_and(|at| is_recent(at, now)) {
            self.callers.retain(|_, seen| seen.is_fresh(now));
            self.swept = Some(now);
        }
        if self.callers.len() >= MAX_REMEMBERED {
            self.callers.clear();
        }
    }
}
