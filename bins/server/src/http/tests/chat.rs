//! `/chat` on real connections, with a model behind a real connection.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_domain::{Message, Page, UserId};
use tenantry_http_client::{Answer, Gate, Piece, Recorded, StubServer, UreqTransport};
use tenantry_llm_client::{OpenAiCompleter, OpenAiSettings};
use tenantry_retrieval::{ChatTuning, Superuser, TenantUpdate};

use super::live::{Live, rest, until};
use super::process::{alone, files_of, wait_for_files};
use crate::http::HttpSettings;
use crate::http::testing::Parts;
use crate::offload::StreamCaps;
use crate::turn::testing::PATIENCE;

/// How an answer is asked for.
const FORMS: [bool; 2] = [true, false];

fn text(text: &str) -> Piece {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    Piece::Bytes(format!("data: {chunk}\n\n").into_bytes())
}

fn stop() -> Piece {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    Piece::Bytes(format!("data: {chunk}\n\ndata: [DONE]\n\n").into_bytes())
}

fn events(pieces: impl IntoIterator<Item = Piece>) -> Answer {
    Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces(pieces)
}

/// A server, and the upstream of its model.
struct Bench {
    live: Live,
    upstream: StubServer,
}

impl Bench {
    fn open(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        let upstream = StubServer::start(answer);
        let settings = OpenAiSettings::new(upstream.url("/v1"), "chat-model", "");
        let live = Live::start(Parts {
            completer: Arc::new(OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings)),
            stream_caps: StreamCaps {
                per_user: 60,
                per_tenant: 60,
            },
            settings: HttpSettings {
                // A client that has left is not noticed by writing.
                heartbeat: Duration::from_hours(1),
                ..HttpSettings::default()
            },
            ..Parts::default()
        });
        Self { live, upstream }
    }

    fn saying(pieces: Vec<Piece>) -> Self {
        let answer = events(pieces);
        Self::open(move |_| answer.clone())
    }

    fn on_leave(&self, policy: &str) {
        let update = TenantUpdate {
            chat: Some(Some(ChatTuning {
                on_leave: Some(policy.parse().unwrap()),
                ..ChatTuning::default()
            })),
            ..TenantUpdate::default()
        };
        let tenants = &self.live.backend.app.tenants;
        let saved = tenants.update(&Superuser::operator(), &"acme".parse().unwrap(), &update);
        saved.unwrap().unwrap();
    }

    /// Asks as ada, without passages, and gives the connection.
    fn ask(&self, stream: bool) -> TcpStream {
        let body = json!({"message": "How long?", "stream": stream, "retrieval": false}).to_string();
        let (token, length) = (self.live.backend.token("ada"), body.len());
        let mut connection = self.live.connect();
        write!(
            connection,
            "POST /chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        connection
    }

    /// Waits until that many questions have come to the model.
    fn wait_for_questions(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.upstream.requests().len() < count {
            assert!(Instant::now() < deadline, "the model is not asked");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What is kept of ada's latest conversation.
    fn kept(&self) -> Vec<Message> {
        let app = &self.live.backend.app;
        let root = Superuser::operator();
        let ada = app
            .accounts
            .user_by_email(&root, "ada@example.org")
            .unwrap()
            .unwrap();
        let scope = app
            .resolver
            .operator_scope(&root, &"acme".parse().unwrap())
            .unwrap();
        let (id, page): (UserId, _) = (ada.id, Page::default());
        let listed = app.conversations.list(&scope, id, page).unwrap();
        let messages = app.conversations.messages(&scope, id, listed.items[0].id, page);
        messages.unwrap().unwrap().items
    }

    fn answer(&self) -> (String, &'static str) {
        let messages = self.kept();
        assert_eq!(messages.len(), 2, "{messages:?}");
        (messages[1].text.clone(), messages[1].status.as_str())
    }
}

#[test]
fn whoever_leaves_has_the_upstream_connection_closed_and_the_part_kept() {
    let silent = events([]).before_head(Piece::Hold);
    for (answer, said) in [
        (silent, ""),
        (events([Piece::Hold]), ""),
        (events([text("Thirty"), Piece::Hold]), "Thirty"),
    ] {
        for stream in FORMS {
            let answer = answer.clone();
            let bench = Bench::open(move |_| answer.clone());
            let mut connection = bench.ask(stream);
            bench.wait_for_questions(1);
            if stream && !said.is_empty() {
                until(&mut connection, said);
            }
            assert!(!bench.upstream.client_left().is_open());
            drop(connection);
            assert!(
                bench.upstream.client_left().wait(PATIENCE),
                "the model goes on for nobody"
            );
            bench.live.settled();
            let (text, status) = bench.answer();
            assert_eq!(status, "cancelled");
            // In one piece nobody knows how much had come.
            assert!(text == said || !stream && text.is_empty(), "{text:?}");
        }
    }
}

#[test]
fn whoever_leaves_where_answers_are_finished_has_it_kept_whole() {
    for stream in FORMS {
        let go_on = Gate::new();
        let bench = Bench::saying(vec![
            text("Thirty "),
            Piece::Wait(go_on.clone()),
            text("days."),
            stop(),
        ]);
        bench.on_leave("finish");
        let connection = bench.ask(stream);
        bench.wait_for_questions(1);
        drop(connection);
        go_on.open();
        bench.live.settled();
        assert_eq!(bench.answer(), ("Thirty days.".to_owned(), "complete"));
        assert!(!bench.upstream.client_left().is_open());
    }
}

#[test]
fn whoever_leaves_at_the_end_changes_nothing() {
    let bench = Bench::saying(vec![text("Thirty days."), stop()]);
    for stream in FORMS {
        let mut connection = bench.ask(stream);
        until(&mut connection, "Thirty days.");
        drop(connection);
        bench.live.settled();
        assert_eq!(bench.answer(), ("Thirty days.".to_owned(), "complete"));
    }
}

#[test]
fn a_stop_ends_an_answer_with_its_event_and_keeps_the_part_as_failed() {
    let bench = Bench::saying(vec![text("Thirty"), Piece::Hold]);
    let mut connection = bench.ask(true);
    until(&mut connection, "Thirty");
    bench.live.terminate();
    let heard = rest(&mut connection);
    let (_, data) = heard.split_once("event: error\ndata: ").unwrap();
    let told: Value = serde_json::from_str(data.split_once('\n').unwrap().0).unwrap();
    assert_eq!(told["error"]["code"], json!("shutting_down"));
    assert_eq!(told["status"], json!("failed"));
    assert_eq!(bench.answer(), ("Thirty".to_owned(), "failed"));
}

#[test]
fn a_thousand_questions_whose_askers_leave_leave_nothing_behind() {
    alone(module_path!(), "alone_a_thousand_askers_leave");
}

#[test]
#[ignore = "it counts what the process has, so it is run in one of its own"]
fn alone_a_thousand_askers_leave() {
    let bench = Bench::saying(vec![text("Thirty"), Piece::Hold]);
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = files_of(&bench.live);
    for _ in 0..20 {
        let mut connections: Vec<_> = (0..25)
            .flat_map(|_| FORMS.map(|stream| bench.ask(stream)))
            .collect();
        for (place, connection) in connections.iter_mut().enumerate() {
            // Some leave at once, some before the first word, some after it.
            match place % 6 {
                2 => drop(until(connection, ": open")),
                4 => drop(until(connection, "Thirty")),
                _ => {}
            }
        }
        drop(connections);
        bench.live.settled();
    }
    wait_for_files(before);
    bench.live.settled();
    // Those of the server's pools, which stay a while for the next answers, and none for each of the thousand.
    assert!(threads() < 250, "{} threads", threads());
    let statuses = bench.kept();
    assert!(statuses.iter().all(|message| message.status.as_str() != "failed"));
}
