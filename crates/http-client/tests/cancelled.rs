//! A thousand calls whose callers left: nothing of them stays. In a process of its own, whose threads and files it counts.
#![cfg(all(feature = "testing", feature = "ureq", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;
use std::time::{Duration, Instant};

use tenantry_http_client::{
    Answer, BreakerPolicy, Breaking, Cancel, Gate, HttpError, Method, Piece, Request, RetryPolicy, Retrying,
    StubServer, Transport, Trust, UreqTransport,
};

type Client = Retrying<Breaking<UreqTransport>>;

/// When the caller leaves.
#[derive(Debug, Clone, Copy)]
enum Leaving {
    BeforeItIsSent,
    BeforeTheHead,
    BetweenTwoReads,
    WhileReading,
    AtTheEnd,
}

const WHENS: [Leaving; 5] = [
    Leaving::BeforeItIsSent,
    Leaving::BeforeTheHead,
    Leaving::BetweenTwoReads,
    Leaving::WhileReading,
    Leaving::AtTheEnd,
];

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// The threads and the open files of this process.
fn held() -> (usize, usize) {
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

/// Answers by path: nothing, a byte and then nothing, or a whole stream.
fn upstream(reached: &Gate) -> StubServer {
    let reached = reached.clone();
    StubServer::unrecorded(move |request| {
        let reached = Piece::Open(reached.clone());
        let byte = Piece::Bytes(b"a".to_vec());
        match request.path() {
            "/silent" => Answer::new(200).before_head(reached).before_head(Piece::Hold),
            "/held" => Answer::new(200).pieces([byte, reached, Piece::Hold]),
            _ => Answer::events(["a"]),
        }
    })
}

fn leave(client: &Client, when: Leaving) {
    let reached = Gate::new();
    let server = upstream(&reached);
    let cancel = Cancel::new();
    let call = |path: &str| {
        let request = Request::new(Method::Get, server.url(path), Trust::Operator);
        client.stream(&request, &cancel)
    };
    let raise = || {
        assert!(
            reached.wait(Duration::from_secs(20)),
            "the upstream was not reached"
        );
        cancel.cancel();
    };
    let outcome = std::thread::scope(|scope| match when {
        Leaving::BeforeItIsSent => {
            cancel.cancel();
            call("/")
        }
        Leaving::BeforeTheHead => {
            scope.spawn(raise);
            call("/silent")
        }
        Leaving::BetweenTwoReads => {
            let mut answer = call("/held").unwrap();
            answer.body.read_exact(&mut [0]).unwrap();
            cancel.cancel();
            Ok(answer)
        }
        Leaving::WhileReading => {
            scope.spawn(raise);
            call("/held")
        }
        Leaving::AtTheEnd => {
            let mut answer = call("/").unwrap();
            answer.body.read_exact(&mut [0; 9]).unwrap();
            cancel.cancel();
            Ok(answer)
        }
    });
    let read = outcome.and_then(tenantry_http_client::StreamResponse::whole);
    assert!(matches!(read, Err(HttpError::Cancelled)), "{when:?}: {read:?}");
}

#[test]
fn a_thousand_callers_who_left_leave_nothing_behind() {
    let before = held();
    let transport = Breaking::new(UreqTransport::new(), BreakerPolicy::default());
    let client = Retrying::new(transport, RetryPolicy::default());
    for _ in 0..200 {
        for when in WHENS {
            leave(&client, when);
        }
    }
    // The upstream's threads end when they have seen their clients leave.
    let started = Instant::now();
    while held() != before && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(held(), before);
}
