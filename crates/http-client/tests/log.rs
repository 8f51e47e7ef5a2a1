//! ureq logs; up to the level `debug` that must show no secret. At `trace` its protocol crate prints the bytes of every
//! head, keys included, so that a program must keep the targets `ureq` and `ureq_proto` below it.
#![cfg(all(feature = "testing", feature = "ureq"))]

use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use secrecy::SecretString;
use tenantry_http_client::{Answer, Cancel, Method, Request, StubServer, Transport, Trust, UreqTransport};

struct Kept(Mutex<Vec<String>>);

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= LevelFilter::Debug
    }

    fn log(&self, record: &Record) {
        let line = format!("{}: {}", record.target(), record.args());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

#[test]
fn no_level_up_to_debug_shows_a_secret() {
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(LevelFilter::Debug);
    let server = StubServer::start(|_| Answer::new(200));
    let transport = UreqTransport::new();
    let secret = || SecretString::from("sk-marker-5f1c".to_owned());
    let request = Request::new(Method::Post, server.url("/"), Trust::Operator)
        .secret_header("authorization", "Bearer ", secret())
        .secret_header("api-key", "", secret())
        .json(&["body-marker"])
        .unwrap();
    transport.send(&request).unwrap();
    transport
        .stream(&request, &Cancel::new())
        .unwrap()
        .whole()
        .unwrap();
    assert_eq!(server.requests()[0].header("api-key"), Some("sk-marker-5f1c"));
    let kept = KEPT.0.lock().unwrap().join("\n");
    assert!(
        kept.contains("ureq"),
        "nothing was logged, so that nothing was tested"
    );
    for marker in ["sk-marker", "body-marker"] {
        assert!(!kept.contains(marker), "the log shows {marker}:\n{kept}");
    }
}
