//! Answers that come event by event, over real sockets.

use std::time::Duration;

use serde_json::json;
use tenantry_http_client::{Answer, Gate, Piece};

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, plain_tenant};
use crate::upstreams::{Upstreams, chunk};
use crate::{PATIENCE, wait_for};

const TEXT: &str = "Acme takes tools back within 30 days.";

/// A server whose model answers with what `answer` says, and a user with one document.
fn open(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Upstreams, House, Client, Database) {
    let database = Database::sqlite();
    let upstreams = Upstreams::with_chat(&[], move |_| answer());
    let house = House::open_with(upstreams.settings(&database));
    let user = house.tenant(&plain_tenant("acme"));
    user.add_document(&json!({ "title": "Returns", "text": TEXT }));
    (upstreams, house, user, database)
}

fn data(value: &serde_json::Value) -> Piece {
    Piece::Bytes(format!("data: {value}\n\n").into())
}

fn stream(pieces: impl IntoIterator<Item = Piece>) -> Answer {
    Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces(pieces)
}

fn question() -> serde_json::Value {
    json!({ "message": "How many days are tools taken back?" })
}

#[test]
fn each_piece_is_passed_on_before_the_next_one_is_there() {
    let next = Gate::new();
    let gate = next.clone();
    let (_upstreams, _house, user, _database) = open(move || {
        stream([
            data(&chunk("Within ")),
            Piece::Wait(gate.clone()),
            data(&chunk("30 days [1].")),
            data(&json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] })),
            Piece::Bytes("data: [DONE]\n\n".into()),
        ])
    });
    let mut events = user.events("/chat", &question());
    assert_eq!(events.status, 200);
    assert!(
        events
            .header("content-type")
            .unwrap()
            .starts_with("text/event-stream")
    );
    assert_eq!(events.next().unwrap().name, "sources");
    let first = events.next().unwrap();
    // A blank waits for what follows it: it may be a marker that cites nothing, which goes together with it.
    assert_eq!(
        (first.name.as_str(), &first.data["text"]),
        ("delta", &json!("Within"))
    );
    // The model has not said more yet: what came was not held back.
    next.open();
    let rest: Vec<_> = events.collect();
    assert_eq!(
        rest.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(),
        ["delta", "done"]
    );
    assert_eq!(rest[0].data["text"], " 30 days [1].");
}

#[test]
fn a_question_may_ask_for_a_stream_in_its_body() {
    let (_upstreams, _house, user, _database) = open(|| crate::upstreams::streamed("Within 30 days [1]."));
    let question = json!({ "message": "How many days are tools taken back?", "stream": true });
    let answer = user.post("/chat", &question);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/event-stream"),
        "{answer:?}"
    );
    assert_eq!(answer.body.matches("event: done\n").count(), 1, "{answer:?}");
}

#[test]
fn a_silent_model_is_bridged_by_heartbeats() {
    let next = Gate::new();
    let gate = next.clone();
    let (_upstreams, _house, user, _database) = open(move || {
        stream([
            Piece::Wait(gate.clone()),
            data(&chunk("Late.")),
            Piece::Bytes("data: [DONE]\n\n".into()),
        ])
    });
    let mut events = user.events("/chat", &question());
    assert_eq!(events.next().unwrap().name, "sources");
    // Twice: it goes on for as long as the model is silent.
    events.wait_for_comment();
    events.wait_for_comment();
    next.open();
    assert_eq!(events.next().unwrap().name, "delta");
}

#[test]
fn an_answer_that_breaks_off_ends_in_exactly_one_error_event() {
    for last in [
        Piece::Break,
        data(
            &json!({ "error": { "message": "the model fell over at pcsk-secret", "type": "server_error", "code": null } }),
        ),
    ] {
        let (_upstreams, house, user, _database) =
            open(move || stream([data(&chunk("Within")), last.clone(), Piece::Break]));
        let events: Vec<_> = user.events("/chat", &question()).collect();
        let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(names, ["sources", "delta", "error"]);
        assert_eq!(events[2].data["status"], "failed");
        let kept = format!(
            "/conversations/{}/messages",
            events[2].data["conversation_id"].as_str().unwrap()
        );
        let kept = user.get(&kept).expect(200);
        let (text, status) = (&kept["items"][1]["text"], &kept["items"][1]["status"]);
        assert_eq!((text, status), (&json!("Within"), &json!("failed")));
        let error = &events[2].data["error"];
        assert!(
            error["code"].is_string() && error["request_id"].is_string(),
            "{error}"
        );
        assert!(
            !error.to_string().contains("fell over"),
            "the upstream's own words went out: {error}"
        );
        // The server is none the worse.
        house.server.client().get("/readyz").expect(200);
    }
}

#[test]
fn a_model_that_refuses_the_question_is_a_status_or_an_error_event() {
    let (_upstreams, _house, user, _database) = open(|| {
        let error = json!({ "error": { "message": "no such model", "type": "invalid_request_error", "code": "model_not_found" } });
        Answer::json(404, &error)
    });
    let whole = user.post("/chat", &question());
    assert!(whole.status >= 500, "{whole:?}");
    assert!(!whole.body.contains("no such model"), "{whole:?}");
    let names: Vec<_> = user
        .events("/chat", &question())
        .map(|event| event.name)
        .collect();
    assert_eq!(names, ["sources", "error"]);
}

#[test]
fn a_reader_that_leaves_ends_the_call_to_the_model() {
    let (upstreams, _house, user, _database) = open(|| stream([data(&chunk("Within ")), Piece::Hold]));
    let mut events = user.events("/chat", &question());
    assert_eq!(events.next().unwrap().name, "sources");
    assert_eq!(events.next().unwrap().name, "delta");
    assert!(!upstreams.openai().client_left().is_open());
    drop(events);
    assert!(
        upstreams.openai().client_left().wait(PATIENCE),
        "the model goes on writing for nobody"
    );
}

#[test]
fn a_reader_that_leaves_in_the_middle_of_the_flow_ends_it() {
    let (upstreams, _house, user, _database) = open(|| {
        let every = Duration::from_millis(20);
        stream([Piece::Trickle {
            bytes: format!("data: {}\n\n", chunk("word ")).into(),
            every,
        }])
    });
    let mut events = user.events("/chat", &question());
    for _ in 0..10 {
        events.next().unwrap();
    }
    drop(events);
    assert!(
        upstreams.openai().client_left().wait(PATIENCE),
        "the model goes on writing for nobody"
    );
}

#[test]
fn a_server_that_is_told_to_stop_ends_the_answers_under_way_with_an_event() {
    let (upstreams, mut house, user, _database) =
        open(|| stream([data(&chunk("Within 30 days")), Piece::Hold]));
    let mut events = user.events("/chat", &question());
    assert_eq!(events.next().unwrap().name, "sources");
    assert_eq!(events.next().unwrap().name, "delta");

    house.server.terminate();
    let rest: Vec<_> = events.collect();
    let last = rest.last().unwrap();
    assert_eq!(last.name, "error");
    assert_eq!(last.data["error"]["code"], "shutting_down");
    assert!(upstreams.openai().client_left().wait(PATIENCE));
    wait_for("new callers to be refused", || {
        house.server.client().try_get("/healthz").err()
    });
    assert!(house.server.wait_until_stopped().contains("stopped"));
}
