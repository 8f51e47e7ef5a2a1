use std::io::Read;

use super::{Setup, raise_after};
use crate::{Answer, Cancel, Gate, HttpError, Piece, StreamResponse};

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

/// A signal that is raised while nobody reads ends the body, also where more of it has come already.
pub fn a_cancellation_between_two_reads_ends_the_body(setup: Setup<'_>) {
    for after in [
        Piece::Bytes(b"b".to_vec()),
        Piece::Hold,
        Piece::Pause(std::time::Duration::ZERO),
    ] {
        let subject = setup(Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), after]));
        let cancel = Cancel::new();
        let mut answer = subject.stream(&cancel).expect("a head");
        answer.body.read_exact(&mut [0]).expect("the first byte");
        cancel.cancel();
        let rest = answer.whole();
        assert!(matches!(rest, Err(HttpError::Cancelled)), "{rest:?}");
    }
}

/// A signal that is raised when the body has ended ends nothing, now or later.
pub fn a_cancellation_at_the_end_does_no_harm(setup: Setup<'_>) {
    let subject = setup(Answer::events(["a"]));
    for _ in 0..3 {
        let cancel = Cancel::new();
        let mut answer = subject.stream(&cancel).expect("a head");
        let mut text = String::new();
        answer.body.read_to_string(&mut text).expect("a body");
        cancel.cancel();
        assert_eq!(text, "data: a\n\n");
        drop(answer);
        assert_eq!(cancel.watches(), 0);
    }
}

/// Whether a call ends well, is refused, breaks off, is dropped or cancelled: the signal that outlives it keeps no hook of
/// it.
pub fn no_call_leaves_a_hook(setup: Setup<'_>) {
    let breaking = Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Break]);
    for answer in [
        Answer::events(["a"]),
        Answer::new(503),
        Answer::raw("x"),
        breaking,
    ] {
        let subject = setup(answer);
        let cancel = Cancel::new();
        for _ in 0..10 {
            drop(subject.stream(&cancel).and_then(StreamResponse::whole));
            assert_eq!(cancel.watches(), 0);
            drop(subject.stream(&cancel));
            assert_eq!(cancel.watches(), 0);
        }
    }
    let subject = setup(Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Hold]));
    let cancel = Cancel::new();
    let answers = (0..10)
        .map(|_| subject.stream(&cancel).expect("a head"))
        .collect::<Vec<_>>();
    cancel.cancel();
    assert_eq!(cancel.watches(), 0);
    for answer in answers {
        assert!(matches!(answer.whole(), Err(HttpError::Cancelled)));
    }
    assert_eq!(cancel.watches(), 0);
}
