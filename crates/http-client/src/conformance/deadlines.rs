use std::time::Duration;

use super::{SHORT, Setup};
use crate::{Answer, Cancel, Deadlines, Gate, HttpError, Piece, SseReader};

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

/// A stream that is kept alive by comments, or by an event that never ends, is given up when no event came in time.
pub fn comments_do_not_end_the_wait_for_an_event(setup: Setup<'_>) {
    for line in [
        ": keep-alive\n\n",
        ":\n",
        "\n",
        "event: ping\n",
        "id: 1\n",
        "data\r",
    ] {
        let every = SHORT / 10;
        let bytes = line.as_bytes().to_vec();
        let subject = setup(Answer::events(["a"]).pieces([Piece::Trickle { bytes, every }]));
        let mut events = SseReader::from(subject.stream(&Cancel::new()).expect("a head"));
        let next = events.next_within(SHORT * 2).expect("no end");
        assert!(matches!(next, Err(HttpError::Timeout)), "{line:?}: {next:?}");
        assert!(
            events.next_within(SHORT).is_none(),
            "a stream went on after its time"
        );
    }
}

/// A stream in which nothing comes is given up when no event came in time, though the idle deadline is not met.
pub fn silence_does_not_prolong_the_wait_for_an_event(setup: Setup<'_>) {
    let (given_up, late) = (Gate::new(), Gate::new());
    let pieces = [
        Piece::Bytes(b"data: late\n".to_vec()),
        Piece::Wait(late.clone()),
        Piece::Bytes(b"\n".to_vec()),
    ];
    let subject = setup(Answer::new(200).pieces(pieces));
    let mut events = SseReader::from(subject.stream(&Cancel::new()).expect("a head"));
    let next = std::thread::scope(|scope| {
        scope.spawn(|| {
            given_up.wait(Duration::from_secs(20));
            late.open();
        });
        let next = events.next_within(SHORT).expect("no end");
        given_up.open();
        next
    });
    assert!(matches!(next, Err(HttpError::Timeout)), "{next:?}");
}

/// The wait for one event bounds neither the next wait nor a read without one.
pub fn a_wait_that_is_over_bounds_no_later_one(setup: Setup<'_>) {
    let event = |data: &str| Piece::Bytes(format!("data: {data}\n\n").into_bytes());
    let long = SHORT * 100;
    let pieces = [
        event("a"),
        Piece::Pause(SHORT),
        event("b"),
        Piece::Pause(SHORT),
        event("c"),
    ];
    let subject = setup(Answer::new(200).pieces(pieces));
    let mut events = SseReader::from(subject.stream(&Cancel::new()).expect("a head"));
    let check = |next: Option<Result<crate::SseEvent, HttpError>>, data: &str| {
        assert_eq!(next.expect("no end").expect("an event").data, data);
    };
    check(events.next_within(long), "a");
    check(events.next(), "b");
    check(events.next_within(long), "c");
    assert!(events.next_within(long).is_none());
}
