use std::fmt;
use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

use crate::headers::retry_after;
use crate::{Cancel, Deadlines, HttpError, Request, Response, StreamResponse, Transport};

/// When a request is sent again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often at most, after the first time.
    pub max_retries: u32,
    /// The statuses that a later attempt may not meet again.
    pub statuses: &'static [u16],
    /// The shortest pause.
    pub shortest_pause: Duration,
    /// The longest pause, unless the upstream asks for a longer one.
    pub longest_pause: Duration,
    /// The longest pause that an upstream may ask for; whoever asks for more is not asked again.
    pub longest_retry_after: Duration,
    /// Whether an answer with such a status leaves any hope, which its body may deny.
    pub leaves_hope: fn(&Response) -> bool,
}

impl Default for RetryPolicy {
    /// Two retries on 429, 502, 503 and 504; pauses of 0.5 s to 8 s, or as long as the upstream asks, up to 20 s.
    fn default() -> Self {
        Self {
            max_retries: 2,
            statuses: &[429, 502, 503, 504],
            shortest_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_retry_after: Duration::from_secs(20),
            leaves_hope: |_| true,
        }
    }
}

/// How [`Retrying`] waits and rolls its dice, so that tests need neither time nor luck.
pub trait Pacing: Send + Sync {
    /// Waits for `pause`, or less when `cancel` is raised.
    fn wait(&self, pause: Duration, cancel: &Cancel);

    /// A number between 0 and 1.
    fn random(&self) -> f64;
}

/// Waits on the thread and takes randomness from the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemPacing;

impl Pacing for SystemPacing {
    fn wait(&self, pause: Duration, cancel: &Cancel) {
        cancel.wait(pause);
    }

    fn random(&self) -> f64 {
        // Without randomness every client would wait the same time, which is no reason to fail.
        getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
    }
}

/// Sends idempotent requests again when the connection failed or the upstream was busy, after a pause with
/// decorrelated jitter or the one that the upstream asks for, all within the request's total deadline, and for a stream
/// within the one of its first byte. Nothing is sent again once the head of a good answer is there.
pub struct Retrying<T> {
    inner: T,
    policy: RetryPolicy,
    pacing: Box<dyn Pacing>,
}

/// How much of a streamed refusal is read to see whether it leaves hope.
const REFUSAL: u64 = 64 << 10;

impl<T: Transport> Retrying<T> {
    /// Sends through `inner`.
    pub fn new(inner: T, policy: RetryPolicy) -> Self {
        Self::paced(inner, policy, SystemPacing)
    }

    /// Sends through `inner`, waiting as `pacing` says.
    pub fn paced(inner: T, policy: RetryPolicy, pacing: impl Pacing + 'static) -> Self {
        Self {
            inner,
            policy,
            pacing: Box::new(pacing),
        }
    }

    fn attempts(&self, request: &Request, within: Duration) -> Attempts<'_> {
        Attempts {
            policy: &self.policy,
            pacing: self.pacing.as_ref(),
            started: Instant::now(),
            within,
            left: if request.idempotent {
                self.policy.max_retries
            } else {
                0
            },
            previous: self.policy.shortest_pause,
        }
    }

    /// Reads the start of a refusal for `at_most`, decides, and gives it back unread where it stands.
    fn hopeless(&self, answer: StreamResponse, at_most: Duration) -> Result<StreamResponse, StreamResponse> {
        let StreamResponse {
            status,
            headers,
            mut body,
            patience,
        } = answer;
        let mut start = Vec::new();
        // A refusal that breaks off says what it said so far.
        patience.limit(at_most);
        drop(body.by_ref().take(REFUSAL).read_to_end(&mut start));
        patience.lift();
        let known = Response {
            status,
            headers: headers.clone(),
            body: start.clone(),
        };
        let whole = StreamResponse {
            status,
            headers,
            body: Box::new(Cursor::new(start).chain(body)),
            patience,
        };
        if (self.policy.leaves_hope)(&known) {
            Err(whole)
        } else {
            Ok(whole)
        }
    }
}

impl<T: Transport> Transport for Retrying<T> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut attempts = self.attempts(request, request.deadlines.total);
        let mut again = None;
        loop {
            let answer = self.inner.send(again.as_ref().unwrap_or(request));
            let asked = match &answer {
                Ok(answer) if !attempts.may_follow(answer.status) || !(self.policy.leaves_hope)(answer) => {
                    None
                }
                Ok(answer) => Some(retry_after(&answer.headers)),
                Err(HttpError::Connect(_)) => Some(None),
                Err(_) => None,
            };
            let Some(asked) = asked else { return answer };
            let Some(passed) = attempts.wait(asked, &Cancel::new()) else {
                return answer;
            };
            again = Some(shortened(request, passed, Duration::ZERO));
        }
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        let Deadlines {
            first_byte, total, ..
        } = request.deadlines;
        let mut attempts = self.attempts(request, first_byte.min(total));
        let mut again = None;
        loop {
            let (asked, answer) = match self.inner.stream(again.as_ref().unwrap_or(request), cancel) {
                Ok(answer) if attempts.may_follow(answer.status) => match self.hopeless(answer, first_byte) {
                    Ok(answer) => return Ok(answer),
                    Err(answer) => (retry_after(&answer.headers), Ok(answer)),
                },
                Err(HttpError::Connect(cause)) => (None, Err(HttpError::Connect(cause))),
                answer => return answer,
            };
            let Some(passed) = attempts.wait(asked, cancel) else {
                return answer;
            };
            if cancel.is_cancelled() {
                return Err(HttpError::Cancelled);
            }
            again = Some(shortened(request, passed, passed));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Retrying<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// `request` with what is left of its deadlines.
fn shortened(request: &Request, of_total: Duration, of_first_byte: Duration) -> Request {
    let Deadlines {
        first_byte, total, ..
    } = request.deadlines;
    let deadlines = Deadlines {
        first_byte: first_byte.saturating_sub(of_first_byte),
        total: total.saturating_sub(of_total),
        ..request.deadlines
    };
    request.clone().deadlines(deadlines)
}

struct Attempts<'a> {
    policy: &'a RetryPolicy,
    pacing: &'a dyn Pacing,
    started: Instant,
    within: Duration,
    left: u32,
    previous: Duration,
}

impl Attempts<'_> {
    fn may_follow(&self, status: u16) -> bool {
        self.left > 0 && self.policy.statuses.contains(&status)
    }

    /// Waits before the next attempt and gives the time that has passed before it; `None` when there is to be none.
    fn wait(&mut self, asked: Option<Duration>, cancel: &Cancel) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let pause = match asked {
            Some(asked) if asked > self.policy.longest_retry_after => return None,
            Some(asked) => asked,
            None => self.jitter(),
        };
        self.within
            .checked_sub(self.started.elapsed())?
            .checked_sub(pause)
            .filter(|left| !left.is_zero())?;
        self.pacing.wait(pause, cancel);
        Some(self.started.elapsed())
    }

    /// Between the shortest pause and three times the last one ("Exponential Backoff And Jitter", AWS Architecture
    /// Blog, 2015).
    fn jitter(&mut self) -> Duration {
        let shortest = self.policy.shortest_pause;
        let span = self.previous.saturating_mul(3).saturating_sub(shortest);
        let pause = shortest + span.mul_f64(self.pacing.random().clamp(0.0, 1.0));
        self.previous = pause.min(self.policy.longest_pause);
        self.previous
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use url::Url;

    use super::*;
    use crate::{Answer, MemoryTransport, Method, Piece, Trust};

    /// Notes the pauses instead of making them; may raise the signal in the middle of one.
    #[derive(Clone, Default)]
    struct Pauses {
        made: Arc<Mutex<Vec<Duration>>>,
        cancels: bool,
    }

    impl Pacing for Pauses {
        fn wait(&self, pause: Duration, cancel: &Cancel) {
            self.made.lock().unwrap().push(pause);
            if self.cancels {
                cancel.cancel();
            }
        }

        fn random(&self) -> f64 {
            1.0
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a step of a script")]
    fn refused(status: u16) -> Result<Answer, HttpError> {
        Ok(Answer::new(status))
    }

    fn unreachable() -> Result<Answer, HttpError> {
        Err(HttpError::Connect("scripted".into()))
    }

    fn request() -> Request {
        let url = Url::parse("http://upstream.test/").unwrap();
        Request::new(Method::Post, url, Trust::Operator).idempotent()
    }

    /// Sends `request` to what answers so; gives the outcome, how often it was sent, and the pauses in between.
    fn check<const N: usize>(
        request: &Request,
        answers: [Result<Answer, HttpError>; N],
    ) -> (Result<u16, HttpError>, usize, Vec<u128>) {
        let pauses = Pauses::default();
        let transport = Retrying::paced(
            MemoryTransport::queue(answers),
            RetryPolicy::default(),
            pauses.clone(),
        );
        let answer = transport.send(request).map(|answer| answer.status);
        let made = pauses
            .made
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect();
        (answer, transport.inner.requests().len(), made)
    }

    #[test]
    fn a_busy_upstream_is_asked_three_times_at_most() {
        let (answer, sent, pauses) = check(
            &request(),
            [refused(503), unreachable(), refused(429), refused(200)],
        );
        assert_eq!((answer.unwrap(), sent, pauses), (429, 3, vec![1500, 4500]));
    }

    #[test]
    fn a_good_answer_ends_the_attempts() {
        let (answer, sent, _) = check(&request(), [refused(502), refused(200), refused(500)]);
        assert_eq!((answer.unwrap(), sent), (200, 2));
    }

    #[test]
    fn only_what_a_moment_can_heal_is_sent_again() {
        for status in [301, 400, 401, 404, 408, 409, 500, 501] {
            assert_eq!(
                check(&request(), [refused(status), refused(200)]).1,
                1,
                "{status}"
            );
        }
        let (answer, sent, _) = check(&request(), [Err(HttpError::Timeout), refused(200)]);
        assert!(matches!(answer, Err(HttpError::Timeout)) && sent == 1);
    }

    #[test]
    fn what_is_not_idempotent_is_sent_once() {
        let request = Request {
            idempotent: false,
            ..request()
        };
        assert_eq!(check(&request, [refused(503), refused(200)]).1, 1);
        assert_eq!(check(&request, [unreachable(), refused(200)]).1, 1);
    }

    #[test]
    fn the_upstream_names_the_pause_up_to_the_cap() {
        let asking = |seconds: &str| Ok(Answer::new(429).header("retry-after", seconds));
        assert_eq!(check(&request(), [asking("20"), refused(200)]).2, [20_000]);
        let (answer, sent, pauses) = check(&request(), [asking("21"), refused(200)]);
        assert_eq!((answer.unwrap(), sent, pauses.len()), (429, 1, 0));
    }

    #[test]
    fn the_total_deadline_covers_the_pauses() {
        let hurried = request().deadlines(Deadlines {
            total: Duration::from_secs(5),
            ..Deadlines::default()
        });
        let slow = Ok(Answer::new(503).header("retry-after", "6"));
        let (answer, sent, pauses) = check(&hurried, [slow, refused(200)]);
        assert_eq!((answer.unwrap(), sent, pauses.len()), (503, 1, 0));
    }

    #[test]
    fn an_answer_without_hope_is_final_and_still_readable() {
        let policy = RetryPolicy {
            leaves_hope: |answer| !answer.body.starts_with(b"quota"),
            ..RetryPolicy::default()
        };
        let quota = || Ok(Answer::new(429).body("quota used up"));
        let upstream = MemoryTransport::queue([quota(), quota()]);
        let transport = Retrying::paced(upstream, policy, Pauses::default());
        assert_eq!(transport.send(&request()).unwrap().body, b"quota used up");
        let mut text = String::new();
        let mut answer = transport.stream(&request(), &Cancel::new()).unwrap();
        answer.body.read_to_string(&mut text).unwrap();
        assert_eq!(
            (text.as_str(), transport.inner.requests().len()),
            ("quota used up", 2)
        );
    }

    #[test]
    fn a_stream_is_retried_before_its_first_byte_and_never_after() {
        let broken = Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Break]);
        let upstream = MemoryTransport::queue([refused(503), unreachable(), Ok(broken), refused(200)]);
        let transport = Retrying::paced(upstream, RetryPolicy::default(), Pauses::default());
        let mut answer = transport.stream(&request(), &Cancel::new()).unwrap();
        let mut text = String::new();
        assert!(answer.body.read_to_string(&mut text).is_err());
        assert_eq!(transport.inner.requests().len(), 3);
    }

    #[test]
    fn a_stream_is_retried_within_the_deadline_of_its_first_byte() {
        let asking = || Ok(Answer::new(503).header("retry-after", "5"));
        let check = |first_byte: u64, expected: usize| {
            let upstream = MemoryTransport::queue([asking(), refused(200)]);
            let transport = Retrying::paced(upstream, RetryPolicy::default(), Pauses::default());
            let deadlines = Deadlines {
                first_byte: Duration::from_secs(first_byte),
                ..Deadlines::default()
            };
            let request = request().deadlines(deadlines);
            transport.stream(&request, &Cancel::new()).unwrap();
            assert_eq!(transport.inner.requests().len(), expected);
        };
        check(4, 1);
        check(30, 2);
    }

    #[test]
    fn a_cancellation_ends_the_pause() {
        let pauses = Pauses {
            cancels: true,
            ..Pauses::default()
        };
        let upstream = MemoryTransport::queue([refused(503), refused(200)]);
        let transport = Retrying::paced(upstream, RetryPolicy::default(), pauses);
        let answer = transport.stream(&request(), &Cancel::new());
        assert!(matches!(answer, Err(HttpError::Cancelled)));
        assert_eq!(transport.inner.requests().len(), 1);
    }

    #[test]
    fn the_longest_pause_bounds_the_jitter() {
        let policy = RetryPolicy {
            max_retries: 5,
            ..RetryPolicy::default()
        };
        let pauses = Pauses::default();
        let upstream = MemoryTransport::new(|_| refused(503));
        drop(Retrying::paced(upstream, policy, pauses.clone()).send(&request()));
        let made = pauses
            .made
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect::<Vec<_>>();
        assert_eq!(made, [1500, 4500, 8000, 8000, 8000]);
    }
}
