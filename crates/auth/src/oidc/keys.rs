//! The keys of issuers as they were last fetched.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenantry_domain::{Clock, Timestamp};

use super::IdentityError;
use super::fetch::FetchError;
use super::jwk::Jwk;

/// How long keys are used before they are fetched again, so that one that was taken back ends.
const FRESH: Duration = Duration::from_hours(1);
/// How long known keys go on to work while they cannot be fetched.
const KEPT: Duration = Duration::from_hours(24);
/// How long after one try to fetch a key that is not known the next begins at the earliest.
const PAUSE: Duration = Duration::from_secs(10);
/// The same for keys that are known and no longer fresh: nobody needs to wait for them.
const STALE_PAUSE: Duration = Duration::from_mins(1);
/// How long a request waits for keys that another is fetching, which ends by its own deadlines.
const WAIT: Duration = Duration::from_secs(7);
/// How many may wait so for one issuer: a slow one must not hold up every thread.
const MAX_WAITING: u32 = 4;
/// How far ahead another thread may have noted a time.
const AHEAD: Duration = Duration::from_mins(1);
/// How many issuers are remembered.
const MAX_ISSUERS: usize = 1_024;

/// The keys of issuers, each issuer apart from the others.
pub(super) struct KeyCache {
    clock: Arc<dyn Clock>,
    issuers: Mutex<Issuers>,
}

#[derive(Default)]
struct Issuers {
    by_name: HashMap<String, (Arc<Issuer>, u64)>,
    /// Counts uses, so that the one used longest ago is known.
    uses: u64,
}

#[derive(Default)]
struct Issuer {
    state: Mutex<State>,
    fetched: Condvar,
}

#[derive(Default)]
struct State {
    keys: Arc<[Jwk]>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    /// Why the last try failed, if it did.
    failure: Option<FetchError>,
    is_fetching: bool,
    waiting: u32,
}

impl KeyCache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            issuers: Mutex::default(),
        }
    }

    /// Whether the issuer's keys satisfy `accepts`; fetched by `fetch` when those that are known do not, or are no longer fresh.
    pub(super) fn satisfy(
        &self,
        name: &str,
        accepts: &dyn Fn(&[Jwk]) -> bool,
        fetch: &dyn Fn() -> Result<Vec<Jwk>, FetchError>,
    ) -> Result<(), IdentityError> {
        let issuer = self.issuer(name);
        let now = self.clock.now();
        let known = issuer.lock().known(now);
        match known {
            Some((keys, is_fresh)) if accepts(&keys) => {
                if is_fresh || !issuer.refresh(now, STALE_PAUSE, false, fetch)? {
                    return Ok(());
                }
            }
            Some(_) | None => {
                issuer.refresh(now, PAUSE, true, fetch)?;
            }
        }
        let (known, failure) = {
            let state = issuer.lock();
            (state.known(self.clock.now()), state.failure.clone())
        };
        match (known, failure) {
            (Some((keys, _)), _) if accepts(&keys) => Ok(()),
            // The key may be a new one that only could not be fetched.
            (_, Some(failure)) => Err(IdentityError::Unavailable(failure.into())),
            (_, None) => Err(IdentityError::Signature),
        }
    }

    fn issuer(&self, name: &str) -> Arc<Issuer> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        issuers.uses += 1;
        let use_number = issuers.uses;
        if let Some((issuer, used)) = issuers.by_name.get_mut(name) {
            *used = use_number;
            return issuer.clone();
        }
        if issuers.by_name.len() >= MAX_ISSUERS {
            let oldest = issuers.by_name.iter().min_by_key(|(_, (_, used))| *used);
            let oldest = oldest.map(|(name, _)| name.clone());
            oldest.map(|name| issuers.by_name.remove(&name));
        }
        let issuer = Arc::new(Issuer::default());
        issuers
            .by_name
            .insert(name.to_owned(), (issuer.clone(), use_number));
        issuer
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        issuers.by_name.len()
    }
}

impl State {
    /// The keys while they may be used, and whether they are fresh.
    fn known(&self, now: Timestamp) -> Option<(Arc<[Jwk]>, bool)> {
        let at = self.fetched_at;
        is_within(at, now, KEPT).then(|| (self.keys.clone(), is_within(at, now, FRESH)))
    }
}

/// Whether that was less than `span` ago. A moment that is well ahead means that the clock was set back since.
fn is_within(at: Option<Timestamp>, now: Timestamp, span: Duration) -> bool {
    let Some(at) = at else { return false };
    let age = now.unix_micros().saturating_sub(at.unix_micros());
    let apart = Duration::from_micros(age.unsigned_abs());
    if age < 0 { apart < AHEAD } else { apart < span }
}

impl Issuer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the keys, unless that was tried within `pause`, or waits for those that are being fetched. Says whether something may
    /// have changed.
    fn refresh(
        &self,
        now: Timestamp,
        pause: Duration,
        may_wait: bool,
        fetch: &dyn Fn() -> Result<Vec<Jwk>, FetchError>,
    ) -> Result<bool, IdentityError> {
        let mut state = self.lock();
        if state.is_fetching {
            return if may_wait { self.wait(state) } else { Ok(false) };
        }
        if is_within(state.tried_at, now, pause) {
            return Ok(false);
        }
        state.is_fetching = true;
        state.tried_at = Some(now);
        drop(state);
        let fetching = Fetching(self);
        let fetched = fetch();
        let mut state = self.lock();
        match fetched {
            Ok(keys) => {
                state.keys = keys.into();
                state.fetched_at = Some(now);
                state.failure = None;
            }
            Err(failure) => state.failure = Some(failure),
        }
        drop(state);
        drop(fetching);
        Ok(true)
    }

    fn wait(&self, mut state: MutexGuard<'_, State>) -> Result<bool, IdentityError> {
        if state.waiting >= MAX_WAITING {
            return Err(IdentityError::Unavailable("too many wait for them".into()));
        }
        state.waiting += 1;
        let begun = Instant::now();
        while state.is_fetching {
            let Some(left) = WAIT.checked_sub(begun.elapsed()) else {
                break;
            };
            let woken = self.fetched.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
        if state.is_fetching {
            Err(IdentityError::Unavailable("they do not come in time".into()))
        } else {
            Ok(true)
        }
    }
}

/// Ends the fetch when it is dropped, also by a panic.
struct Fetching<'a>(&'a Issuer);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.0.lock().is_fetching = false;
        self.0.fetched.notify_all();
    }
}
