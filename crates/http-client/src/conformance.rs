//! What every [`Transport`] owes its callers, one function an obligation, each panicking where it is not kept.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken obligation is reported by a panic"
)]

use std::io::Read;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::{
    Answer, Cancel, Deadlines, Gate, HttpError, Method, Piece, Recorded, RejectedUrl, Request, Transport,
    Trust,
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

/// Runs every obligation.
pub fn transport(setup: Setup<'_>) {
    what_is_asked_arrives(setup);
    a_bad_status_is_an_answer(setup);
    a_redirect_is_not_followed(setup);
    an_answer_over_the_limit_is_refused(setup);
    a_silent_upstream_meets_the_first_byte_deadline(setup);
    a_silent_body_meets_the_idle_deadline(setup);
    a_trickling_body_meets_the_total_deadline(setup);
    pieces_are_read_as_they_come(setup);
    a_broken_body_is_no_whole_one(setup);
    a_cancelled_request_is_not_sent(setup);
    a_cancellation_ends_the_wait_for_the_head(setup);
    a_cancellation_ends_the_read_of_the_body(setup);
    a_header_that_ends_its_line_is_not_sent(setup);
    a_url_with_credentials_is_not_called(setup);
    a_public_url_is_https_and_public_and_below_its_domain(setup);
    no_secret_is_shown(setup);
}

/// Method, path, query, headers and body arrive as they were given.
pub fn what_is_asked_arrives(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).header("x-answer", "yes").body("done"));
    let request = subject
        .request(Method::Post, "/path/a%20b?x=1&y=%2F")
        .header("x-plain", "a b");
    let request = request.secret_header("authorization", "Bearer ", SecretString::from("key".to_owned()));
    let request = request.json(&serde_json::json!({"a": [1, "é"]})).expect("json");
    let answer = subject.transport.send(&request).expect("an answer");
    assert_eq!(
        (answer.status, answer.header("x-answer"), answer.body.as_slice()),
        (200, Some("yes"), &b"done"[..])
    );
    let recorded = subject.only_request();
    assert_eq!(
        (recorded.method.as_str(), recorded.target.as_str()),
        ("POST", "/path/a%20b?x=1&y=%2F")
    );
    assert_eq!(recorded.header("x-plain"), Some("a b"));
    assert_eq!(recorded.header("authorization"), Some("Bearer key"));
    assert_eq!(recorded.header("content-type"), Some("application/json"));
    assert_eq!(recorded.json(), serde_json::json!({"a": [1, "é"]}));
}

/// Whatever its status, an answer is an answer, with its body.
pub fn a_bad_status_is_an_answer(setup: Setup<'_>) {
    for status in [201, 400, 401, 404, 429, 500, 503] {
        let subject = setup(Answer::new(status).body("why"));
        let answer = subject.transport.send(&subject.get()).expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (status, &b"why"[..]));
        let answer = subject
            .transport
            .stream(&subject.get(), &Cancel::new())
            .expect("an answer");
        assert_eq!(answer.whole().expect("a body").body, b"why");
    }
}

/// A redirect is an answer; nobody is asked at its target.
pub fn a_redirect_is_not_followed(setup: Setup<'_>) {
    for status in [301, 302, 303, 307, 308] {
        let subject = setup(Answer::new(status).header("location", "/target"));
        let answer = subject.transport.send(&subject.get()).expect("an answer");
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, Some("/target"))
        );
        assert!(!answer.is_success());
        assert_eq!(subject.only_request().path(), "/");
    }
}

/// An answer of exactly the limit is given, one more byte is not, whether its length is told before or not.
pub fn an_answer_over_the_limit_is_refused(setup: Setup<'_>) {
    let body = vec![b'x'; 1000];
    let pieced = Answer::new(200).pieces(body.chunks(300).map(|piece| Piece::Bytes(piece.to_vec())));
    for answer in [Answer::new(200).body(body), pieced] {
        let subject = setup(answer);
        let outcome = |limit| subject.transport.send(&subject.get().max_answer(limit));
        assert_eq!(outcome(1000).expect("an answer").body.len(), 1000);
        assert!(matches!(outcome(999), Err(HttpError::TooLarge { limit: 999 })));
        let streamed = subject
            .transport
            .stream(&subject.get().max_answer(999), &Cancel::new());
        assert!(matches!(
            streamed.and_then(crate::StreamResponse::whole),
            Err(HttpError::TooLarge { limit: 999 })
        ));
    }
}

/// An upstream that does not begin to answer is given up at the first byte's deadline.
pub fn a_silent_upstream_meets_the_first_byte_deadline(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).before_head(Piece::Hold));
    let deadlines = Deadlines {
        first_byte: SHORT,
        ..Deadlines::default()
    };
    subject.times_out(deadlines);
}

/// A body in which nothing comes for too long is given up, however much time is left in total.
pub fn a_silent_body_meets_the_idle_deadline(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Hold]));
    let deadlines = Deadlines {
        idle: SHORT,
        ..Deadlines::default()
    };
    subject.times_out(deadlines);
}

/// A body that never ends is given up at the total deadline, however lively it is.
pub fn a_trickling_body_meets_the_total_deadline(setup: Setup<'_>) {
    let trickle = Piece::Trickle {
        bytes: b"a".to_vec(),
        every: SHORT / 30,
    };
    let subject = setup(Answer::new(200).pieces([trickle]));
    let deadlines = Deadlines {
        total: SHORT * 2,
        ..Deadlines::default()
    };
    subject.times_out(deadlines);
}

/// What has come can be read before the rest is sent.
pub fn pieces_are_read_as_they_come(setup: Setup<'_>) {
    let read = Gate::new();
    let pieces = [
        Piece::Bytes(b"first".to_vec()),
        Piece::Wait(read.clone()),
        Piece::Bytes(b"second".to_vec()),
    ];
    let subject = setup(Answer::new(200).pieces(pieces));
    let mut answer = subject
        .transport
        .stream(&subject.get(), &Cancel::new())
        .expect("a head");
    let mut first = [0; 5];
    answer.body.read_exact(&mut first).expect("the first piece");
    assert_eq!(&first, b"first");
    read.open();
    assert_eq!(answer.whole().expect("the rest").body, b"second");
}

/// A body that ends too early is an error, not a short body.
pub fn a_broken_body_is_no_whole_one(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).pieces([Piece::Bytes(b"half".to_vec()), Piece::Break]));
    assert!(matches!(
        subject.transport.send(&subject.get()),
        Err(HttpError::Protocol(_))
    ));
    let answer = subject
        .transport
        .stream(&subject.get(), &Cancel::new())
        .expect("a head");
    assert!(matches!(answer.whole(), Err(HttpError::Protocol(_))));
}

/// Nothing is sent once the signal was raised.
pub fn a_cancelled_request_is_not_sent(setup: Setup<'_>) {
    let subject = setup(Answer::new(200));
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = subject.transport.stream(&subject.get(), &cancel);
    assert!(matches!(answer, Err(HttpError::Cancelled)));
    assert_eq!((subject.requests)().len(), 0);
}

/// A signal ends the wait for the head of the answer.
pub fn a_cancellation_ends_the_wait_for_the_head(setup: Setup<'_>) {
    let asked = Gate::new();
    let held = Answer::new(200)
        .before_head(Piece::Open(asked.clone()))
        .before_head(Piece::Hold);
    let subject = setup(held);
    let cancel = Cancel::new();
    let raised = raise_after(&asked, &cancel);
    let answer = subject.transport.stream(&subject.get(), &cancel);
    assert!(matches!(answer, Err(HttpError::Cancelled)), "{answer:?}");
    assert!(raised.join().expect("a thread"), "the upstream was not asked");
}

/// A signal ends a read of the body that waits for more.
pub fn a_cancellation_ends_the_read_of_the_body(setup: Setup<'_>) {
    let reading = Gate::new();
    let pieces = [
        Piece::Bytes(b"a".to_vec()),
        Piece::Open(reading.clone()),
        Piece::Hold,
    ];
    let subject = setup(Answer::new(200).pieces(pieces));
    let cancel = Cancel::new();
    let raised = raise_after(&reading, &cancel);
    let answer = subject.transport.stream(&subject.get(), &cancel).expect("a head");
    let body = answer.whole();
    assert!(matches!(body, Err(HttpError::Cancelled)), "{body:?}");
    assert!(raised.join().expect("a thread"), "the body was not begun");
}

/// A header whose value could end its line, or has a stray blank around it, is not sent, and the error names the
/// header alone.
pub fn a_header_that_ends_its_line_is_not_sent(setup: Setup<'_>) {
    let subject = setup(Answer::new(200));
    for value in ["a\r\nx-evil: 1", "a\n", "a\0", "\ra", "é", " a", "a\t"] {
        let plain = subject.get().header("x-plain", value);
        let secret = subject
            .get()
            .secret_header("x-secret", "Bearer ", SecretString::from(value.to_owned()));
        let check = |request: &Request, name: &str| {
            let answer = subject.transport.send(request);
            assert!(
                matches!(answer, Err(HttpError::Header(header)) if header == name),
                "{value:?}: {answer:?}"
            );
        };
        check(&plain, "x-plain");
        if value.trim_start() == value {
            check(&secret, "x-secret");
        }
    }
    assert_eq!((subject.requests)().len(), 0);
}

/// A URL with a user name or a password is not called.
pub fn a_url_with_credentials_is_not_called(setup: Setup<'_>) {
    let subject = setup(Answer::new(200));
    let mut url = subject.upstream.clone();
    url.set_username("somebody").expect("an http url");
    subject.rejects(
        &Request::new(Method::Get, url, Trust::Operator),
        RejectedUrl::Credentials,
    );
}

/// Under public trust `http`, private addresses and hosts outside the domain are not called, however they are
/// written.
pub fn a_public_url_is_https_and_public_and_below_its_domain(setup: Setup<'_>) {
    let subject = setup(Answer::new(200));
    let port = subject.upstream.port_or_known_default().unwrap_or_default();
    let check = |domain: Option<&str>, url: &str, expected: RejectedUrl| {
        let url = Url::parse(url).expect("a url");
        let trust = Trust::Public {
            domain: domain.map(str::to_owned),
        };
        subject.rejects(&Request::new(Method::Get, url, trust), expected);
    };
    check(None, subject.upstream.as_str(), RejectedUrl::NotHttps);
    for host in [
        "127.0.0.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        check(None, &format!("https://{host}:{port}/"), RejectedUrl::NotPublic);
    }
    for host in [
        "evilpinecone.io",
        "pinecone.io.evil.com",
        "PINECONE.IO.evil.com.",
        "127.0.0.1",
    ] {
        check(
            Some("pinecone.io"),
            &format!("https://{host}:{port}/"),
            RejectedUrl::ForeignHost,
        );
    }
    assert_eq!((subject.requests)().len(), 0);
}

/// A secret that was sent stands in no `Debug` and in no error's chain.
pub fn no_secret_is_shown(setup: Setup<'_>) {
    const SECRET: &str = "sk-marker-5f1c";
    let check = |shown: String| assert!(!shown.contains(SECRET), "a secret is shown: {shown}");
    let breaking = Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Break]);
    for answer in [
        Answer::new(200),
        Answer::raw(format!("{SECRET}\r\n\r\n")),
        breaking,
    ] {
        let subject = setup(answer);
        let request = subject
            .get()
            .secret_header("api-key", "", SecretString::from(SECRET.to_owned()));
        let request = request.secret_header("x-broken", "\n", SecretString::from(SECRET.to_owned()));
        check(format!("{request:?} {:?}", request.headers));
        check(chain(&subject.transport.send(&request).expect_err("a newline")));
        let request = Request {
            headers: request.headers.into_iter().take(1).collect(),
            ..subject.get()
        };
        match subject.transport.send(&request) {
            Ok(answer) => check(format!("{answer:?}")),
            Err(error) => check(chain(&error)),
        }
        assert_eq!(subject.only_request().header("api-key"), Some(SECRET));
        check(format!("{:?}", subject.only_request()));
    }
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

    fn times_out(&self, deadlines: Deadlines) {
        let request = self.get().deadlines(deadlines);
        let whole = self.transport.send(&request);
        assert!(matches!(whole, Err(HttpError::Timeout)), "{whole:?}");
        let streamed = self.transport.stream(&request, &Cancel::new());
        let streamed = streamed.and_then(crate::StreamResponse::whole);
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

    #[test]
    fn the_memory_transport_conforms() {
        transport(&|answer| {
            let memory = Arc::new(MemoryTransport::new(move |_| Ok(answer.clone())));
            let requests = memory.clone();
            Subject {
                transport: Box::new(memory),
                upstream: Url::parse("http://upstream.test/").unwrap(),
                requests: Box::new(move || requests.requests()),
            }
        });
    }

    #[cfg(feature = "ureq")]
    fn over_loopback<T: Transport + 'static>(wrap: impl Fn(UreqTransport) -> T) {
        transport(&|answer| {
            let server = StubServer::start(move |_| answer.clone());
            Subject {
                transport: Box::new(wrap(UreqTransport::new())),
                upstream: server.url("/"),
                requests: Box::new(move || server.requests()),
            }
        });
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn the_ureq_transport_conforms() {
        over_loopback(|transport| transport);
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn a_retrying_transport_conforms() {
        over_loopback(|transport| {
            Retrying::new(
                transport,
                RetryPolicy {
                    statuses: &[],
                    ..RetryPolicy::default()
                },
            )
        });
    }
}
