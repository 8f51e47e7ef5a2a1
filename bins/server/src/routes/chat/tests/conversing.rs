//! Questions that go on with a conversation.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_llm_client::{MemoryCompleter, Prompt, Task};

use super::bench::{TEXT, answered_by, ask, deltas, end, events, messages, set, streamed};
use crate::http::testing::{Parts, Server, bearer, delete, get, until};

/// Rewrites by rote, and answers with how many turns it was told of.
fn counting() -> Arc<MemoryCompleter> {
    Arc::new(MemoryCompleter::new(|prompt: &Prompt| {
        Ok(match prompt.task {
            Task::Rewrite => "How can goods be returned by post?".to_owned(),
            Task::Answer => format!("{} turns before [1].", prompt.history.len()),
        })
    }))
}

async fn with(model: &Arc<MemoryCompleter>) -> Server {
    let server = Server::with(Parts {
        completer: model.clone(),
        ..Parts::default()
    })
    .await;
    server.add("ada", "Returns", TEXT).await;
    server
}

#[actix_web::test]
async fn a_question_without_a_conversation_begins_one_and_the_next_goes_on_with_it() {
    let model = counting();
    let server = with(&model).await;
    let first = server.call_as("ada", ask(&json!({}))).await.json();
    assert_eq!(first["answer"], json!("0 turns before [1]."));
    let follow = json!({"message": "And by post?", "conversation_id": first["conversation_id"]});
    let second = server.call_as("ada", ask(&follow)).await.json();
    assert_eq!(second["answer"], json!("2 turns before [1]."));
    assert_eq!(second["conversation_id"], first["conversation_id"]);
    assert_ne!(second["message_id"], first["message_id"]);
    let follow =
        json!({"message": "And by post?", "conversation_id": first["conversation_id"], "stream": true});
    let third = server.call_as("ada", ask(&follow)).await;
    let third = events(third.text());
    assert_eq!(deltas(&third).concat(), "4 turns before [1].");
    assert_eq!(end(&third)["conversation_id"], first["conversation_id"]);
    let kept = messages(&server, "ada", &first["conversation_id"]).await;
    let said: Vec<(&str, &str)> = kept
        .iter()
        .map(|message| {
            (
                message["role"].as_str().unwrap(),
                message["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("user", "How long can goods be returned?"),
            ("assistant", "0 turns before [1]."),
            ("user", "And by post?"),
            ("assistant", "2 turns before [1]."),
            ("user", "And by post?"),
            ("assistant", "4 turns before [1]."),
        ]
    );
    let rewritten = model
        .prompts()
        .iter()
        .filter(|prompt| prompt.task == Task::Rewrite)
        .count();
    assert_eq!(rewritten, 2, "the first question stands alone");
}

#[actix_web::test]
async fn a_question_beside_a_conversation_knows_nothing_of_it() {
    let model = counting();
    let server = with(&model).await;
    server
        .call_as("ada", ask(&json!({"message": "About goods: marker-7"})))
        .await;
    let answer = server.call_as("ada", ask(&json!({}))).await.json();
    assert_eq!(answer["answer"], json!("0 turns before [1]."));
    assert!(!format!("{:?}", model.prompts().last()).contains("marker-7"));
}

#[actix_web::test]
async fn what_is_rewritten_and_how_much_is_sent_follows_the_settings_at_once() {
    let model = counting();
    let server = with(&model).await;
    let first = server.call_as("ada", ask(&json!({}))).await.json();
    let follow = json!({"message": "goods, and by post?", "conversation_id": first["conversation_id"]});
    set(&server, "acme", json!({"follow_ups": "as_asked"})).await;
    server.call_as("ada", ask(&follow)).await;
    assert!(model.prompts().iter().all(|prompt| prompt.task == Task::Answer));
    set(&server, "acme", json!({"history_tokens": 0})).await;
    let answer = server.call_as("ada", ask(&follow)).await.json();
    assert_eq!(answer["answer"], json!("0 turns before [1]."));
}

#[actix_web::test]
async fn an_answer_to_a_conversation_that_was_removed_meanwhile_is_given_and_kept_nowhere() {
    let (puppet, mut strings) = super::bench::Puppet::new();
    let server = answered_by(puppet).await;
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    strings.say("Thirty ");
    let mut heard = until(&mut body, "Thirty").await;
    let listed = server.call_as("ada", get("/conversations")).await.json();
    let path = format!("/conversations/{}", listed["items"][0]["id"].as_str().unwrap());
    assert_eq!(server.call_as("ada", delete(&path)).await.status, 204);
    strings.say("days [1].");
    strings.end();
    heard.push_str(&until(&mut body, "event: done").await);
    let events = events(&heard);
    assert_eq!(deltas(&events).concat(), "Thirty days [1].");
    let done = end(&events);
    assert_eq!(
        (&done["conversation_id"], &done["message_id"]),
        (&Value::Null, &Value::Null)
    );
    server.call_as("ada", get(&path)).await.is(404, "not_found");
}
