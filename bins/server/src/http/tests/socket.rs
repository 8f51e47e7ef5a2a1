//! What only a real connection shows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;

use super::live::{Live, rest};
use crate::http::HttpSettings;
use crate::http::testing::Parts;

#[track_caller]
fn is(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(body["error"]["code"], code);
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let settings = HttpSettings {
        body_deadline: Duration::from_millis(50),
        ..HttpSettings::default()
    };
    let live = Live::start(Parts {
        settings,
        ..Parts::default()
    });
    let head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut stalled = live.connect();
    write!(stalled, "{head}Content-Length: 100\r\n\r\n{{\"email\":").unwrap();
    let mut chunked = live.connect();
    write!(chunked, "{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{\"\r\n").unwrap();
    for stream in [&mut stalled, &mut chunked] {
        let answer = rest(stream);
        is(&answer, 408, "request_timeout");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    assert!(live.request("GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
}

/// Begins to send a file of five million bytes as ada, and sends that many of them.
fn begin_upload(live: &Live, bytes: usize) -> TcpStream {
    let mut stream = live.connect();
    let token = live.backend.token("ada");
    write!(
        stream,
        "POST /documents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: 5000000\r\n\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
    )
    .unwrap();
    stream.write_all(&vec![b'a'; bytes]).unwrap();
    stream
}

#[test]
fn what_came_of_a_file_whose_sender_has_gone_is_removed() {
    let live = Live::start(Parts::default());
    let (calls, called) = channel();
    live.backend.store.fail_when(move |method| {
        // Nobody listens any more at the end of the test.
        let _ = calls.send(method.to_owned());
        None
    });
    let wait_for = |method: &str| while called.recv_timeout(Duration::from_secs(20)).unwrap() != method {};
    let stream = begin_upload(&live, 2_500_000);
    wait_for("add_part");
    wait_for("add_part");
    drop(stream);
    wait_for("remove_source");
}

#[test]
fn a_file_that_does_not_go_on_is_408() {
    let settings = HttpSettings {
        body_deadline: Duration::from_millis(50),
        ..HttpSettings::default()
    };
    let live = Live::start(Parts {
        settings,
        ..Parts::default()
    });
    let mut stream = begin_upload(&live, 100);
    is(&rest(&mut stream), 408, "request_timeout");
}

#[test]
fn a_body_over_the_limit_is_answered_while_it_is_sent() {
    let live = Live::start(Parts::default());
    let mut stream = live.connect();
    let head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = vec![b' '; 65_536];
    for _ in 0..16 {
        // The server may have closed by now.
        if write!(stream, "10000\r\n")
            .and_then(|()| stream.write_all(&chunk))
            .and_then(|()| write!(stream, "\r\n"))
            .is_err()
        {
            break;
        }
    }
    is(&rest(&mut stream), 413, "payload_too_large");
    is(
        &live.exchange(format!("{head}Content-Length: 999999999\r\n\r\n{{")),
        413,
        "payload_too_large",
    );
    assert!(live.request("GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_chunked_body_that_nobody_reads_ends_with_the_answer() {
    let live = Live::start(Parts::default());
    for (head, status, code) in [
        ("POST /chat HTTP/1.1", 401, "unauthenticated"),
        ("GET /nowhere HTTP/1.1", 404, "not_found"),
        ("PUT /healthz HTTP/1.1", 405, "method_not_allowed"),
    ] {
        let mut stream = live.connect();
        write!(
            stream,
            "{head}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{\"\r\n"
        )
        .unwrap();
        let answer = rest(&mut stream);
        is(&answer, status, code);
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn a_connection_is_kept_after_a_body_that_was_read() {
    let live = Live::start(Parts::default());
    let mut stream = live.connect();
    for body in [
        "Content-Length: 2\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        write!(
            stream,
            "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        while !answer.ends_with("}}") {
            let mut some = [0; 4_096];
            let n = stream.read(&mut some).unwrap();
            assert_ne!(n, 0, "{answer}");
            answer.push_str(std::str::from_utf8(&some[..n]).unwrap());
        }
        assert!(
            answer.starts_with("HTTP/1.1 422 ") && !answer.contains("connection: close"),
            "{answer}"
        );
    }
}

#[test]
fn tricks_with_the_head_are_refused_and_leave_the_server_unharmed() {
    let live = Live::start(Parts::default());
    let token = live.backend.token("root");
    let twice =
        format!("GET /users/me HTTP/1.1\r\nAuthorization: Bearer {token}\r\nauthorization: Bearer {token}");
    is(&live.request(&twice), 401, "unauthenticated");
    let long = format!(
        "GET /users/me HTTP/1.1\r\nAuthorization: Bearer {}",
        "a".repeat(60_000)
    );
    is(&live.request(&long), 401, "unauthenticated");
    is(
        &live.request("GET http://evil.example.org/admin/tenants HTTP/1.1"),
        401,
        "unauthenticated",
    );
    is(
        &live.request("GET /%61dmin/tenants HTTP/1.1"),
        401,
        "unauthenticated",
    );
    is(&live.request("GET /admin%2Ftenants HTTP/1.1"), 404, "not_found");
    is(
        &live.request(&format!("GET /documents/{} HTTP/1.1", "a".repeat(60_000))),
        401,
        "unauthenticated",
    );
    is(
        &live.request("TRACE /healthz HTTP/1.1"),
        405,
        "method_not_allowed",
    );
    is(&live.request("BREW /healthz HTTP/1.1"), 405, "method_not_allowed");
    let absolute =
        format!("GET http://evil.example.org/admin/tenants/ HTTP/1.1\r\nAuthorization: Bearer {token}");
    assert!(
        live.request(&absolute).starts_with("HTTP/1.1 200 "),
        "it is only a spelling"
    );
    let fine = live.request("GET /healthz HTTP/1.1");
    assert!(
        fine.starts_with("HTTP/1.1 200 ") && !fine.to_lowercase().contains("\nserver:"),
        "{fine}"
    );
}

#[test]
fn head_has_the_head_of_get_and_no_body() {
    let live = Live::start(Parts::default());
    for path in ["/healthz", "/openapi.json"] {
        let get = live.request(&format!("GET {path} HTTP/1.1"));
        let head = live.request(&format!("HEAD {path} HTTP/1.1"));
        let length = |answer: &str| {
            let lower = answer.to_lowercase();
            let (_, after) = lower.split_once("content-length: ").unwrap();
            after.split_once('\r').unwrap().0.to_owned()
        };
        assert_eq!(length(&get), length(&head));
        assert!(head.ends_with("\r\n\r\n") && !get.ends_with("\r\n\r\n"), "{head}");
    }
}
