//! The same over TLS, against a server with a certificate made for the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use url::Url;

use super::*;
use crate::{Gate, SseReader};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// What the server saw: one line a connection and one a request.
type Seen = Arc<Mutex<Vec<String>>>;

struct TlsServer {
    url: Url,
    certificate: CertificateDer<'static>,
    seen: Seen,
}

/// Serves connection after connection; `serve` gets each with its number, and answers as it likes.
fn serve(serve: impl Fn(usize, &mut Tls, &Seen) + Send + 'static) -> TlsServer {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    ))
    .unwrap();
    let seen = Seen::default();
    let record = seen.clone();
    // Ends with the test's process; a client that refuses the handshake ends one connection only.
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            if tls.conn.complete_io(&mut tls.sock).is_ok() {
                record.lock().unwrap().push(format!("connection {number}"));
                serve(number, &mut tls, &record);
            }
        }
    });
    TlsServer {
        url,
        certificate,
        seen,
    }
}

impl TlsServer {
    fn trusted(&self) -> UreqTransport {
        let root = ureq::tls::Certificate::from_der(&self.certificate).to_owned();
        UreqTransport::trusting(&RootCerts::new_with_certs(&[root]))
    }

    fn request(&self, path: &str) -> Request {
        Request::new(Method::Get, self.url.join(path).unwrap(), Trust::Operator)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Reads the head of a request; `None` at the end of the connection.
fn read_head(tls: &mut Tls, seen: &Seen) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let path = String::from_utf8(head)
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned();
    seen.lock().unwrap().push(path.clone());
    Some(path)
}

fn answer(tls: &mut Tls) {
    tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .unwrap();
    tls.flush().unwrap();
}

#[test]
fn a_trusted_certificate_is_spoken_to_and_its_connection_kept() {
    let server = serve(|_, tls, seen| {
        while read_head(tls, seen).is_some() {
            answer(tls);
        }
    });
    let transport = server.trusted();
    for path in ["/a", "/b"] {
        assert_eq!(transport.send(&server.request(path)).unwrap().body, b"ok");
    }
    assert_eq!(server.seen(), ["connection 0", "/a", "/b"]);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let server = serve(|_, tls, seen| drop(read_head(tls, seen)));
    let answer = UreqTransport::new().send(&server.request("/"));
    assert!(matches!(answer, Err(HttpError::Connect(_))), "{answer:?}");
    assert!(!server.seen().contains(&"/".to_owned()));
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let server = serve(|_, tls, seen| drop(read_head(tls, seen)));
    let mut request = server.request("/");
    request.url.set_host(Some("127.0.0.1")).unwrap();
    let answer = server.trusted().send(&request);
    assert!(matches!(answer, Err(HttpError::Connect(_))), "{answer:?}");
    assert!(!server.seen().contains(&"/".to_owned()));
}

#[test]
fn a_connection_that_says_goodbye_too_late_is_stale() {
    let server = serve(|number, tls, seen| {
        while let Some(path) = read_head(tls, seen) {
            if number == 0 && path == "/b" {
                // The request is there, and only now the connection ends: bytes of TLS come, but none of an answer.
                tls.conn.send_close_notify();
                drop(tls.conn.complete_io(&mut tls.sock));
                return;
            }
            answer(tls);
        }
    });
    let transport = server.trusted();
    for path in ["/a", "/b"] {
        assert_eq!(transport.send(&server.request(path)).unwrap().body, b"ok");
    }
    assert_eq!(server.seen(), ["connection 0", "/a", "/b", "connection 1", "/b"]);
}

#[test]
fn a_cancellation_ends_a_read_over_tls() {
    let (reading, left) = (Gate::new(), Gate::new());
    let (begun, gone) = (reading.clone(), left.clone());
    let server = serve(move |_, tls, seen| {
        read_head(tls, seen).unwrap();
        tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
            .unwrap();
        begun.open();
        drop(tls.read(&mut [0]));
        gone.open();
    });
    let cancel = Cancel::new();
    let answer = server.trusted().stream(&server.request("/"), &cancel).unwrap();
    let reader = std::thread::spawn(move || answer.whole());
    assert!(reading.wait(Duration::from_secs(20)));
    cancel.cancel();
    assert!(matches!(reader.join().unwrap(), Err(HttpError::Cancelled)));
    assert!(
        left.wait(Duration::from_secs(20)),
        "the upstream still believes in its client"
    );
}

#[test]
fn a_silent_body_over_tls_meets_the_idle_deadline() {
    let server = serve(|_, tls, seen| {
        read_head(tls, seen).unwrap();
        tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
            .unwrap();
        drop(tls.read(&mut [0]));
    });
    let deadlines = Deadlines {
        idle: Duration::from_millis(150),
        ..Deadlines::default()
    };
    let answer = server.trusted().send(&server.request("/").deadlines(deadlines));
    assert!(matches!(answer, Err(HttpError::Timeout)), "{answer:?}");
}

#[test]
fn a_record_of_tls_that_trickles_prolongs_no_deadline() {
    let server = serve(|_, tls, seen| {
        read_head(tls, seen).unwrap();
        tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
            .unwrap();
        // The head of a record of 4 KiB, and then its bytes one by one.
        let mut bytes = b"\x17\x03\x03\x10\x00".iter().chain(std::iter::repeat(&b'x'));
        while tls.sock.write_all(&[*bytes.next().unwrap()]).is_ok() {
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let deadlines = Deadlines {
        total: Duration::from_millis(300),
        ..Deadlines::default()
    };
    let transport = server.trusted();
    let answer = transport.send(&server.request("/").deadlines(deadlines));
    assert!(matches!(answer, Err(HttpError::Timeout)), "{answer:?}");
    let answer = transport.stream(&server.request("/"), &Cancel::new()).unwrap();
    let event = SseReader::from(answer).next_within(Duration::from_millis(150));
    assert!(matches!(event, Some(Err(HttpError::Timeout))), "{event:?}");
}

/// Whoever holds thousands of streams gives each thread a small stack; debug builds take the most of it, and a caller needs
/// some of 256 KiB for itself.
#[test]
fn a_stream_over_tls_fits_a_small_stack() {
    let server = serve(|_, tls, seen| {
        read_head(tls, seen).unwrap();
        answer(tls);
    });
    let (transport, request) = (server.trusted(), server.request("/"));
    let call = move || {
        let answer = transport.stream(&request, &Cancel::new()).unwrap();
        answer.whole().unwrap()
    };
    let caller = std::thread::Builder::new().stack_size(192 << 10).spawn(call);
    assert_eq!(caller.unwrap().join().unwrap().body, b"ok");
}
