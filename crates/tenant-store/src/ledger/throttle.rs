//! How long whoever failed has to wait.

use std::collections::BTreeMap;

use tenantry_domain::{Timestamp, TokenHash};

use crate::{Attempt, ThrottlePolicy};

/// The failures that are kept of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    pub(crate) last_at: Timestamp,
}

impl Failures {
    /// The failures that still count at `now`.
    fn counted(self, policy: &ThrottlePolicy, now: Timestamp) -> u32 {
        if now >= self.last_at.saturating_add(policy.forget_after) {
            0
        } else {
            self.count
        }
    }

    /// These and one more at `now`.
    fn and_one(this: Option<Self>, policy: &ThrottlePolicy, now: Timestamp) -> Self {
        let counted = this.map_or(0, |this| this.counted(policy, now));
        Self {
            count: counted.saturating_add(1),
            // Another server's clock may be ahead.
            last_at: this.map_or(now, |this| this.last_at.max(now)),
        }
    }

    /// One less; `None` when none is left. When it was made is kept: the moment before is not known any more.
    pub(crate) fn but_one(self) -> Option<Self> {
        let count = self.count.checked_sub(1).filter(|count| *count > 0)?;
        Some(Self { count, ..self })
    }

    /// The moment before which the next attempt may not be made; `None` when it may be made now.
    fn barred_until(self, policy: &ThrottlePolicy, now: Timestamp) -> Option<Timestamp> {
        let beyond = self.counted(policy, now).saturating_sub(policy.free);
        let doublings = beyond.checked_sub(1)?;
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = policy.first_wait.saturating_mul(factor).min(policy.longest_wait);
        Some(self.last_at.saturating_add(wait)).filter(|until| *until > now)
    }
}

/// Whether an attempt may be made that counts for all of `keys`.
pub(crate) fn attempt(
    kept: &BTreeMap<TokenHash, Failures>,
    keys: &[(TokenHash, ThrottlePolicy)],
    now: Timestamp,
) -> Attempt {
    let barred = keys
        .iter()
        .filter_map(|(key, policy)| kept.get(key)?.barred_until(policy, now))
        .max();
    barred.map_or(Attempt::Allowed, |until| Attempt::Wait { until })
}

/// The failures of each of `keys` once the attempt is counted.
pub(crate) fn counted(
    kept: &BTreeMap<TokenHash, Failures>,
    keys: &[(TokenHash, ThrottlePolicy)],
    now: Timestamp,
) -> BTreeMap<TokenHash, Failures> {
    keys.iter()
        .map(|(key, policy)| (*key, Failures::and_one(kept.get(key).copied(), policy, now)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
    }

    fn policy() -> ThrottlePolicy {
        ThrottlePolicy {
            free: 2,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(10),
            forget_after: Duration::from_secs(1_000),
        }
    }

    fn waits(count: u32) -> Option<i64> {
        let failures = Failures {
            count,
            last_at: at(100),
        };
        let until = failures.barred_until(&policy(), at(100))?;
        Some(until.unix_seconds() - 100)
    }

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let waits: Vec<_> = (0..9).map(waits).collect();
        assert_eq!(
            waits,
            [
                None,
                None,
                None,
                Some(1),
                Some(2),
                Some(4),
                Some(8),
                Some(10),
                Some(10)
            ]
        );
    }

    #[test]
    fn no_number_of_failures_makes_the_wait_longer() {
        assert_eq!(waits(u32::MAX), Some(10));
        let endless = ThrottlePolicy {
            longest_wait: Duration::MAX,
            first_wait: Duration::MAX,
            forget_after: Duration::MAX,
            ..policy()
        };
        let failures = Failures {
            count: u32::MAX,
            last_at: at(100),
        };
        let until = failures.barred_until(&endless, at(100)).unwrap();
        assert_eq!(until.to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn failures_are_forgotten_in_time() {
        let failures = Failures {
            count: 9,
            last_at: at(100),
        };
        assert_eq!(failures.counted(&policy(), at(1_099)), 9);
        assert_eq!(failures.counted(&policy(), at(1_100)), 0);
    }
}
