//! What every [`Transport`] owes its callers, one function an obligation, each panicking where it is not kept.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken obligation is reported by a panic"
)]

mod answers;
mod cancelling;
mod circuits;
mod deadlines;
mod refusals;

use std::time::Duration;

use url::Url;

pub use self::answers::*;
pub use self::cancelling::*;
pub use self::circuits::*;
pub use self::deadlines::*;
pub use self::refusals::*;
use crate::{
    Answer, BreakerPolicy, Breaking, Cancel, Deadlines, Gate, HttpError, Method, Recorded, RejectedUrl,
    Request, StreamResponse, Transport, Trust,
};

/// A transport and the scripted upstream that it reaches.
pub struct Subject {
    /// The transport.
    pub transport: Box<dyn Transport>,
    /// The upstream's URL.
    pub upstream: Url,
    /// The requests that reached the upstream.
    pub requests: Box<dyn Fn() -> Vec<Recorded>>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("upstream", &self.upstream.as_str())
            .finish_non_exhaustive()
    }
}

/// Makes a subject whose upstream gives every request the same answer.
pub type Setup<'a> = &'a dyn Fn(Answer) -> Subject;

/// Short enough for a test, long enough for a busy machine to begin.
const SHORT: Duration = Duration::from_millis(150);

/// Runs every obligation of a transport.
pub fn transport(setup: Setup<'_>) {
    what_is_asked_arrives(setup);
    a_bad_status_is_an_answer(setup);
    a_redirect_is_not_followed(setup);
    an_answer_over_the_limit_is_refused(setup);
    pieces_are_read_as_they_come(setup);
    a_broken_body_is_no_whole_one(setup);
    a_silent_upstream_meets_the_first_byte_deadline(setup);
    a_silent_body_meets_the_idle_deadline(setup);
    a_trickling_body_meets_the_total_deadline(setup);
    comments_do_not_end_the_wait_for_an_event(setup);
    silence_does_not_prolong_the_wait_for_an_event(setup);
    a_wait_that_is_over_bounds_no_later_one(setup);
    a_cancelled_request_is_not_sent(setup);
    a_cancellation_ends_the_wait_for_the_head(setup);
    a_cancellation_ends_the_read_of_the_body(setup);
    a_cancellation_between_two_reads_ends_the_body(setup);
    a_cancellation_at_the_end_does_no_harm(setup);
    no_call_leaves_a_hook(setup);
    a_header_that_ends_its_line_is_not_sent(setup);
    a_url_with_credentials_is_not_called(setup);
    a_public_url_is_https_and_public_and_below_its_domain(setup);
    no_secret_is_shown(setup);
}

/// Runs every obligation of a [`crate::Breaking`] above the transport.
pub fn breaker(setup: Setup<'_>) {
    an_upstream_that_fails_in_a_row_is_left_alone(setup);
    an_upstream_that_is_silent_in_a_row_is_left_alone(setup);
    streams_that_break_off_in_a_row_open_the_circuit(setup);
    another_key_has_a_circuit_of_its_own(setup);
    an_upstream_in_order_is_never_left_alone(setup);
    cancelled_calls_open_no_circuit(setup);
}

impl Subject {
    fn request(&self, method: Method, target: &str) -> Request {
        let url = self.upstream.join(target).expect("a path");
        Request::new(method, url, Trust::Operator)
    }

    fn get(&self) -> Request {
        self.request(Method::Get, "/")
    }

    fn only_request(&self) -> Recorded {
        let mut requests = (self.requests)();
        assert_eq!(requests.len(), 1, "not one request but {requests:?}");
        requests.pop().expect("one request")
    }

    fn stream(&self, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        self.transport.stream(&self.get(), cancel)
    }

    fn breaking(self, policy: BreakerPolicy) -> Self {
        Self {
            transport: Box::new(Breaking::new(self.transport, policy)),
            ..self
        }
    }

    fn times_out(&self, deadlines: Deadlines) {
        let request = self.get().deadlines(deadlines);
        let whole = self.transport.send(&request);
        assert!(matches!(whole, Err(HttpError::Timeout)), "{whole:?}");
        let streamed = self.transport.stream(&request, &Cancel::new());
        let streamed = streamed.and_then(StreamResponse::whole);
        assert!(matches!(streamed, Err(HttpError::Timeout)), "{streamed:?}");
    }

    fn rejects(&self, request: &Request, expected: RejectedUrl) {
        match self.transport.send(request) {
            Err(HttpError::Url(rejected)) => assert_eq!(rejected, expected, "{}", request.url),
            other => panic!("{} was not rejected: {other:?}", request.url),
        }
        let streamed = self.transport.stream(request, &Cancel::new());
        assert!(
            matches!(streamed, Err(HttpError::Url(_))),
            "{} was streamed",
            request.url
        );
    }
}

fn raise_after(gate: &Gate, cancel: &Cancel) -> std::thread::JoinHandle<bool> {
    let (gate, cancel) = (gate.clone(), cancel.clone());
    std::thread::spawn(move || {
        let open = gate.wait(Duration::from_secs(20));
        cancel.cancel();
        open
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(|cause| format!("{cause} {cause:?}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::MemoryTransport;
    #[cfg(feature = "ureq")]
    use crate::{RetryPolicy, Retrying, StubServer, UreqTransport};

    fn in_memory<T: Transport + 'static>(
        wrap: impl Fn(Arc<MemoryTransport>) -> T,
    ) -> impl Fn(Answer) -> Subject {
        move |answer| {
            let memory = Arc::new(MemoryTransport::new(move |_| Ok(answer.clone())));
            Subject {
                transport: Box::new(wrap(memory.clone())),
                upstream: Url::parse("http://upstream.test/").unwrap(),
                requests: Box::new(move || memory.requests()),
            }
        }
    }

    #[cfg(feature = "ureq")]
    fn over_loopback<T: Transport + 'static>(
        wrap: impl Fn(UreqTransport) -> T,
    ) -> impl Fn(Answer) -> Subject {
        move |answer| {
            let server = StubServer::start(move |_| answer.clone());
            Subject {
                transport: Box::new(wrap(UreqTransport::new())),
                upstream: server.url("/"),
                requests: Box::new(move || server.requests()),
            }
        }
    }

    #[test]
    fn the_memory_transport_conforms() {
        transport(&in_memory(|transport| transport));
        breaker(&in_memory(|transport| transport));
    }

    #[test]
    fn a_breaking_memory_transport_conforms() {
        transport(&in_memory(|transport| {
            Breaking::new(transport, BreakerPolicy::default())
        }));
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn the_ureq_transport_conforms() {
        transport(&over_loopback(|transport| transport));
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn a_breaker_above_the_ureq_transport_conforms() {
        breaker(&over_loopback(|transport| transport));
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn a_retrying_and_breaking_transport_conforms() {
        let policy = RetryPolicy {
            statuses: &[],
            ..RetryPolicy::default()
        };
        transport(&over_loopback(|transport| {
            Retrying::new(Breaking::new(transport, BreakerPolicy::default()), policy)
        }));
    }
}
