//! Servers with documents and models that do as a test says, and what clients read of them.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_domain::Cancellation;
use tenantry_llm_client::{Completer, Completion, FinishReason, LlmError, Prompt, Usage};
use tokio::time::{sleep, timeout};

use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, get, post, put};

/// What the document of ada's tenant says.
pub(super) const TEXT: &str = "Goods can be returned within 30 days.";

/// A question that the document answers.
pub(super) fn question() -> TestRequest {
    ask(&json!({}))
}

pub(super) fn streamed() -> TestRequest {
    question().insert_header(("accept", "text/event-stream"))
}

/// The question with more fields, or others.
pub(super) fn ask(fields: &Value) -> TestRequest {
    let mut body = json!({"message": "How long can goods be returned?"});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    post("/chat", &body)
}

pub(super) async fn answered_by(completer: impl Completer + 'static) -> Server {
    answered_within(HttpSettings::default(), completer).await
}

pub(super) async fn answered_within(settings: HttpSettings, completer: impl Completer + 'static) -> Server {
    let server = Server::with(Parts {
        completer: Arc::new(completer),
        settings,
        ..Parts::default()
    })
    .await;
    server.add("ada", "Returns", TEXT).await;
    server
}

/// Changes how a tenant is answered.
pub(super) async fn set(server: &Server, tenant: &str, chat: Value) {
    let path = format!("/admin/tenants/{tenant}");
    let saved = server.call_as("root", put(&path, &json!({"chat": chat}))).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
}

/// The events of a stream, which has to follow the grammar, with their data.
pub(super) fn events(stream: &str) -> Vec<(String, Value)> {
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
    let is_terminal = |name: &str| matches!(name, "done" | "error");
    let terminal = events.iter().filter(|(name, _)| is_terminal(name)).count();
    assert_eq!(terminal, 1, "{stream}");
    assert!(is_terminal(&events.last().unwrap().0), "{stream}");
    let sources = events.iter().filter(|(name, _)| name == "sources").count();
    assert!(
        sources <= 1 && events.iter().skip(1).all(|(name, _)| name != "sources"),
        "{stream}"
    );
    events
}

pub(super) fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

/// The pieces of the text.
pub(super) fn deltas(events: &[(String, Value)]) -> Vec<&str> {
    let deltas = events.iter().filter(|(name, _)| name == "delta");
    deltas.map(|(_, data)| data["text"].as_str().unwrap()).collect()
}

/// The data of the terminal event.
pub(super) fn end(events: &[(String, Value)]) -> &Value {
    &events.last().unwrap().1
}

/// The messages of a conversation of the user of that name.
pub(super) async fn messages(server: &Server, name: &str, conversation: &Value) -> Vec<Value> {
    let path = format!("/conversations/{}/messages", conversation.as_str().unwrap());
    let listed = server.call_as(name, get(&path)).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    listed.json()["items"].as_array().unwrap().clone()
}

/// The messages of the conversation that was changed last.
pub(super) async fn latest(server: &Server, name: &str) -> Vec<Value> {
    let listed = server.call_as(name, get("/conversations")).await.json();
    messages(server, name, &listed["items"][0]["id"]).await
}

/// The text and the status of a message.
pub(super) fn kept(message: &Value) -> (&str, &str) {
    (
        message["text"].as_str().unwrap(),
        message["status"].as_str().unwrap(),
    )
}

/// A model that says what the test tells it to, and notes when it was cancelled.
pub(super) struct Puppet {
    lines: Mutex<Receiver<&'static str>>,
    asked: Mutex<Sender<()>>,
    cancelled: Mutex<Sender<()>>,
}

/// The test's end of it.
pub(super) struct Strings {
    say: Option<Sender<&'static str>>,
    asked: Receiver<()>,
    cancelled: Receiver<()>,
}

impl Puppet {
    pub(super) fn new() -> (Self, Strings) {
        let (say, lines) = channel();
        let (asked, was_asked) = channel();
        let (cancelled, was_cancelled) = channel();
        let puppet = Self {
            lines: lines.into(),
            asked: asked.into(),
            cancelled: cancelled.into(),
        };
        let strings = Strings {
            say: Some(say),
            asked: was_asked,
            cancelled: was_cancelled,
        };
        (puppet, strings)
    }
}

impl Strings {
    /// Lets the model say something; one that was stopped does not hear it.
    pub(super) fn say(&self, text: &'static str) {
        let _ = self.say.as_ref().unwrap().send(text);
    }

    /// Lets it come to its end.
    pub(super) fn end(&mut self) {
        self.say = None;
    }

    /// Waits until the model was asked.
    pub(super) async fn wait_until_asked(&self) {
        wait_for(&self.asked).await;
    }

    /// Waits until it was cancelled.
    pub(super) async fn wait_until_cancelled(&self) {
        wait_for(&self.cancelled).await;
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.cancelled.try_recv().is_ok()
    }
}

/// Waits without blocking the thread, on which the server runs too.
async fn wait_for(sign: &Receiver<()>) {
    let seen = async {
        while sign.try_recv().is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(20), seen).await.unwrap();
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
        let _ = self.asked.lock().unwrap().send(());
        for line in self.lines.lock().unwrap().iter() {
            assert_ne!(line, "panic");
            if cancellation.is_cancelled() || on_delta(line).is_break() {
                return Err(LlmError::Cancelled);
            }
        }
        Ok(Completion {
            text: String::new(),
            model: "puppet".into(),
            asked: "puppet".into(),
            finish: FinishReason::Length,
            usage: Some(Usage {
                prompt_tokens: 7,
                completion_tokens: 2,
            }),
        })
    }
}
