use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::BreakerPolicy;

/// An upstream and a credential, known by their keyed hashes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) origin: u64,
    pub(super) credential: u64,
}

/// What is known of each upstream and credential.
#[derive(Debug)]
pub(super) struct Circuits {
    policy: BreakerPolicy,
    known: HashMap<Key, Circuit>,
    /// In the order in which they are forgotten: closed before open, and then by their last use.
    order: BTreeMap<(bool, u64), Key>,
    /// Counts up, for uses and epochs.
    ticks: u64,
}

#[derive(Debug, Clone, Copy)]
struct Circuit {
    state: State,
    /// Changes whenever the circuit opens or lets a probe through: what began before says nothing any more.
    epoch: u64,
    run: Run,
    /// How many calls went well, so that a stream can tell whether its own head was the last of them.
    successes: u64,
    used: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// What failed in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    failures: u32,
    /// For how long the circuit was opened last; zero when it was not.
    pause: Duration,
}

/// A call that was let through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    key: Key,
    epoch: u64,
}

/// What a success wiped out, which a failure of the same call brings back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credit {
    run: Run,
    successes: u64,
}

impl Circuits {
    pub(super) fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            known: HashMap::new(),
            order: BTreeMap::new(),
            ticks: 0,
        }
    }

    /// Lets a call through, or says how long none will be.
    pub(super) fn admit(&mut self, key: Key, now: Instant) -> Result<Admission, Duration> {
        let tick = self.tick();
        let mut circuit = self.take(key).unwrap_or_else(|| Circuit::new(tick));
        circuit.used = tick;
        let answer = match circuit.state {
            State::Open { until } if now < until => Err(until.duration_since(now)),
            // The probe decides; when it will is not known.
            State::Probing => Err(self.policy.cool_down),
            State::Open { .. } => {
                circuit.state = State::Probing;
                circuit.epoch = tick;
                Ok(())
            }
            State::Closed => Ok(()),
        };
        self.put(key, circuit);
        answer.map(|()| Admission {
            key,
            epoch: circuit.epoch,
        })
    }

    /// Notes that the upstream answered; gives what that wiped out.
    pub(super) fn success(&mut self, admission: Admission) -> Option<Credit> {
        let circuit = self.current(admission)?;
        circuit.successes += 1;
        let credit = Credit {
            run: std::mem::take(&mut circuit.run),
            successes: circuit.successes,
        };
        if circuit.state != State::Closed {
            self.change(admission.key, |circuit| circuit.state = State::Closed);
        }
        Some(credit)
    }

    /// Notes a failure. With the credit of its own head a stream that broke off takes that head's success back, unless
    /// another call went well meanwhile.
    pub(super) fn failure(&mut self, admission: Admission, credit: Option<Credit>, now: Instant) {
        let policy = self.policy;
        let epoch = self.tick();
        let Some(circuit) = self.current(admission) else {
            return;
        };
        if let Some(credit) = credit.filter(|credit| credit.successes == circuit.successes) {
            circuit.run.failures = circuit.run.failures.saturating_add(credit.run.failures);
            circuit.run.pause = circuit.run.pause.max(credit.run.pause);
        }
        circuit.run.failures = circuit.run.failures.saturating_add(1);
        if circuit.state == State::Probing || circuit.run.failures >= policy.failures {
            self.change(admission.key, |circuit| circuit.open(&policy, epoch, now));
        }
    }

    /// Notes that a call ended without saying anything; if it was the probe, another one may go.
    pub(super) fn nothing(&mut self, admission: Admission, now: Instant) {
        if let Some(circuit) = self.current(admission)
            && circuit.state == State::Probing
        {
            circuit.state = State::Open { until: now };
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// The circuit of a call, unless it was forgotten or has changed since.
    fn current(&mut self, admission: Admission) -> Option<&mut Circuit> {
        self.known
            .get_mut(&admission.key)
            .filter(|circuit| circuit.epoch == admission.epoch)
    }

    fn change(&mut self, key: Key, change: impl FnOnce(&mut Circuit)) {
        if let Some(mut circuit) = self.take(key) {
            change(&mut circuit);
            self.put(key, circuit);
        }
    }

    fn take(&mut self, key: Key) -> Option<Circuit> {
        let circuit = self.known.remove(&key)?;
        self.order.remove(&circuit.place());
        Some(circuit)
    }

    fn put(&mut self, key: Key, circuit: Circuit) {
        while self.known.len() >= self.policy.capacity.max(1) {
            let Some((_, forgotten)) = self.order.pop_first() else {
                break;
            };
            self.known.remove(&forgotten);
        }
        self.order.insert(circuit.place(), key);
        self.known.insert(key, circuit);
    }
}

impl Circuit {
    fn new(tick: u64) -> Self {
        Self {
            state: State::Closed,
            epoch: tick,
            run: Run::default(),
            successes: 0,
            used: tick,
        }
    }

    fn place(&self) -> (bool, u64) {
        (self.state != State::Closed, self.used)
    }

    fn open(&mut self, policy: &BreakerPolicy, epoch: u64, now: Instant) {
        self.run.pause = if self.run.pause.is_zero() {
            policy.cool_down
        } else {
            self.run.pause.saturating_mul(2).min(policy.longest_cool_down)
        };
        // A pause beyond the clock's end would be none.
        let until = now.checked_add(self.run.pause).unwrap_or(now);
        self.state = State::Open { until };
        self.epoch = epoch;
    }
}
