use tenantry_domain::{Timestamp, TokenHash};

use super::MemoryStore;
use crate::ledger::throttle;
use crate::{Attempt, StoreError, ThrottlePolicy, ThrottleStore};

impl ThrottleStore for MemoryStore {
    fn attempt(&self, keys: &[(TokenHash, ThrottlePolicy)], now: Timestamp) -> Result<Attempt, StoreError> {
        let failures = &mut self.records().failures;
        let attempt = throttle::attempt(failures, keys, now);
        if attempt == Attempt::Allowed {
            failures.extend(throttle::counted(failures, keys, now));
        }
        Ok(attempt)
    }

    fn succeeded(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        self.records().failures.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    fn undo(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        let failures = &mut self.records().failures;
        for key in keys {
            if let Some(kept) = failures.remove(key)
                && let Some(rest) = kept.but_one()
            {
                failures.insert(*key, rest);
            }
        }
        Ok(())
    }

    fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let failures = &mut self.records().failures;
        let kept = failures.len();
        failures.retain(|_, failures| failures.last_at >= before);
        Ok(u64::try_from(kept - failures.len()).unwrap_or(u64::MAX))
    }
}
