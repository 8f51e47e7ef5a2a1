use std::collections::BTreeMap;

use diesel::prelude::*;
use tenantry_domain::{Timestamp, TokenHash};

use super::connection::AnyConnection;
use super::ledger::WorkError;
use super::rows::FailuresRow;
use super::schema::login_throttle;
use super::{SqlStore, dialect};
use crate::ledger::throttle::{self, Failures};
use crate::{Attempt, StoreError, ThrottlePolicy, ThrottleStore};

impl ThrottleStore for SqlStore {
    fn attempt(&self, keys: &[(TokenHash, ThrottlePolicy)], now: Timestamp) -> Result<Attempt, StoreError> {
        let mut names: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
        names.sort_unstable();
        names.dedup();
        // First without a transaction: whoever has to wait makes nobody else wait, and nothing is written for them.
        let kept = self.run(|conn| seen(conn, &bytes(&names)))?;
        let seen = throttle::attempt(&read(kept)?, keys, now);
        if seen != Attempt::Allowed {
            return Ok(seen);
        }
        let done = dialect::writing(&mut *self.acquire()?, |conn| count(conn, &names, keys, now));
        Ok(done?)
    }

    fn succeeded(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        self.change_failures(keys, |_| None)
    }

    fn undo(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        let times = |key: &TokenHash| keys.iter().filter(|other| *other == key).count();
        self.change_failures(keys, |(key, failures)| {
            (0..times(key)).try_fold(failures, |failures, _| failures.but_one())
        })
    }

    fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let abandoned = login_throttle::table.filter(login_throttle::last_at.lt(before.unix_micros()));
        let removed = self.run(|conn| diesel::delete(abandoned).execute(conn))?;
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}

impl SqlStore {
    /// Puts what `change` makes of them in the place of the failures of each key that has some; nothing where it gives none.
    fn change_failures(
        &self,
        keys: &[TokenHash],
        change: impl Fn((&TokenHash, Failures)) -> Option<Failures>,
    ) -> Result<(), StoreError> {
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            let kept = read(dialect::failures_to_change(conn, &bytes(keys))?)?;
            for (key, failures) in kept {
                match change((&key, failures)) {
                    Some(failures) => save(conn, &key, failures)?,
                    None => remove(conn, &key)?,
                }
            }
            Ok::<_, WorkError>(())
        });
        Ok(done?)
    }
}

/// Counts the attempt for each key, unless it has to wait after all. The keys are sorted, and locked in that order.
fn count(
    conn: &mut AnyConnection,
    names: &[TokenHash],
    keys: &[(TokenHash, ThrottlePolicy)],
    now: Timestamp,
) -> Result<Attempt, WorkError> {
    for key in names {
        dialect::add_failures(conn, key, now)?;
    }
    let kept = read(dialect::failures_to_change(conn, &bytes(names))?)?;
    let attempt = throttle::attempt(&kept, keys, now);
    if attempt == Attempt::Allowed {
        for (key, failures) in throttle::counted(&kept, keys, now) {
            save(conn, &key, failures)?;
        }
    } else {
        for (key, _) in kept.iter().filter(|(_, failures)| failures.count == 0) {
            remove(conn, key)?;
        }
    }
    Ok(attempt)
}

fn seen(conn: &mut AnyConnection, keys: &[&[u8]]) -> QueryResult<Vec<FailuresRow>> {
    login_throttle::table
        .filter(login_throttle::key.eq_any(keys))
        .load(conn)
}

fn save(conn: &mut AnyConnection, key: &TokenHash, failures: Failures) -> QueryResult<()> {
    diesel::update(login_throttle::table.find(key.as_bytes().as_slice()))
        .set((
            login_throttle::failures.eq(i64::from(failures.count)),
            login_throttle::last_at.eq(failures.last_at.unix_micros()),
        ))
        .execute(conn)
        .map(drop)
}

fn remove(conn: &mut AnyConnection, key: &TokenHash) -> QueryResult<()> {
    diesel::delete(login_throttle::table.find(key.as_bytes().as_slice()))
        .execute(conn)
        .map(drop)
}

fn bytes(keys: &[TokenHash]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.as_bytes().as_slice()).collect()
}

fn read(rows: Vec<FailuresRow>) -> Result<BTreeMap<TokenHash, Failures>, StoreError> {
    rows.into_iter().map(FailuresRow::read).collect()
}
