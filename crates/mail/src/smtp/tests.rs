use std::net::TcpStream;
use std::sync::Arc;

use lettre::transport::smtp::client::Certificate;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::conformance::{self, Delivered};
use crate::stub::{Behaviour, Stream, Wrap};
use crate::testing::StubSmtp;

fn sender() -> Email {
    Email::parse("tenantry@example.org").unwrap()
}

fn mail() -> Mail {
    Mail {
        to: Email::parse("ada@example.org").unwrap(),
        subject: "Set a new password".into(),
        text: "tnp_secret".into(),
    }
}

fn mailer(url: &str) -> SmtpMailer {
    SmtpMailer::new(SmtpUrl::parse(url).unwrap(), &sender()).unwrap()
}

/// A mailer that speaks to a server of this machine as to one elsewhere, and trusts `root`.
fn as_if_elsewhere(server: &StubSmtp, security: Security, root: Option<&CertificateDer<'_>>) -> SmtpMailer {
    let url = format!("smtp://ada:hunter2@localhost:{}", server.port());
    let root = root.map(|der| Certificate::from_der(der.to_vec()).unwrap());
    SmtpMailer {
        security,
        root,
        ..mailer(&url)
    }
}

/// A certificate for `localhost`, and what takes a connection to TLS with it.
fn tls() -> (CertificateDer<'static>, Box<Wrap>) {
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
    let wrap = move |stream: TcpStream| -> Box<dyn Stream> {
        Box::new(StreamOwned::new(
            ServerConnection::new(config.clone()).unwrap(),
            stream,
        ))
    };
    (certificate, Box::new(wrap))
}

#[test]
fn the_smtp_mailer_keeps_the_promises_of_a_mailer() {
    let server = StubSmtp::start();
    conformance::mailer(&mailer(&server.url()), &|| {
        let mails = server.mails().into_iter();
        let delivered = mails.map(|mail| Delivered {
            to: mail.to.clone(),
            subject: mail.header("subject").unwrap(),
            text: mail.text(),
        });
        delivered.collect()
    });
}

#[test]
fn a_mail_says_where_it_is_from_and_that_a_program_wrote_it() {
    let server = StubSmtp::start();
    mailer(&server.url()).send(&mail()).unwrap();
    let received = server.mails().remove(0);
    assert_eq!(received.from, "tenantry@example.org");
    assert_eq!(received.header("from").unwrap(), "tenantry@example.org");
    assert_eq!(received.header("to").unwrap(), "ada@example.org");
    assert_eq!(received.header("auto-submitted").unwrap(), "auto-generated");
    assert!(received.header("message-id").unwrap().ends_with("@example.org>"));
    assert!(received.header("date").is_some() && received.login.is_none());
    mailer(&server.url()).send(&mail()).unwrap();
    assert_ne!(
        server.mails().remove(1).header("message-id"),
        received.header("message-id")
    );
}

#[test]
fn credentials_and_mail_go_out_after_starttls() {
    let (certificate, wrap) = tls();
    let server = StubSmtp::with(Behaviour {
        starttls: Some(wrap),
        ..Behaviour::default()
    });
    as_if_elsewhere(&server, Security::StartTls, Some(&certificate))
        .send(&mail())
        .unwrap();
    let received = server.mails().remove(0);
    assert!(received.encrypted);
    assert_eq!(received.login.as_deref(), Some("ada hunter2"));
    let lines = server.lines();
    assert!(
        lines[0].starts_with("EHLO") && lines[1] == "STARTTLS",
        "{lines:?}"
    );
}

#[test]
fn smtps_is_tls_from_the_first_byte() {
    let (certificate, wrap) = tls();
    let server = StubSmtp::with(Behaviour {
        tls: Some(wrap),
        ..Behaviour::default()
    });
    as_if_elsewhere(&server, Security::Tls, Some(&certificate))
        .send(&mail())
        .unwrap();
    assert!(server.mails().remove(0).encrypted);
}

#[test]
fn a_server_without_starttls_is_told_nothing() {
    let server = StubSmtp::start();
    let refused = as_if_elsewhere(&server, Security::StartTls, None).send(&mail());
    assert!(matches!(refused, Err(MailError::Refused(_))), "{refused:?}");
    let lines = server.lines();
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("EHLO") || line == "QUIT"),
        "{lines:?}"
    );
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_told_nothing() {
    let (_, wrap) = tls();
    let server = StubSmtp::with(Behaviour {
        starttls: Some(wrap),
        ..Behaviour::default()
    });
    assert!(
        as_if_elsewhere(&server, Security::StartTls, None)
            .send(&mail())
            .is_err()
    );
    assert!(server.mails().is_empty());
    let lines = server.lines();
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")),
        "{lines:?}"
    );
}

#[test]
fn a_refusal_is_for_good_and_a_delay_is_not() {
    for (command, answer, is_transient) in [
        ("RCPT", "550 no such mailbox", false),
        ("RCPT", "450 mailbox busy", true),
        ("DATA", "554 no", false),
        ("MAIL", "421 closing", true),
        ("EHLO", "nonsense", true),
    ] {
        let server = StubSmtp::answering(command, answer);
        let error = mailer(&server.url()).send(&mail()).unwrap_err();
        assert_eq!(
            error.is_transient(),
            is_transient,
            "{command} {answer}: {error:?}"
        );
        assert!(server.mails().is_empty());
    }
    let gone = mailer("smtp://127.0.0.1:1").send(&mail()).unwrap_err();
    assert!(gone.is_transient(), "{gone:?}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = StubSmtp::with(Behaviour {
        is_silent: true,
        ..Behaviour::default()
    });
    let mailer = SmtpMailer {
        timeout: Duration::from_millis(50),
        ..mailer(&server.url())
    };
    assert!(mailer.send(&mail()).unwrap_err().is_transient());
}

#[test]
fn debug_and_errors_show_no_password() {
    let server = StubSmtp::answering("AUTH", "535 no");
    let mailer = as_if_elsewhere(&server, Security::None, None);
    let error = mailer.send(&mail()).unwrap_err();
    let shown = format!("{mailer:?} {error:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("tnp_"), "{shown}");
}

#[test]
fn a_check_goes_as_far_as_a_mail_would_and_sends_none() {
    let server = StubSmtp::start();
    mailer(&server.url()).check().unwrap();
    assert!(server.mails().is_empty());
    assert!(server.lines().iter().any(|line| line.starts_with("EHLO")));
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let gone = mailer(&format!("smtp://127.0.0.1:{port}")).check().unwrap_err();
    assert!(gone.is_transient(), "{gone}");
}
