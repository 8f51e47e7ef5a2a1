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
/// is such an account, or of a client's.
pub trait ThrottleStore: Send + Sync {
    /// Asks for an attempt that counts for each of `keys`, each with its own policy, in one step.
    ///
    /// # Errors
    /// When the store fails.
    fn attempt(&self, keys: &[(TokenHash, ThrottlePolicy)], now: Timestamp) -> Result<Attempt, StoreError>;

    /// Forgets the failures of these keys.
    ///
    /// # Errors
    /// When the store fails.
    fn succeeded(&self, keys: &[TokenHash]) -> Result<(), StoreError>;

    /// Takes back one attempt for each of these keys: it was made, and proved neither right nor wrong.
    ///
    /// # Errors
    /// When the store fails.
    fn undo(&self, keys: &[TokenHash]) -> Result<(), StoreError>;

    /// Removes what no attempt of the last `forget_after` keeps alive; how many.
    ///
    /// # Errors
    /// When the store fails.
    fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError>;
}
