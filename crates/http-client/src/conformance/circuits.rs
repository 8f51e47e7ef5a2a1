use secrecy::SecretString;

use super::{SHORT, Setup, Subject};
use crate::{Answer, BreakerPolicy, Cancel, Deadlines, HttpError, Piece, Request, StreamResponse};

/// Opens at the third failure, for longer than a test takes.
fn breaking(setup: Setup<'_>, answer: Answer) -> Subject {
    let policy = BreakerPolicy {
        failures: 3,
        cool_down: SHORT * 10_000,
        longest_cool_down: SHORT * 10_000,
        ..BreakerPolicy::default()
    };
    setup(answer).breaking(policy)
}

impl Subject {
    fn is_left_alone(&self, request: &Request) {
        let asked = (self.requests)().len();
        let sent = self.transport.send(request);
        assert!(matches!(sent, Err(HttpError::CircuitOpen { .. })), "{sent:?}");
        let streamed = self.transport.stream(request, &Cancel::new());
        assert!(
            matches!(streamed, Err(HttpError::CircuitOpen { .. })),
            "{streamed:?}"
        );
        assert_eq!((self.requests)().len(), asked, "an open circuit sent something");
    }
}

/// Once it has failed several times in a row, an upstream is not asked again.
pub fn an_upstream_that_fails_in_a_row_is_left_alone(setup: Setup<'_>) {
    let broken = [
        Answer::new(401),
        Answer::new(403),
        Answer::new(502),
        Answer::new(503),
        Answer::new(504),
        Answer::raw("this is not http\r\n\r\n"),
        Answer::new(200).before_head(Piece::Break),
    ];
    for answer in broken {
        let subject = breaking(setup, answer);
        drop(subject.transport.send(&subject.get()));
        drop(subject.stream(&Cancel::new()));
        drop(subject.transport.send(&subject.get()));
        subject.is_left_alone(&subject.get());
    }
}

/// Nor is one that does not answer in time.
pub fn an_upstream_that_is_silent_in_a_row_is_left_alone(setup: Setup<'_>) {
    let subject = breaking(setup, Answer::new(200).before_head(Piece::Hold));
    let deadlines = Deadlines {
        first_byte: SHORT,
        ..Deadlines::default()
    };
    let request = subject.get().deadlines(deadlines);
    for _ in 0..3 {
        assert!(matches!(
            subject.transport.send(&request),
            Err(HttpError::Timeout)
        ));
    }
    subject.is_left_alone(&request);
}

/// Nor one whose streams begin well and break off.
pub fn streams_that_break_off_in_a_row_open_the_circuit(setup: Setup<'_>) {
    let pieces = [Piece::Bytes(b"a".to_vec()), Piece::Break];
    let subject = breaking(setup, Answer::new(200).pieces(pieces));
    for _ in 0..3 {
        let body = subject.stream(&Cancel::new()).expect("a head").whole();
        assert!(matches!(body, Err(HttpError::Protocol(_))), "{body:?}");
    }
    subject.is_left_alone(&subject.get());
}

/// A key that is refused slows no call with another key.
pub fn another_key_has_a_circuit_of_its_own(setup: Setup<'_>) {
    let subject = breaking(setup, Answer::new(401));
    let with = |key: &str| {
        let key = SecretString::from(key.to_owned());
        subject.get().secret_header("authorization", "Bearer ", key)
    };
    for _ in 0..3 {
        drop(subject.transport.send(&with("bad")));
    }
    subject.is_left_alone(&with("bad"));
    for other in [with("other"), subject.get()] {
        assert!(subject.transport.send(&other).is_ok(), "another key was slowed");
    }
}

/// What an upstream in order may say keeps its circuit closed.
pub fn an_upstream_in_order_is_never_left_alone(setup: Setup<'_>) {
    for status in [200, 302, 400, 404, 429] {
        let subject = breaking(setup, Answer::new(status).body("said"));
        for _ in 0..8 {
            assert_eq!(
                subject.transport.send(&subject.get()).expect("an answer").status,
                status
            );
            let small = subject.get().max_answer(1);
            let streamed = subject.transport.stream(&small, &Cancel::new());
            let streamed = streamed.and_then(StreamResponse::whole);
            assert!(
                matches!(streamed, Err(HttpError::TooLarge { .. })),
                "{streamed:?}"
            );
        }
    }
}

/// Whoever leaves holds nothing against the upstream.
pub fn cancelled_calls_open_no_circuit(setup: Setup<'_>) {
    let pieces = [Piece::Bytes(b"a".to_vec()), Piece::Hold];
    let subject = breaking(setup, Answer::new(200).pieces(pieces));
    for _ in 0..8 {
        let cancel = Cancel::new();
        let answer = subject.stream(&cancel).expect("a head");
        cancel.cancel();
        assert!(matches!(answer.whole(), Err(HttpError::Cancelled)));
    }
}
