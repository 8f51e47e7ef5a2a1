mod body;
mod circuits;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;

use self::body::Judged;
use self::circuits::{Admission, Circuits, Credit, Key};
pub use self::policy::{BreakerPolicy, SystemTiming, Timing};
use crate::{Cancel, Header, HttpError, Request, Response, StreamResponse, Transport};

/// Leaves an upstream alone that fails again and again: a circuit breaker for each origin (scheme, host and port) and
/// credential (the secret headers), so that one tenant's bad key slows no other tenant, and nobody waits for a dead
/// host that others have just waited for.
///
/// After [`BreakerPolicy::failures`] failures in a row a call fails at once with [`HttpError::CircuitOpen`], and
/// nothing is sent. After the cool-down one call goes through as a probe, the others still fail: its success closes
/// the circuit, its failure leaves it open for longer.
///
/// Failures are [`HttpError::Connect`], [`HttpError::Timeout`], [`HttpError::Protocol`] and the policy's statuses,
/// also when they end the body of a stream. Any other answer is a success, that of a stream as soon as its head is
/// there. A call that was cancelled, not sent, or in too much of a hurry for an answer ([`Request::hurried`]) is neither.
///
/// It belongs below [`crate::Retrying`], which sends nothing again to an open circuit, so that each attempt counts.
/// Secrets are not kept: a circuit is known by hashes whose key each breaker draws for itself. What it knows is known
/// to this process alone.
///
/// # Examples
/// ```
/// use tenantry_http_client::{Breaking, BreakerPolicy, HttpError, MemoryTransport, Method, Request, Transport, Trust};
///
/// let dead = MemoryTransport::new(|_| Err(HttpError::Connect("nobody is there".into())));
/// let transport = Breaking::new(dead, BreakerPolicy { failures: 1, ..BreakerPolicy::default() });
/// let request = Request::new(Method::Get, url::Url::parse("http://upstream.test/")?, Trust::Operator);
/// assert!(matches!(transport.send(&request), Err(HttpError::Connect(_))));
/// assert!(matches!(transport.send(&request), Err(HttpError::CircuitOpen { .. })));
/// # Ok::<(), url::ParseError>(())
/// ```
pub struct Breaking<T> {
    inner: T,
    shared: Arc<Shared>,
}

struct Shared {
    policy: BreakerPolicy,
    circuits: Mutex<Circuits>,
    timing: Box<dyn Timing>,
    hashes: RandomState,
}

/// What an outcome says of the upstream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Success,
    Failure,
    Nothing,
}

impl<T: Transport> Breaking<T> {
    /// Sends through `inner`.
    pub fn new(inner: T, policy: BreakerPolicy) -> Self {
        Self::timed(inner, policy, SystemTiming)
    }

    /// Sends through `inner`, telling the time by `timing`.
    pub fn timed(inner: T, policy: BreakerPolicy, timing: impl Timing + 'static) -> Self {
        let shared = Shared {
            policy,
            circuits: Mutex::new(Circuits::new(policy)),
            timing: Box::new(timing),
            hashes: RandomState::new(),
        };
        Self {
            inner,
            shared: Arc::new(shared),
        }
    }
}

impl<T: Transport> Transport for Breaking<T> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let pass = Pass::enter(&self.shared, request)?;
        let answer = self.inner.send(request);
        let verdict = match &answer {
            Ok(answer) => self.shared.of_status(answer.status),
            Err(error) => of_error(error, request.hurried),
        };
        pass.settle(verdict);
        answer
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        if cancel.is_cancelled() {
            return Err(HttpError::Cancelled);
        }
        let pass = Pass::enter(&self.shared, request)?;
        match self.inner.stream(request, cancel) {
            Ok(answer) => {
                let verdict = self.shared.of_status(answer.status);
                let followed = pass.settle(verdict);
                Ok(match followed {
                    Some(head) => Judged::wrap(answer, head),
                    None => answer,
                })
            }
            Err(error) => {
                pass.settle(of_error(&error, request.hurried));
                Err(error)
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Circuits> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, request: &Request) -> Key {
        let url = &request.url;
        let origin = (url.scheme(), url.host_str(), url.port_or_known_default());
        let mut credential = self.hashes.build_hasher();
        for (name, header) in &request.headers {
            if let Header::Secret { prefix, value } = header {
                (name, prefix, value.expose_secret()).hash(&mut credential);
            }
        }
        Key {
            origin: self.hashes.hash_one(origin),
            credential: credential.finish(),
        }
    }

    fn of_status(&self, status: u16) -> Verdict {
        if self.policy.statuses.contains(&status) {
            Verdict::Failure
        } else {
            Verdict::Success
        }
    }
}

fn of_error(error: &HttpError, hurried: bool) -> Verdict {
    match error {
        HttpError::Timeout if hurried => Verdict::Nothing,
        HttpError::Connect(_) | HttpError::Timeout | HttpError::Protocol(_) => Verdict::Failure,
        HttpError::TooLarge { .. } => Verdict::Success,
        HttpError::Url(_) | HttpError::Header(_) | HttpError::Cancelled | HttpError::CircuitOpen { .. } => {
            Verdict::Nothing
        }
    }
}

/// A call under way. Dropped without a verdict, as by a panic, it has said nothing.
struct Pass {
    shared: Arc<Shared>,
    admission: Option<Admission>,
    hurried: bool,
}

/// A stream whose head was a success.
struct Head {
    shared: Arc<Shared>,
    admission: Admission,
    credit: Credit,
    hurried: bool,
}

impl Pass {
    fn enter(shared: &Arc<Shared>, request: &Request) -> Result<Self, HttpError> {
        let key = shared.key(request);
        let now = shared.timing.now();
        match shared.lock().admit(key, now) {
            Ok(admission) => Ok(Self {
                shared: shared.clone(),
                admission: Some(admission),
                hurried: request.hurried,
            }),
            Err(retry_after) => Err(HttpError::CircuitOpen { retry_after }),
        }
    }

    /// Notes the verdict; what came after a success that counted can still be taken back.
    fn settle(mut self, verdict: Verdict) -> Option<Head> {
        if verdict == Verdict::Nothing {
            return None;
        }
        let admission = self.admission.take()?;
        if verdict == Verdict::Failure {
            let now = self.shared.timing.now();
            self.shared.lock().failure(admission, None, now);
            return None;
        }
        let credit = self.shared.lock().success(admission)?;
        Some(Head {
            shared: self.shared.clone(),
            admission,
            credit,
            hurried: self.hurried,
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            let now = self.shared.timing.now();
            self.shared.lock().nothing(admission, now);
        }
    }
}

impl Head {
    fn broke_off(self) {
        let now = self.shared.timing.now();
        self.shared.lock().failure(self.admission, Some(self.credit), now);
    }
}

impl<T: fmt::Debug> fmt::Debug for Breaking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaking")
            .field("inner", &self.inner)
            .field("policy", &self.shared.policy)
            .field("circuits", &self.shared.lock().len())
            .finish_non_exhaustive()
    }
}
