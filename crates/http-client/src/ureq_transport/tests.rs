//! What only the real transport can show.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::{
    Answer, Cancel, Deadlines, Gate, HttpError, Method, Piece, Request, SseReader, StubServer, Transport,
    Trust, UreqTransport,
};

fn get(server: &StubServer, target: &str) -> Request {
    Request::new(Method::Get, server.url(target), Trust::Operator)
}

#[test]
fn a_redirect_to_another_host_never_sees_the_key() {
    let thief = StubServer::start(|_| Answer::new(200));
    let target = thief.url("/steal").to_string();
    let server = StubServer::start(move |_| Answer::new(302).header("location", target.clone()));
    let key = SecretString::from("pc-marker".to_owned());
    let answer = UreqTransport::new()
        .send(&get(&server, "/").secret_header("api-key", "", key))
        .unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!((thief.requests().len(), thief.connections()), (0, 0));
}

#[test]
fn a_head_over_its_limit_is_refused() {
    let server = StubServer::start(|request| {
        let size = request.path()[1..].parse().unwrap();
        Answer::new(200).header("x-long", "x".repeat(size))
    });
    let transport = UreqTransport::new();
    let send = |size: usize| transport.send(&get(&server, &format!("/{size}")));
    let stream = |size: usize| transport.stream(&get(&server, &format!("/{size}")), &Cancel::new());
    let limit = 8 << 10;
    assert_eq!(send(7 << 10).unwrap().header("x-long").unwrap().len(), 7 << 10);
    assert!(stream(7 << 10).is_ok());
    for size in [8 << 10, 64 << 10] {
        assert!(matches!(send(size), Err(HttpError::TooLarge { limit: met }) if met == limit));
        assert!(matches!(stream(size), Err(HttpError::TooLarge { limit: met }) if met == limit));
    }
}

#[test]
fn connections_are_kept_alive_for_answers_and_for_streams() {
    let server = StubServer::start(|_| Answer::events(["a"]));
    let transport = UreqTransport::new();
    for _ in 0..3 {
        transport.send(&get(&server, "/")).unwrap();
    }
    assert_eq!(server.connections(), 1);
    for _ in 0..3 {
        transport
            .stream(&get(&server, "/"), &Cancel::new())
            .unwrap()
            .whole()
            .unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 6));
}

/// Calls `count` times at once: no call ends before the last has reached the upstream.
fn burst(transport: &UreqTransport, server: &StubServer, count: usize) {
    std::thread::scope(|scope| {
        for _ in 0..count {
            let call = || assert_eq!(transport.send(&get(server, "/")).unwrap().status, 200);
            let small = std::thread::Builder::new().stack_size(512 << 10);
            small.spawn_scoped(scope, call).unwrap();
        }
    });
}

#[test]
fn a_burst_finds_the_connections_of_the_last_one() {
    const CALLS: usize = 200;
    let together = Arc::new(Barrier::new(CALLS));
    let server = StubServer::unrecorded(move |_| {
        together.wait();
        Answer::new(200)
    });
    let transport = UreqTransport::new();
    for _ in 0..3 {
        burst(&transport, &server, CALLS);
        assert_eq!(server.connections(), CALLS);
    }
}

#[test]
fn a_late_cancellation_leaves_the_pooled_connection_alone() {
    let server = StubServer::start(|_| Answer::events(["a"]));
    let transport = UreqTransport::new();
    let cancel = Cancel::new();
    transport
        .stream(&get(&server, "/"), &cancel)
        .unwrap()
        .whole()
        .unwrap();
    cancel.cancel();
    transport
        .stream(&get(&server, "/"), &Cancel::new())
        .unwrap()
        .whole()
        .unwrap();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_cancellation_reaches_a_stream_on_a_pooled_connection() {
    let reading = Gate::new();
    let gate = reading.clone();
    let server = StubServer::start(move |request| match request.path() {
        "/held" => Answer::new(200).pieces([
            Piece::Bytes(b"a".to_vec()),
            Piece::Open(gate.clone()),
            Piece::Hold,
        ]),
        _ => Answer::events(["a"]),
    });
    let transport = UreqTransport::new();
    transport
        .stream(&get(&server, "/"), &Cancel::new())
        .unwrap()
        .whole()
        .unwrap();
    let cancel = Cancel::new();
    let answer = transport.stream(&get(&server, "/held"), &cancel).unwrap();
    let reader = std::thread::spawn(move || answer.whole());
    assert!(reading.wait(Duration::from_secs(20)));
    cancel.cancel();
    assert!(matches!(reader.join().unwrap(), Err(HttpError::Cancelled)));
    assert!(
        server.client_left().wait(Duration::from_secs(20)),
        "the upstream still believes in its client"
    );
    assert_eq!(server.connections(), 1);
}

/// The upstream's side of a cancellation: it is told at once, whatever the caller does meanwhile.
#[test]
fn the_upstream_sees_a_cancellation_wherever_it_is_raised() {
    let held = |pieces: &[Piece]| {
        let pieces = pieces.to_vec();
        StubServer::start(move |_| Answer::new(200).pieces(pieces.clone()))
    };
    let byte = Piece::Bytes(b"a".to_vec());
    let trickle = Piece::Trickle {
        bytes: b"a".to_vec(),
        every: Duration::from_millis(1),
    };
    let transport = UreqTransport::new();
    for pieces in [vec![Piece::Hold], vec![byte, Piece::Hold], vec![trickle]] {
        let server = held(&pieces);
        let cancel = Cancel::new();
        // Nobody reads it, and nobody drops it before the upstream has seen its client leave.
        let answer = transport.stream(&get(&server, "/"), &cancel).unwrap();
        cancel.cancel();
        assert!(
            server.client_left().wait(Duration::from_secs(20)),
            "the upstream still believes in its client"
        );
        drop(answer);
    }
    let asked = Gate::new();
    let begun = asked.clone();
    let server = StubServer::start(move |_| {
        Answer::new(200)
            .before_head(Piece::Open(begun.clone()))
            .before_head(Piece::Hold)
    });
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| transport.stream(&get(&server, "/"), &cancel));
        assert!(asked.wait(Duration::from_secs(20)));
        cancel.cancel();
        assert!(server.client_left().wait(Duration::from_secs(20)));
        assert!(matches!(call.join().unwrap(), Err(HttpError::Cancelled)));
    });
}

#[test]
fn dropping_a_stream_closes_its_connection() {
    let server = StubServer::start(|_| Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Hold]));
    let transport = UreqTransport::new();
    drop(transport.stream(&get(&server, "/"), &Cancel::new()).unwrap());
    assert!(server.client_left().wait(Duration::from_secs(20)));
}

/// Answers the first request of its first connection, then closes that connection only when the second request is
/// there: the client's probe of the idle connection cannot have seen the end.
fn closes_late(answered: &Mutex<Vec<String>>, listener: &TcpListener) {
    for (number, stream) in listener.incoming().take(2).enumerate() {
        let mut stream = stream.unwrap();
        for _ in 0..2 {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or_default() == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let line = String::from_utf8(head)
                .unwrap()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            answered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(format!("{number}: {line}"));
            if number == 0 && line.contains("/second") {
                break;
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .unwrap();
            if number == 1 {
                return;
            }
        }
    }
}

fn second_request_on_a_closing_connection(
    second: impl Fn(Request) -> Request,
) -> (Result<u16, HttpError>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let answered = Mutex::new(Vec::new());
    let request = |path: &str| Request::new(Method::Post, base.join(path).unwrap(), Trust::Operator);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| closes_late(&answered, &listener));
        let transport = UreqTransport::new();
        transport.send(&request("/first")).unwrap();
        let outcome = transport
            .send(&second(request("/second")))
            .map(|answer| answer.status);
        if outcome.is_err() {
            // Lets the upstream's thread end.
            drop(transport.send(&request("/third")));
        }
        outcome
    });
    let seconds = answered
        .lock()
        .unwrap()
        .iter()
        .filter(|line| line.contains("/second"))
        .count();
    (outcome, seconds)
}

#[test]
fn an_idempotent_request_survives_a_stale_connection() {
    let (outcome, sent) = second_request_on_a_closing_connection(Request::idempotent);
    assert_eq!((outcome.unwrap(), sent), (200, 2));
}

#[test]
fn a_request_that_is_not_idempotent_is_never_sent_twice() {
    let (outcome, sent) = second_request_on_a_closing_connection(|request| request);
    assert!(matches!(outcome, Err(HttpError::Connect(_))), "{outcome:?}");
    assert_eq!(sent, 1);
}

#[test]
fn nobody_at_home_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let answer = UreqTransport::new().send(&Request::new(Method::Get, url, Trust::Operator));
    assert!(matches!(answer, Err(HttpError::Connect(_))), "{answer:?}");
}

#[test]
fn a_public_name_of_a_private_address_is_refused_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = Url::parse(&format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    ))
    .unwrap();
    let answer = UreqTransport::new().send(&Request::new(Method::Get, url, Trust::Public { domain: None }));
    assert!(matches!(answer, Err(HttpError::Url(_))), "{answer:?}");
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn a_handshake_that_never_ends_meets_the_connect_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    let deadlines = Deadlines {
        connect: Duration::from_millis(150),
        ..Deadlines::default()
    };
    let answer =
        UreqTransport::new().send(&Request::new(Method::Get, url, Trust::Operator).deadlines(deadlines));
    assert!(matches!(answer, Err(HttpError::Timeout)), "{answer:?}");
}

#[test]
fn a_cancellation_ends_a_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    let deadlines = Deadlines {
        connect: Duration::from_mins(1),
        ..Deadlines::default()
    };
    let request = Request::new(Method::Get, url, Trust::Operator).deadlines(deadlines);
    let cancel = Cancel::new();
    let raised = cancel.clone();
    let upstream = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The first byte of the client's greeting is there: the handshake has begun.
        stream.read_exact(&mut [0]).unwrap();
        raised.cancel();
        stream.read_to_end(&mut Vec::new()).is_ok()
    });
    let answer = UreqTransport::new().stream(&request, &cancel);
    assert!(matches!(answer, Err(HttpError::Cancelled)), "{answer:?}");
    assert!(upstream.join().unwrap());
}

#[test]
fn what_is_not_http_is_a_broken_answer() {
    for raw in [
        "hello\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ] {
        let server = StubServer::start(move |_| Answer::raw(raw));
        let answer = UreqTransport::new().send(&get(&server, "/"));
        assert!(
            matches!(answer, Err(HttpError::Protocol(_))),
            "{raw:?}: {answer:?}"
        );
    }
    let server = StubServer::start(|_| Answer::raw(""));
    let answer = UreqTransport::new().send(&get(&server, "/"));
    assert!(matches!(answer, Err(HttpError::Connect(_))), "{answer:?}");
}

#[test]
fn the_product_names_itself_and_asks_for_no_compression() {
    let server = StubServer::start(|_| Answer::new(200));
    UreqTransport::new()
        .send(&Request::new(Method::Post, server.url("/"), Trust::Operator))
        .unwrap();
    let request = server.requests().remove(0);
    assert_eq!(
        request.header("user-agent"),
        Some(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(request.header("accept-encoding"), None);
    assert_eq!(request.header("content-length"), Some("0"));
}

#[test]
fn a_delete_may_carry_a_body() {
    let server = StubServer::start(|_| Answer::new(200));
    let request = Request::new(Method::Delete, server.url("/"), Trust::Operator)
        .json(&[1])
        .unwrap();
    UreqTransport::new().send(&request).unwrap();
    assert_eq!(server.requests()[0].body, b"[1]");
}

#[test]
fn events_arrive_through_the_whole_stack() {
    let server = StubServer::start(|_| Answer::events(["a", "b", "[DONE]"]));
    let answer = UreqTransport::new()
        .stream(&get(&server, "/"), &Cancel::new())
        .unwrap();
    let events = SseReader::new(answer.body)
        .map(|event| event.unwrap().data)
        .collect::<Vec<_>>();
    assert_eq!(events, ["a", "b", "[DONE]"]);
}
