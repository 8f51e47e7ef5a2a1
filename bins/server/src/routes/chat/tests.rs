use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use futures_util::future::poll_fn;
use serde_json::{Value, json};
use tenantry_domain::Cancellation;
use tenantry_llm_client::{
    Completer, Completion, FailingCompleter, FinishReason, LlmError, MemoryCompleter, Prompt, Usage,
};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, bearer, post};
use crate::offload::Permits;

fn question() -> TestRequest {
    post("/chat", &json!({"message": "How long can goods be returned?"}))
}

fn streamed() -> TestRequest {
    question().insert_header(("accept", "text/event-stream"))
}

async fn answered_by(completer: impl Completer + 'static) -> Server {
    let server = Server::with(Parts {
        completer: Arc::new(completer),
        ..Parts::default()
    })
    .await;
    let text = "Goods can be returned within 30 days.";
    server.add("ada", "Returns", text).await;
    server
}

/// The events of a stream, which has to follow the grammar, with their data.
fn events(stream: &str) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    assert!(stream.starts_with(": open\n\n"), "{stream:?}");
    assert!(stream.ends_with("\n\n"), "{stream:?}");
    for frame in stream.trim_end_matches('\n').split("\n\n") {
        if frame.starts_with(':') {
            continue;
        }
        let (name, data) = frame.split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").unwrap();
        assert!(!data.contains('\n'), "{frame:?}");
        events.push((
            name.strip_prefix("event: ").unwrap().to_owned(),
            serde_json::from_str(data).unwrap(),
        ));
    }
    let terminal = events
        .iter()
        .filter(|(name, _)| name == "done" || name == "error")
        .count();
    assert_eq!(terminal, 1, "{stream}");
    assert!(
        matches!(events.last().unwrap().0.as_str(), "done" | "error"),
        "{stream}"
    );
    events
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[actix_web::test]
async fn an_answer_cites_the_tenants_own_passages() {
    let server = answered_by(MemoryCompleter::saying("Thirty days [1].")).await;
    let answer = server.call_as("ada", question()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(
        (&json["answer"], &json["model"]),
        (&json!("Thirty days [1]."), &json!("memory"))
    );
    assert_eq!(
        (&json["finish_reason"], &json["usage"]),
        (&json!("stop"), &Value::Null)
    );
    let source = &json["sources"][0];
    assert_eq!(
        (&source["number"], &source["title"], &source["chunk"]),
        (&json!(1), &json!("Returns"), &json!(0))
    );
    assert_eq!(source["excerpt"], json!("Goods can be returned within 30 days."));
    assert_eq!((&source["start"], &source["end"]), (&json!(0), &json!(37)));
    assert!(
        source["score"].is_number() && source["document_id"].is_string(),
        "{source}"
    );
}

#[actix_web::test]
async fn a_model_is_told_the_callers_prompt_and_passages_alone() {
    let model = Arc::new(MemoryCompleter::saying("x"));
    let server = Server::with(Parts {
        completer: model.clone(),
        ..Parts::default()
    })
    .await;
    for (name, text) in [
        ("ada", "Goods of Acme are returned."),
        ("grace", "Goods of Globex are returned."),
    ] {
        server.add(name, "T", text).await;
    }
    assert_eq!(server.call_as("grace", question()).await.status, 200);
    assert_eq!(server.call_as("ada", streamed()).await.status, 200);
    let told: Vec<String> = model
        .prompts()
        .iter()
        .map(|prompt| format!("{prompt:?}"))
        .collect();
    for (told, own, foreign) in [
        (&told[0], ["Globex", "globex"], ["Acme", "acme"]),
        (&told[1], ["Acme", "acme"], ["Globex", "globex"]),
    ] {
        assert!(own.iter().all(|word| told.contains(word)), "{told}");
        assert!(!foreign.iter().any(|word| told.contains(word)), "{told}");
    }
}

#[actix_web::test]
async fn a_stream_gives_sources_then_the_text_then_the_end() {
    let server = answered_by(MemoryCompleter::saying(
        "Thirty days [1].\n\nevent: done\ndata: {}\n\nNo more. 😀",
    ))
    .await;
    let answer = server.call_as("ada", streamed()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let events = events(answer.text());
    assert_eq!(events[0].0, "sources");
    assert_eq!(events[0].1["sources"][0]["title"], json!("Returns"));
    let text: String = events
        .iter()
        .filter_map(|(_, data)| data["text"].as_str())
        .collect();
    assert_eq!(text, "Thirty days [1].\n\nevent: done\ndata: {}\n\nNo more. 😀");
    let end = json!({"model": "memory", "usage": null, "finish_reason": "stop"});
    assert_eq!(events.last().unwrap(), &("done".to_owned(), end));
}

#[actix_web::test]
async fn the_body_or_else_the_accept_header_asks_for_a_stream() {
    let server = answered_by(MemoryCompleter::saying("x")).await;
    for (accept, stream, expected) in [
        (None, None, "application/json"),
        (None, Some(true), "text/event-stream"),
        (Some("text/event-stream"), None, "text/event-stream"),
        (
            Some("application/json, Text/Event-Stream;q=0.5"),
            None,
            "text/event-stream",
        ),
        (Some("text/event-stream"), Some(false), "application/json"),
        (Some("application/json"), Some(true), "text/event-stream"),
        (Some("text/event-stream;q=0"), None, "application/json"),
        (Some("*/*"), None, "application/json"),
    ] {
        let mut body = json!({"message": "goods"});
        if let Some(stream) = stream {
            body["stream"] = json!(stream);
        }
        let mut request = post("/chat/", &body);
        if let Some(accept) = accept {
            request = request.insert_header(("accept", accept));
        }
        let answer = server.call_as("ada", request).await;
        assert_eq!(
            answer.header("content-type"),
            Some(expected),
            "{accept:?} {stream:?}"
        );
    }
}

#[actix_web::test]
async fn a_failure_in_the_middle_is_the_one_terminal_event() {
    let failing = FailingCompleter::after(["Thirty ", "da"], || LlmError::Truncated("upstream-text".into()));
    let server = answered_by(failing).await;
    let answer = server.call_as("ada", streamed()).await;
    assert_eq!(answer.status, 200);
    let events = events(answer.text());
    assert_eq!(names(&events), ["sources", "delta", "delta", "error"]);
    let error = &events[3].1["error"];
    assert_eq!(error["code"], json!("llm_truncated"));
    assert_eq!(error["request_id"].as_str(), answer.header("x-request-id"));
    assert!(!answer.text().contains("upstream-text"));
}

#[actix_web::test]
async fn a_failure_of_the_model_has_its_own_code_in_either_form() {
    type Failure = fn(&'static str) -> LlmError;
    let failures: [(Failure, u16, &str); 5] = [
        (
            |said| LlmError::Unauthorized(said.into()),
            502,
            "llm_unauthorized",
        ),
        (
            |said| LlmError::QuotaExceeded(said.into()),
            502,
            "llm_quota_exceeded",
        ),
        (
            |said| LlmError::UnknownModel(said.into()),
            502,
            "llm_unknown_model",
        ),
        (|said| LlmError::Unavailable(said.into()), 503, "llm_unavailable"),
        (|said| LlmError::TooLong(said.into()), 422, "input_too_long"),
    ];
    for (failure, status, code) in failures {
        let server = answered_by(FailingCompleter::at_once(move || failure("upstream-text"))).await;
        let answer = server.call_as("ada", question()).await;
        answer.is(status, code);
        assert!(!answer.text().contains("upstream-text"));
        let stream = server.call_as("ada", streamed()).await;
        let events = events(stream.text());
        assert_eq!(names(&events), ["sources", "error"]);
        assert_eq!(events[1].1["error"]["code"], json!(code));
        assert!(!stream.text().contains("upstream-text"));
    }
}

#[actix_web::test]
async fn nothing_is_answered_when_nothing_can_be_searched() {
    let server = answered_by(MemoryCompleter::saying("from memory")).await;
    server
        .vectors
        .fail_next(Operation::Search, VectorError::Unavailable("down".into()));
    let events = events(server.call_as("ada", streamed()).await.text());
    assert_eq!(names(&events), ["error"]);
    assert_eq!(events[0].1["error"]["code"], json!("vector_store_unavailable"));
}

#[actix_web::test]
async fn what_can_be_refused_before_the_stream_has_a_status() {
    let server = answered_by(MemoryCompleter::saying("x")).await;
    let blank = || post("/chat", &json!({"message": " ", "stream": true}));
    server.call_as("ada", blank()).await.is(422, "invalid_request");
    server
        .call_as("nomad", streamed())
        .await
        .is(403, "tenant_forbidden");
    server.call(streamed()).await.is(401, "unauthenticated");
    server
        .call_as("ada", post("/chat", &json!({"message": "x", "model": "y"})))
        .await
        .is(422, "invalid_request");
    let token = server.token("ada");
    server.fail_store();
    let answer = server.call(bearer(streamed(), &token)).await;
    answer.is(503, "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));
}

/// A model that says what the test tells it to, and notes when it was cancelled.
struct Puppet {
    lines: std::sync::Mutex<Receiver<&'static str>>,
    cancelled: std::sync::Mutex<Sender<()>>,
}

impl Puppet {
    fn new() -> (Self, Sender<&'static str>, Receiver<()>) {
        let (say, lines) = channel();
        let (cancelled, was_cancelled) = channel();
        let puppet = Self {
            lines: lines.into(),
            cancelled: cancelled.into(),
        };
        (puppet, say, was_cancelled)
    }
}

impl Completer for Puppet {
    fn model(&self) -> &'static str {
        "puppet"
    }

    fn complete(&self, _: &Prompt) -> Result<Completion, LlmError> {
        Err(LlmError::Refused("a puppet streams".into()))
    }

    fn stream(
        &self,
        _: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        let cancelled = self.cancelled.lock().unwrap().clone();
        cancellation.on_cancel(Box::new(move || cancelled.send(()).unwrap_or_default()));
        for line in self.lines.lock().unwrap().iter() {
            assert_ne!(line, "panic");
            if on_delta(line).is_break() {
                return Err(LlmError::Cancelled);
            }
        }
        Ok(Completion {
            text: String::new(),
            model: "puppet".into(),
            finish: FinishReason::Length,
            usage: Some(Usage {
                prompt_tokens: 7,
                completion_tokens: 2,
            }),
        })
    }
}

async fn next(body: &mut (impl MessageBody + Unpin)) -> Option<Bytes> {
    let mut body = std::pin::Pin::new(body);
    poll_fn(|cx| body.as_mut().poll_next(cx))
        .await
        .map(|piece| piece.ok().unwrap())
}

async fn until(body: &mut (impl MessageBody + Unpin), wanted: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(wanted) {
        let piece = next(body)
            .await
            .unwrap_or_else(|| panic!("no {wanted:?} in {heard:?}"));
        heard.push_str(std::str::from_utf8(&piece).unwrap());
    }
    heard
}

#[actix_web::test]
async fn head_and_first_comment_come_before_the_model_says_anything_and_then_heartbeats() {
    let (puppet, say, _) = Puppet::new();
    let settings = HttpSettings {
        heartbeat: Duration::from_millis(5),
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        settings,
        ..Parts::default()
    })
    .await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    assert_eq!(body.size(), BodySize::Stream);
    assert!(next(&mut body).await.unwrap().starts_with(b": open\n\n"));
    until(&mut body, ": heartbeat\n\n").await;
    say.send("late").unwrap();
    until(&mut body, "late").await;
    drop(say);
    let end = until(&mut body, "event: done").await;
    assert!(
        end.contains("\"total_tokens\":9") && end.contains("\"finish_reason\":\"length\""),
        "{end}"
    );
    assert_eq!(next(&mut body).await, None);
}

#[actix_web::test]
async fn events_that_are_ready_together_are_one_write() {
    let (puppet, say, _) = Puppet::new();
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        ..Parts::default()
    })
    .await;
    for word in ["a", "b", "c"] {
        say.send(word).unwrap();
    }
    drop(say);
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    // The work goes on by itself: once its permit is back, everything is waiting.
    server.drain_streams().await;
    let mut body = response.into_body();
    let write = next(&mut body).await.unwrap();
    assert_eq!(events(std::str::from_utf8(&write).unwrap()).len(), 5);
    assert_eq!(next(&mut body).await, None);
}

#[actix_web::test]
async fn a_client_that_leaves_cancels_the_work_and_frees_its_permit() {
    let (puppet, say, was_cancelled) = Puppet::new();
    let permits = Permits {
        streams: 1,
        queue: 0,
        ..Permits::default()
    };
    let settings = HttpSettings {
        permits,
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        settings,
        ..Parts::default()
    })
    .await;
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    say.send("one").unwrap();
    until(&mut body, "one").await;
    let busy = server.call_as("grace", question()).await;
    busy.is(503, "busy");
    assert_eq!(busy.header("retry-after"), Some("2"));
    drop(body);
    was_cancelled.recv_timeout(Duration::from_secs(10)).unwrap();
    say.send("two").unwrap();
    server.drain_streams().await;
    assert_eq!(
        server
            .call_as("grace", post("/search", &json!({"query": "x"})))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn a_reader_that_takes_nothing_is_given_up() {
    let (puppet, say, was_cancelled) = Puppet::new();
    let settings = HttpSettings {
        stall_deadline: Duration::from_millis(20),
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        settings,
        ..Parts::default()
    })
    .await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    for _ in 0..100 {
        // The puppet may have stopped listening already.
        let _ = say.send("more than the channel holds");
    }
    server.drain_streams().await;
    was_cancelled.recv_timeout(Duration::from_secs(10)).unwrap();
    drop(response);
}

#[actix_web::test]
async fn a_panic_in_the_middle_is_the_terminal_event() {
    let (puppet, say, _) = Puppet::new();
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        ..Parts::default()
    })
    .await;
    say.send("one").unwrap();
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    let mut heard = until(&mut body, "one").await;
    say.send("panic").unwrap();
    heard.push_str(&until(&mut body, "event: error").await);
    assert_eq!(next(&mut body).await, None);
    let events = events(&heard);
    assert_eq!(names(&events), ["sources", "delta", "error"]);
    assert_eq!(events[2].1["error"]["code"], json!("internal_error"));
}
