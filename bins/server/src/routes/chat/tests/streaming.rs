//! The order of events, and what they say.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use serde_json::{Value, json};
use tenantry_llm_client::{FailingCompleter, LlmError, MemoryCompleter};
use tenantry_tenant_store::testing::unavailable;

use super::bench::{
    Puppet, answered_by, answered_within, deltas, end, events, kept, latest, messages, names, streamed,
};
use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, bearer, next, until};

#[actix_web::test]
async fn a_stream_gives_sources_then_the_text_then_the_end() {
    let said = "Thirty days [1].\n\nevent: done\ndata: {}\n\nNo more. 😀";
    let server = answered_by(MemoryCompleter::saying(said).counting(super::usage())).await;
    let answer = server.call_as("ada", streamed()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let events = events(answer.text());
    let (name, sources) = &events[0];
    assert_eq!(name, "sources");
    assert_eq!(sources["sources"][0]["title"], json!("Returns"));
    assert_eq!(deltas(&events).concat(), said);
    let done = end(&events);
    let source = &sources["sources"][0];
    assert_eq!(
        done,
        &json!({
            "citations": [{
                "number": 1, "document_id": source["document_id"], "title": "Returns", "start": 0, "end": 37,
                "page": null, "excerpt": source["excerpt"]
            }],
            "supported": true, "model": "memory", "finish_reason": "stop", "status": "complete",
            "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "estimated": false},
            "conversation_id": sources["conversation_id"], "message_id": sources["message_id"]
        })
    );
    let messages = messages(&server, "ada", &done["conversation_id"]).await;
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["id"], done["message_id"]);
    assert_eq!(messages[1]["citations"], done["citations"]);
    assert_eq!(kept(&messages[1]), (said, "complete"));
}

#[actix_web::test]
async fn a_failure_in_the_middle_is_the_one_terminal_event_and_what_was_said_is_kept() {
    let failing = FailingCompleter::after(["Thirty ", "da"], || LlmError::Truncated("upstream-text".into()));
    let server = answered_by(failing).await;
    let answer = server.call_as("ada", streamed()).await;
    assert_eq!(answer.status, 200);
    let events = events(answer.text());
    assert_eq!(names(&events), ["sources", "delta", "delta", "error"]);
    let told = end(&events);
    let error = &told["error"];
    assert_eq!(error["code"], json!("llm_truncated"));
    assert_eq!(error["request_id"].as_str(), answer.header("x-request-id"));
    let sources = &events[0].1;
    for place in ["conversation_id", "message_id"] {
        assert!(told[place].is_string() && told[place] == sources[place], "{told}");
    }
    assert_eq!(told["status"], json!("failed"));
    assert!(!answer.text().contains("upstream-text"));
    let messages = messages(&server, "ada", &told["conversation_id"]).await;
    assert_eq!(messages[1]["id"], told["message_id"]);
    assert_eq!(kept(&messages[1]), ("Thirty da", "failed"));
}

#[actix_web::test]
async fn an_answer_that_cannot_be_kept_ends_with_an_error_that_says_so() {
    let server = answered_by(MemoryCompleter::saying("Thirty days [1].")).await;
    server
        .store
        .fail_when(|method| (method == "finish_turn").then(unavailable));
    let answer = server.call_as("ada", streamed()).await;
    let events = events(answer.text());
    assert_eq!(deltas(&events).concat(), "Thirty days [1].");
    let told = end(&events);
    assert_eq!(told["error"]["code"], json!("store_unavailable"));
    assert_eq!(
        (&told["status"], &told["message_id"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(told["conversation_id"], events[0].1["conversation_id"]);
    server.heal_store();
    assert_eq!(messages(&server, "ada", &told["conversation_id"]).await.len(), 1);
}

#[actix_web::test]
async fn head_and_first_comment_come_before_the_model_says_anything_and_then_heartbeats() {
    let (puppet, mut strings) = Puppet::new();
    let settings = HttpSettings {
        heartbeat: Duration::from_millis(5),
        ..HttpSettings::default()
    };
    let server = answered_within(settings, puppet).await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    assert_eq!(body.size(), BodySize::Stream);
    assert!(next(&mut body).await.unwrap().starts_with(b": open\n\n"));
    until(&mut body, ": heartbeat\n\n").await;
    strings.say("late [1]");
    until(&mut body, "late").await;
    strings.end();
    let end = until(&mut body, "event: done").await;
    assert!(
        end.contains("\"total_tokens\":9") && end.contains("\"finish_reason\":\"length\""),
        "{end}"
    );
    assert_eq!(next(&mut body).await, None);
}

#[actix_web::test]
async fn events_that_are_ready_together_are_one_write() {
    let (puppet, mut strings) = Puppet::new();
    let server = answered_by(puppet).await;
    for _ in 0..32 {
        strings.say("word ");
    }
    strings.say("[1]");
    strings.end();
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    // The work goes on by itself: once its permit is back, everything is waiting.
    server.drain_streams().await;
    let mut body = response.into_body();
    let write = next(&mut body).await.unwrap();
    let events = events(std::str::from_utf8(&write).unwrap());
    assert!(deltas(&events).len() >= 32);
    assert_eq!(next(&mut body).await, None);
}

/// The events of an answer that is at its first word when `stop` is done.
async fn stopped_by(settings: HttpSettings, stop: impl AsyncFnOnce(&Server, &str)) -> Vec<(String, Value)> {
    let (puppet, strings) = Puppet::new();
    let server = answered_within(settings, puppet).await;
    strings.say("one");
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    let mut heard = until(&mut body, "one").await;
    stop(&server, &heard).await;
    strings.wait_until_cancelled().await;
    strings.say(" two");
    heard.push_str(&until(&mut body, "event: error").await);
    assert_eq!(next(&mut body).await, None);
    server.drain_streams().await;
    let events = events(&heard);
    assert_eq!(names(&events), ["sources", "delta", "error"]);
    assert_eq!(end(&events)["status"], json!("failed"));
    assert_eq!(kept(&latest(&server, "ada").await[1]), ("one", "failed"));
    events
}

#[actix_web::test]
async fn what_ends_an_answer_from_outside_is_an_error_and_the_part_is_kept_as_failed() {
    let late = stopped_by(
        HttpSettings {
            // Long enough for the first word on a machine that has much to do.
            answer_deadline: Duration::from_secs(2),
            ..HttpSettings::default()
        },
        async |_, _| {},
    );
    assert_eq!(end(&late.await)["error"]["code"], json!("deadline_exceeded"));
    let expired = stopped_by(
        HttpSettings {
            access_check: Duration::from_millis(2),
            ..HttpSettings::default()
        },
        async |server, _| server.clock.advance(Duration::from_hours(1)),
    );
    assert_eq!(end(&expired.await)["error"]["code"], json!("unauthenticated"));
    let stopping = stopped_by(HttpSettings::default(), async |server, _| {
        server.offload.underway().stop();
    });
    assert_eq!(end(&stopping.await)["error"]["code"], json!("shutting_down"));
}

#[actix_web::test]
async fn a_panic_in_the_middle_is_the_terminal_event_and_the_part_is_kept_as_failed() {
    let (puppet, strings) = Puppet::new();
    let server = Server::with(Parts {
        completer: Arc::new(puppet),
        ..Parts::default()
    })
    .await;
    server.add("ada", "Returns", super::TEXT).await;
    strings.say("one");
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    let mut heard = until(&mut body, "one").await;
    strings.say("panic");
    heard.push_str(&until(&mut body, "event: error").await);
    assert_eq!(next(&mut body).await, None);
    let events = events(&heard);
    assert_eq!(names(&events), ["sources", "delta", "error"]);
    assert_eq!(end(&events)["error"]["code"], json!("internal_error"));
    assert_eq!(end(&events)["status"], json!("failed"));
    assert_eq!(kept(&latest(&server, "ada").await[1]), ("one", "failed"));
}
