//! Whatever an upstream does in the middle of an answer, over a real connection.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tenantry_http_client::{Answer, Piece, StubServer, UreqTransport};
use tenantry_llm_client::{CompletionDeadlines, OpenAiCompleter, OpenAiSettings};

use super::bench::{answered_by, deltas, end, events, kept, latest, names, question, streamed};
use crate::http::testing::Server;

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    json!({
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": null,
    })
    .to_string()
}

fn content(text: &str) -> String {
    chunk(&json!({ "content": text }), None)
}

/// A whole answer as a provider streams it.
pub(super) fn whole_answer(text: &str) -> Answer {
    let usage = json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}});
    Answer::events([
        chunk(&json!({"role": "assistant", "content": ""}), None),
        content(text),
        chunk(&json!({}), Some("stop")),
        usage.to_string(),
        "[DONE]".to_owned(),
    ])
}

fn event(data: &str) -> Piece {
    Piece::Bytes(format!("data: {data}\n\n").into_bytes())
}

fn raw(bytes: &str) -> Piece {
    Piece::Bytes(bytes.as_bytes().to_vec())
}

fn stream_of(pieces: impl IntoIterator<Item = Piece>) -> Answer {
    Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces(pieces)
}

/// A server whose model is behind this upstream.
async fn behind(answer: Answer) -> (Server, StubServer) {
    let upstream = StubServer::start(move |_| answer.clone());
    let settings = OpenAiSettings {
        deadlines: CompletionDeadlines {
            between_tokens: Duration::from_secs(1),
            ..CompletionDeadlines::default()
        },
        ..OpenAiSettings::new(upstream.url("/v1"), "chat-model", "")
    };
    let completer = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
    (answered_by(completer).await, upstream)
}

/// What follows two good pieces, and the code that it ends the answer with.
fn faults() -> Vec<(&'static str, Vec<Piece>, &'static str)> {
    let error = r#"{"error":{"message":"upstream-text","type":"server_error","param":null,"code":null}}"#;
    let numbered = r#"{"error":{"message":"upstream-text","type":"server_error","code":500}}"#;
    let flat = r#"{"object":"error","message":"upstream-text","type":"x","param":null,"code":500}"#;
    let line = |text: &str| raw(&format!("event: error\ndata: {text}\n\n"));
    vec![
        ("an error", vec![event(error)], "llm_truncated"),
        (
            "an error and the end",
            vec![event(error), event("[DONE]")],
            "llm_truncated",
        ),
        ("an error with a number", vec![event(numbered)], "llm_truncated"),
        (
            "an error in a text",
            vec![event(r#"{"error":"upstream-text"}"#)],
            "llm_truncated",
        ),
        ("an error without its object", vec![event(flat)], "llm_truncated"),
        (
            "an error with its event's name",
            vec![line(error)],
            "llm_truncated",
        ),
        ("an end too early", vec![], "llm_truncated"),
        ("a connection that breaks", vec![Piece::Break], "llm_truncated"),
        (
            "a connection that breaks in an event",
            vec![raw("data: {\"choices\":[{\"in"), Piece::Break],
            "llm_truncated",
        ),
        (
            "an end in an event",
            vec![raw("data: {\"choices\":[{\"in")],
            "llm_truncated",
        ),
        ("silence", vec![Piece::Hold], "llm_truncated"),
        (
            "what is no JSON",
            vec![event("{\"choices\":[{\"in"), event("[DONE]")],
            "llm_truncated",
        ),
    ]
}

#[actix_web::test]
async fn every_fault_in_the_middle_ends_with_one_error_and_keeps_the_part_as_failed() {
    for (fault, pieces, code) in faults() {
        let good = [event(&content("Thirty ")), event(&content("days "))];
        let (server, _upstream) = behind(stream_of(good.into_iter().chain(pieces))).await;
        let answer = server.call_as("ada", streamed()).await;
        assert_eq!(answer.status, 200, "{fault}");
        assert!(!answer.text().contains("upstream-text"), "{fault}");
        let events = events(answer.text());
        let told = end(&events);
        assert_eq!(names(&events).last(), Some(&"error"), "{fault}");
        assert_eq!(told["error"]["code"], json!(code), "{fault}");
        assert_eq!(told["status"], json!("failed"), "{fault}");
        assert_eq!(deltas(&events).concat(), "Thirty days ", "{fault}");
        let messages = latest(&server, "ada").await;
        assert_eq!(messages[1]["id"], told["message_id"], "{fault}");
        assert_eq!(kept(&messages[1]), ("Thirty days ", "failed"), "{fault}");
        assert_eq!(messages[1]["usage"]["estimated"], json!(true), "{fault}");

        let whole = server.call_as("ada", question()).await;
        whole.is(502, code);
        assert!(!whole.text().contains("upstream-text"), "{fault}");
        assert_eq!(
            kept(&latest(&server, "ada").await[1]),
            ("Thirty days ", "failed"),
            "{fault}"
        );
    }
}

#[actix_web::test]
async fn what_other_servers_leave_out_or_add_is_no_fault() {
    let stop = || chunk(&json!({}), Some("stop"));
    let texts = || [event(&content("Thirty ")), event(&content("days [1]."))];
    let azure = r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[]}"#;
    let with_end = |pieces: Vec<Piece>| pieces.into_iter().chain(texts()).chain([event(&stop())]);
    let crlf = format!(
        "data: {}\r\n\r\ndata:{}\r\n\r\n",
        content("Thirty "),
        content("days [1].")
    );
    let in_bytes = |text: String| {
        text.into_bytes()
            .chunks(1)
            .map(<[u8]>::to_vec)
            .map(Piece::Bytes)
            .collect::<Vec<_>>()
    };
    let spelled = format!(
        "data: {}\n\ndata: {}\n\n",
        content("Thirty days"),
        content(" [1].")
    );
    for pieces in [
        // Without `[DONE]`, and without usage.
        with_end(vec![]).collect::<Vec<_>>(),
        with_end(vec![event(azure), raw(": keep-alive\n\n")]).collect(),
        vec![raw(&crlf), event(&stop()), event("[DONE]")],
        in_bytes(spelled + &format!("data: {}\n\n", stop())),
    ] {
        let (server, _upstream) = behind(stream_of(pieces)).await;
        let answer = server.call_as("ada", streamed()).await;
        let events = events(answer.text());
        assert_eq!(deltas(&events).concat(), "Thirty days [1].");
        let done = end(&events);
        assert_eq!(
            (&done["status"], &done["finish_reason"]),
            (&json!("complete"), &json!("stop"))
        );
        assert_eq!(done["usage"]["estimated"], json!(true));
    }
}

#[actix_web::test]
async fn the_tokens_of_the_provider_are_shown_and_kept() {
    let (server, _upstream) = behind(whole_answer("Thirty days [1].")).await;
    let expected =
        json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "estimated": false});
    let answer = server.call_as("ada", question()).await.json();
    assert_eq!(answer["usage"], expected);
    assert_eq!(latest(&server, "ada").await[1]["usage"], expected);
}

#[actix_web::test]
async fn an_answer_that_is_cut_off_or_filtered_says_why_it_ended() {
    for reason in ["length", "content_filter"] {
        let pieces = [
            event(&content("Thirty [1]")),
            event(&chunk(&json!({}), Some(reason))),
        ];
        let (server, _upstream) = behind(stream_of(pieces)).await;
        let answer = server.call_as("ada", question()).await.json();
        assert_eq!(answer["finish_reason"], json!(reason));
        assert_eq!(answer["status"], json!("complete"));
    }
}
