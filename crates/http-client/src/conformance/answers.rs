use std::io::Read;

use secrecy::SecretString;

use super::Setup;
use crate::{Answer, Cancel, Gate, HttpError, Method, Piece, StreamResponse};

/// Method, path, query, headers and body arrive as they were given.
pub fn what_is_asked_arrives(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).header("x-answer", "yes").body("done"));
    let request = subject
        .request(Method::Post, "/path/a%20b?x=1&y=%2F")
        .header("x-plain", "a b");
    let request = request.secret_header("authorization", "Bearer ", SecretString::from("key".to_owned()));
    let request = request.json(&serde_json::json!({"a": [1, "é"]})).expect("json");
    let answer = subject.transport.send(&request).expect("an answer");
    assert_eq!(
        (answer.status, answer.header("x-answer"), answer.body.as_slice()),
        (200, Some("yes"), &b"done"[..])
    );
    let recorded = subject.only_request();
    assert_eq!(
        (recorded.method.as_str(), recorded.target.as_str()),
        ("POST", "/path/a%20b?x=1&y=%2F")
    );
    assert_eq!(recorded.header("x-plain"), Some("a b"));
    assert_eq!(recorded.header("authorization"), Some("Bearer key"));
    assert_eq!(recorded.header("content-type"), Some("application/json"));
    assert_eq!(recorded.json(), serde_json::json!({"a": [1, "é"]}));
}

/// Whatever its status, an answer is an answer, with its body.
pub fn a_bad_status_is_an_answer(setup: Setup<'_>) {
    for status in [201, 400, 401, 404, 429, 500, 503] {
        let subject = setup(Answer::new(status).body("why"));
        let answer = subject.transport.send(&subject.get()).expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (status, &b"why"[..]));
        let answer = subject
            .transport
            .stream(&subject.get(), &Cancel::new())
            .expect("an answer");
        assert_eq!(answer.whole().expect("a body").body, b"why");
    }
}

/// A redirect is an answer; nobody is asked at its target.
pub fn a_redirect_is_not_followed(setup: Setup<'_>) {
    for status in [301, 302, 303, 307, 308] {
        let subject = setup(Answer::new(status).header("location", "/target"));
        let answer = subject.transport.send(&subject.get()).expect("an answer");
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, Some("/target"))
        );
        assert!(!answer.is_success());
        assert_eq!(subject.only_request().path(), "/");
    }
}

/// An answer of exactly the limit is given, one more byte is not, whether its length is told before or not.
pub fn an_answer_over_the_limit_is_refused(setup: Setup<'_>) {
    let body = vec![b'x'; 1000];
    let pieced = Answer::new(200).pieces(body.chunks(300).map(|piece| Piece::Bytes(piece.to_vec())));
    for answer in [Answer::new(200).body(body), pieced] {
        let subject = setup(answer);
        let outcome = |limit| subject.transport.send(&subject.get().max_answer(limit));
        assert_eq!(outcome(1000).expect("an answer").body.len(), 1000);
        assert!(matches!(outcome(999), Err(HttpError::TooLarge { limit: 999 })));
        let streamed = subject
            .transport
            .stream(&subject.get().max_answer(999), &Cancel::new());
        assert!(matches!(
            streamed.and_then(StreamResponse::whole),
            Err(HttpError::TooLarge { limit: 999 })
        ));
    }
}

/// What has come can be read before the rest is sent.
pub fn pieces_are_read_as_they_come(setup: Setup<'_>) {
    let read = Gate::new();
    let pieces = [
        Piece::Bytes(b"first".to_vec()),
        Piece::Wait(read.clone()),
        Piece::Bytes(b"second".to_vec()),
    ];
    let subject = setup(Answer::new(200).pieces(pieces));
    let mut answer = subject
        .transport
        .stream(&subject.get(), &Cancel::new())
        .expect("a head");
    let mut first = [0; 5];
    answer.body.read_exact(&mut first).expect("the first piece");
    assert_eq!(&first, b"first");
    read.open();
    assert_eq!(answer.whole().expect("the rest").body, b"second");
}

/// A body that ends too early is an error, not a short body.
pub fn a_broken_body_is_no_whole_one(setup: Setup<'_>) {
    let subject = setup(Answer::new(200).pieces([Piece::Bytes(b"half".to_vec()), Piece::Break]));
    assert!(matches!(
        subject.transport.send(&subject.get()),
        Err(HttpError::Protocol(_))
    ));
    let answer = subject
        .transport
        .stream(&subject.get(), &Cancel::new())
        .expect("a head");
    assert!(matches!(answer.whole(), Err(HttpError::Protocol(_))));
}
