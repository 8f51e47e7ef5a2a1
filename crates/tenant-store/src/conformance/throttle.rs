//! What every [`ThrottleStore`] must do.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::time::Duration;

use tenantry_domain::TokenHash;

use super::accounts::token;
use super::samples::at;
use crate::{Attempt, ThrottlePolicy, ThrottleStore};

/// Two failures cost nothing; then the wait is 10 seconds, 20, 40, and 60 for ever.
const POLICY: ThrottlePolicy = ThrottlePolicy {
    free: 2,
    first_wait: Duration::from_secs(10),
    longest_wait: Duration::from_mins(1),
    forget_after: Duration::from_hours(1),
};

/// A policy under which nobody waits before a thousand failures.
const LOOSE: ThrottlePolicy = ThrottlePolicy {
    free: 1_000,
    ..POLICY
};

fn tried<S: ThrottleStore>(store: &S, key: u32, seconds: i64) -> Attempt {
    store.attempt(&[(token(key), POLICY)], at(seconds)).unwrap()
}

fn wait(until: i64) -> Attempt {
    Attempt::Wait { until: at(until) }
}

/// Fails three times at second 0, so that the key has to wait until second 10.
fn barred<S: ThrottleStore>(store: &S, key: u32) {
    for _ in 0..3 {
        assert_eq!(tried(store, key, 0), Attempt::Allowed);
    }
    assert_eq!(tried(store, key, 0), wait(10));
}

/// The failures that the policy lets through cost nothing, and those beyond make each wait double the one before, up to the longest: the
/// key is never shut out for good.
pub fn the_wait_doubles_up_to_the_longest<S: ThrottleStore>(store: &S) {
    barred(store, 1);
    let mut now = 0;
    for seconds in [10, 20, 40, 60, 60, 60] {
        assert_eq!(tried(store, 1, now), wait(now + seconds));
        assert_eq!(tried(store, 1, now + seconds - 1), wait(now + seconds));
        now += seconds;
        assert_eq!(tried(store, 1, now), Attempt::Allowed);
    }
}

/// An attempt that had to wait is not counted, however often it is made.
pub fn an_attempt_that_waits_is_not_counted<S: ThrottleStore>(store: &S) {
    barred(store, 1);
    for _ in 0..20 {
        assert_eq!(tried(store, 1, 9), wait(10));
    }
    assert_eq!(tried(store, 1, 10), Attempt::Allowed);
    assert_eq!(tried(store, 1, 10), wait(30));
}

/// One key's failures are not another's.
pub fn keys_are_told_apart<S: ThrottleStore>(store: &S) {
    barred(store, 1);
    assert_eq!(tried(store, 2, 0), Attempt::Allowed);
    store.succeeded(&[token(2)]).unwrap();
    store.undo(&[token(2), token(3)]).unwrap();
    assert_eq!(tried(store, 1, 0), wait(10));
}

/// An attempt waits as long as the longest of its keys, and while one of them waits counts for none.
pub fn an_attempt_waits_for_the_longest_of_its_keys<S: ThrottleStore>(store: &S) {
    barred(store, 1);
    barred(store, 2);
    assert_eq!(tried(store, 2, 10), Attempt::Allowed);
    let both = [(token(1), POLICY), (token(2), POLICY), (token(3), POLICY)];
    for order in [both, [both[2], both[1], both[0]]] {
        for _ in 0..5 {
            assert_eq!(store.attempt(&order, at(15)).unwrap(), wait(30));
        }
    }
    barred(store, 3);
}

/// Each key has its own policy, and an attempt counts once for each, also for one that is named twice.
pub fn an_attempt_counts_for_each_of_its_keys<S: ThrottleStore>(store: &S) {
    let keys = [(token(1), LOOSE), (token(2), POLICY), (token(1), LOOSE)];
    for _ in 0..3 {
        assert_eq!(store.attempt(&keys, at(0)).unwrap(), Attempt::Allowed);
    }
    assert_eq!(store.attempt(&keys, at(0)).unwrap(), wait(10));
    assert_eq!(store.attempt(&keys[..1], at(0)).unwrap(), Attempt::Allowed);
    // Four by now, by the stricter policy.
    assert_eq!(tried(store, 1, 0), wait(20));
    assert_eq!(store.attempt(&[], at(0)).unwrap(), Attempt::Allowed);
}

/// Success forgets the failures of the keys that are named.
pub fn success_forgets_the_failures<S: ThrottleStore>(store: &S) {
    for key in [1, 2, 3] {
        barred(store, key);
    }
    store.succeeded(&[token(1), token(3), token(4)]).unwrap();
    assert_eq!(tried(store, 2, 0), wait(10));
    barred(store, 1);
    barred(store, 3);
}

/// An attempt that is taken back was not made, and none is taken back that was not.
pub fn an_attempt_is_taken_back<S: ThrottleStore>(store: &S) {
    for _ in 0..20 {
        assert_eq!(tried(store, 1, 0), Attempt::Allowed);
        store.undo(&[token(1)]).unwrap();
    }
    store.undo(&[token(1), token(2)]).unwrap();
    barred(store, 1);
    barred(store, 2);
    store.undo(&[token(1), token(1)]).unwrap();
    assert_eq!(tried(store, 1, 0), Attempt::Allowed, "two left of three");
}

/// Failures count for nothing once there was none for as long as the policy says; a later one keeps the earlier alive.
pub fn failures_are_forgotten_in_time<S: ThrottleStore>(store: &S) {
    barred(store, 1);
    assert_eq!(tried(store, 1, 3_599), Attempt::Allowed);
    assert_eq!(tried(store, 1, 3_599), wait(3_619));
    let forgotten = 3_599 + 3_600;
    assert_eq!(tried(store, 1, forgotten - 1), Attempt::Allowed);
    assert_eq!(tried(store, 1, forgotten - 1), wait(forgotten - 1 + 40));
    for _ in 0..3 {
        assert_eq!(tried(store, 1, 2 * forgotten), Attempt::Allowed);
    }
    assert_eq!(tried(store, 1, 2 * forgotten), wait(2 * forgotten + 10));
}

/// A failure that another server's clock saw in what is yet to come here is waited for no longer than from then on.
pub fn a_failure_of_a_clock_ahead_counts<S: ThrottleStore>(store: &S) {
    for _ in 0..3 {
        assert_eq!(tried(store, 1, 5), Attempt::Allowed);
    }
    for seconds in [0, 5, 14] {
        assert_eq!(tried(store, 1, seconds), wait(15));
    }
    assert_eq!(tried(store, 1, 15), Attempt::Allowed);
}

/// What no attempt kept alive since that moment is removed and counted, and nothing else.
pub fn abandoned_failures_are_removed<S: ThrottleStore>(store: &S) {
    for (key, seconds) in [(1, 0), (2, 5), (3, 9), (3, 0)] {
        assert_eq!(tried(store, key, seconds), Attempt::Allowed);
    }
    assert_eq!(store.forget_attempts(at(5)).unwrap(), 1);
    assert_eq!(store.forget_attempts(at(5)).unwrap(), 0);
    assert_eq!(tried(store, 3, 9), Attempt::Allowed);
    assert_eq!(tried(store, 3, 9), wait(19));
    assert_eq!(store.forget_attempts(at(10)).unwrap(), 2);
    barred(store, 3);
}

const THREADS: usize = 10;

fn at_once<S: ThrottleStore>(
    store: &S,
    each: usize,
    keys: impl Fn(usize) -> Vec<(TokenHash, ThrottlePolicy)> + Sync,
) -> usize {
    std::thread::scope(|threads| {
        let keys = &keys;
        let clients: Vec<_> = (0..THREADS)
            .map(|client| {
                threads.spawn(move || {
                    let attempts = (0..each).map(|_| store.attempt(&keys(client), at(0)).unwrap());
                    attempts.filter(|attempt| *attempt == Attempt::Allowed).count()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    })
}

/// Of fifty attempts at once no more are let through than one after another: each counts from the moment it is let through.
pub fn attempts_at_once_do_not_slip_through<S: ThrottleStore>(store: &S) {
    let policy = ThrottlePolicy { free: 20, ..POLICY };
    for key in 0..5 {
        assert_eq!(at_once(store, 5, |_| vec![(token(key), policy)]), 21);
        assert_eq!(store.attempt(&[(token(key), policy)], at(0)).unwrap(), wait(10));
    }
}

/// Attempts at once whose keys are named in different orders are all answered, and the ones taken back meanwhile are not counted.
pub fn attempts_at_once_on_the_same_keys_are_all_answered<S: ThrottleStore>(store: &S) {
    let keys = |client: usize| {
        let mut keys: Vec<_> = (0..4).map(|key| (token(key), LOOSE)).collect();
        keys.rotate_left(client % 4);
        if client.is_multiple_of(2) {
            keys.reverse();
        }
        keys
    };
    std::thread::scope(|threads| {
        for client in 0..4 {
            let names: Vec<_> = keys(client).into_iter().map(|(key, _)| key).collect();
            threads.spawn(move || {
                for _ in 0..5 {
                    let own = [keys(client), vec![(token(99), LOOSE)]].concat();
                    assert_eq!(store.attempt(&own, at(0)).unwrap(), Attempt::Allowed);
                    store.undo(&names).unwrap();
                }
            });
        }
    });
    assert_eq!(at_once(store, 2, keys), 20);
    // Twenty are counted of each: under this policy one more makes the next wait.
    let twenty = ThrottlePolicy { free: 20, ..POLICY };
    for key in [0, 3, 99] {
        let keys = [(token(key), twenty)];
        assert_eq!(store.attempt(&keys, at(0)).unwrap(), Attempt::Allowed, "{key}");
        assert_eq!(store.attempt(&keys, at(0)).unwrap(), wait(10), "{key}");
    }
}
