use std::time::{Duration, Instant};

/// When [`crate::Breaking`] leaves an upstream alone.
#[derive(Debug, Clone, Copy)]
pub struct BreakerPolicy {
    /// How many failures in a row open a circuit; zero counts as one.
    pub failures: u32,
    /// The statuses that count as failures.
    pub statuses: &'static [u16],
    /// How long a circuit stays open at first.
    pub cool_down: Duration,
    /// How long it stays open at most; each probe that fails doubles the time until then.
    pub longest_cool_down: Duration,
    /// How many circuits are remembered. When there are more, the closed one that was not used for longest is
    /// forgotten first.
    pub capacity: usize,
}

impl Default for BreakerPolicy {
    /// Five failures in a row; 5 s, doubling up to 60 s; 4,096 circuits.
    ///
    /// 401 and 403 count, for a key that is refused will be refused again and asking on may lock it; so do the
    /// statuses of an upstream that is not there: 502, 503 and 504. What remains is said by an upstream that works: 429 asks for a
    /// slower pace, which [`crate::Retrying`] keeps, and 400, 404 and 500 may be of the one request: several model servers answer
    /// 500 to a prompt that is too long, by which one tenant could stop all that share a credential.
    fn default() -> Self {
        Self {
            failures: 5,
            statuses: &[401, 403, 502, 503, 504],
            cool_down: Duration::from_secs(5),
            longest_cool_down: Duration::from_mins(1),
            capacity: 4096,
        }
    }
}

/// How [`crate::Breaking`] tells the time, so that tests need not wait.
pub trait Timing: Send + Sync {
    /// The time now; it never goes back.
    fn now(&self) -> Instant;
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTiming;

impl Timing for SystemTiming {
    fn now(&self) -> Instant {
        Instant::now()
    }
}
