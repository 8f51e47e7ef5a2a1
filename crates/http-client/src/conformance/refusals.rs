use secrecy::SecretString;
use url::Url;

use super::{Setup, chain};
use crate::{Answer, HttpError, Method, Piece, RejectedUrl, Request, Trust};

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
