//! Two tenants at once, and users who try each other's conversations.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tenantry_llm_client::{MemoryCompleter, Prompt};

use super::bench::{ask, deltas, events, messages};
use crate::http::testing::{Answer, Parts, Server, get};
use crate::offload::StreamCaps;

const UNKNOWN: &str = "019a7c12-9a44-7d11-8e5b-7f0f2f3f9a10";

/// Answers with all that it was told.
fn telling() -> MemoryCompleter {
    MemoryCompleter::new(|prompt: &Prompt| {
        let passages: String = prompt
            .passages
            .iter()
            .map(|passage| passage.text.as_str())
            .collect();
        let system = prompt.system.as_deref().unwrap_or_default();
        let said: String = prompt.history.iter().map(|past| past.text.as_str()).collect();
        Ok(format!("{system}. {passages} {said} {} [1]", prompt.question))
    })
}

async fn both() -> Server {
    let server = Server::with(Parts {
        completer: Arc::new(telling()),
        stream_caps: StreamCaps {
            per_user: 40,
            per_tenant: 40,
        },
        ..Parts::default()
    })
    .await;
    server
        .add("ada", "T", "Goods can be returned: marker-of-acme.")
        .await;
    server
        .add("grace", "T", "Goods can be returned: marker-of-globex.")
        .await;
    server
}

fn told(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    if answer.header("content-type") == Some("text/event-stream") {
        deltas(&events(answer.text())).concat()
    } else {
        answer.json()["answer"].as_str().unwrap().to_owned()
    }
}

#[actix_web::test]
async fn two_tenants_at_once_are_told_nothing_of_each_other() {
    let server = both().await;
    let conversations = join_all(["ada", "grace"].map(async |name| {
        let message = format!("How can goods be returned? asked-by-{name}");
        let first = server.call_as(name, ask(&json!({ "message": message }))).await;
        first.json()["conversation_id"].clone()
    }))
    .await;
    let asked = (0..40).map(|turn| {
        let place = turn % 2;
        let (name, conversation) = (["ada", "grace"][place], &conversations[place]);
        // Some go on with what was said, some stream, and all come at once.
        let mut fields = json!({"message": "How can goods be returned?", "stream": turn % 3 == 0});
        if turn % 4 < 2 {
            fields["conversation_id"] = conversation.clone();
        }
        let server = &server;
        async move { (name, server.call_as(name, ask(&fields)).await) }
    });
    for (name, answer) in join_all(asked).await {
        let (own, foreign) = match name {
            // Not the bare name: an id may have `ada` among its digits.
            "ada" => (["acme"], ["globex", "by-grace"]),
            _ => (["globex"], ["acme", "by-ada"]),
        };
        let whole = answer.text();
        assert!(
            own.iter().all(|word| told(&answer).contains(word)),
            "{name}: {whole}"
        );
        assert!(
            !foreign.iter().any(|word| whole.contains(word)),
            "{name}: {whole}"
        );
    }
}

#[actix_web::test]
async fn a_foreign_conversation_is_answered_like_one_that_does_not_exist_and_gets_no_message() {
    let server = both().await;
    server.hire("bob", "acme", false);
    server.hire("boss", "acme", true);
    let own = server.call_as("ada", ask(&json!({}))).await.json()["conversation_id"].clone();
    for stream in [false, true] {
        let asking = async |name: &str, id: &str| {
            let fields = json!({"conversation_id": id, "stream": stream, "message": "mine?"});
            server.call_as(name, ask(&fields)).await
        };
        let unknown = asking("bob", UNKNOWN).await;
        unknown.is(404, "not_found");
        assert!(
            unknown.message().contains("`conversation_id`"),
            "{}",
            unknown.message()
        );
        for name in ["bob", "boss", "grace"] {
            let foreign = asking(name, own.as_str().unwrap()).await;
            assert_eq!(foreign.anonymous(), unknown.anonymous(), "{name}");
            foreign.is(404, "not_found");
        }
        let malformed = asking("bob", "conversation").await;
        assert_eq!(malformed.anonymous(), unknown.anonymous());
    }
    assert_eq!(messages(&server, "ada", &own).await.len(), 2);
    for name in ["bob", "boss", "grace"] {
        let listed = server.call_as(name, get("/conversations")).await;
        assert_eq!(listed.json()["total"], json!(0), "{name}");
    }
}

#[actix_web::test]
async fn whoever_is_moved_to_another_tenant_leaves_their_conversations_behind() {
    let server = both().await;
    let before = server.call_as("ada", ask(&json!({}))).await.json();
    let id = before["conversation_id"].as_str().unwrap();
    server.transfer("ada", "globex");
    let listed = server.call_as("ada", get("/conversations")).await;
    assert_eq!(listed.json()["total"], json!(0));
    let fields = json!({"conversation_id": id});
    server.call_as("ada", ask(&fields)).await.is(404, "not_found");
    let answer = server.call_as("ada", ask(&json!({}))).await.json();
    let text = answer["answer"].as_str().unwrap();
    assert!(
        text.contains("marker-of-globex") && !text.contains("acme"),
        "{text}"
    );
    server.transfer("ada", "acme");
    assert_eq!(server.call_as("ada", ask(&fields)).await.status, 200);
}
