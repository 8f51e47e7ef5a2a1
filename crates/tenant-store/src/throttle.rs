use std::time::Duration;

use tenantry_domain::{Timestamp, TokenHash};

use crate::StoreError;

/// How long whoever fails again and again has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// How many failures cost nothing.
    pub free: u32,
    /// The wait after the first failure beyond; it doubles with each more.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After that long without a failure they are forgotten.
    pub forget_after: Duration,
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may. It is counted as failed until [`ThrottleStore::succeeded`] says otherwise, so that many at once do not all slip through.
    Allowed,
    /// It may not before that moment, and was not counted.
    Wait {
        /// The moment.
        until: Timestamp,
    },
}

/// Counts failed attempts for all servers together. What is counted is named by a hash: of an account's address, whether or not there
/// is such an account, or of a client's. Nobody is shut out for good: the wait has a longest, and an attempt that waits makes it no longer.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use tenantry_domain::{Timestamp, TokenHash};
/// use tenantry_tenant_store::{Attempt, MemoryStore, ThrottlePolicy, ThrottleStore};
///
/// let store = MemoryStore::new();
/// let policy = ThrottlePolicy {
///     free: 0,
///     first_wait: Duration::from_secs(1),
///     longest_wait: Duration::from_mins(15),
///     forget_after: Duration::from_hours(24),
/// };
/// let account = [(TokenHash::from_bytes([7; 32]), policy)];
/// let [now, later] = [0, 1_000_000].map(Timestamp::from_unix_micros);
/// assert_eq!(store.attempt(&account, now?)?, Attempt::Allowed);
/// assert_eq!(store.attempt(&account, now?)?, Attempt::Wait { until: later? });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ThrottleStore: Send + Sync {
    /// Asks for an attempt that counts once for each of `keys`, each with its own policy, in one step: of many at once no more are let
    /// through than one after another.
    ///
    /// # Errors
    /// When the store fails.
    fn attempt(&self, keys: &[(TokenHash, ThrottlePolicy)], now: Timestamp) -> Result<Attempt, StoreError>;

    /// Forgets the failures of these keys. Not for a key that somebody can share: who has an account of their own would wipe out with it what
    /// they failed at others'; their attempt is taken back instead, by [`ThrottleStore::undo`].
    ///
    /// # Errors
    /// When the store fails.
    fn succeeded(&self, keys: &[TokenHash]) -> Result<(), StoreError>;

    /// Takes back one attempt for each of these keys: it was made, and is not to count as failed.
    ///
    /// # Errors
    /// When the store fails.
    fn undo(&self, keys: &[TokenHash]) -> Result<(), StoreError>;

    /// Removes the failures of which none was made at `before` or later; how many keys' they were.
    ///
    /// # Errors
    /// When the store fails.
    fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError>;
}
