//! What is kept of an answer whose client leaves.

use serde_json::json;

use super::bench::{Puppet, Strings, answered_by, answered_within, kept, latest, question, set, streamed};
use crate::http::HttpSettings;
use crate::http::testing::{Server, bearer, one_stream, post, until};

/// A server whose one answer at a time waits for the test.
async fn held(on_leave: &str) -> (Server, Strings) {
    let (puppet, strings) = Puppet::new();
    let server = answered_within(one_stream(), puppet).await;
    set(&server, "acme", json!({"on_leave": on_leave})).await;
    (server, strings)
}

#[actix_web::test]
async fn before_the_first_token_the_model_is_stopped_and_an_empty_answer_is_kept_as_cancelled() {
    let (server, strings) = held("cancel").await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    strings.wait_until_asked().await;
    drop(response);
    strings.wait_until_cancelled().await;
    strings.say("too late");
    server.drain_streams().await;
    assert_eq!(kept(&latest(&server, "ada").await[1]), ("", "cancelled"));
}

#[actix_web::test]
async fn between_tokens_the_model_is_stopped_and_the_part_is_kept_as_cancelled() {
    let (server, strings) = held("cancel").await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    let mut body = response.into_body();
    strings.say("Thirty ");
    until(&mut body, "Thirty").await;
    server.call_as("grace", question()).await.is(503, "busy");
    drop(body);
    strings.wait_until_cancelled().await;
    strings.say("days");
    server.drain_streams().await;
    let messages = latest(&server, "ada").await;
    assert_eq!(kept(&messages[0]).1, "complete", "it is the question");
    assert_eq!(kept(&messages[1]), ("Thirty ", "cancelled"));
    assert_eq!(messages[1]["usage"]["estimated"], json!(true));
    let searched = server
        .call_as("grace", post("/search", &json!({"query": "x"})))
        .await;
    assert_eq!(searched.status, 200);
}

#[actix_web::test]
async fn at_the_end_the_whole_answer_is_kept_as_complete() {
    let (server, mut strings) = held("cancel").await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    strings.say("Thirty days [1].");
    strings.end();
    server.drain_streams().await;
    // Nothing of it was read.
    drop(response);
    assert_eq!(
        kept(&latest(&server, "ada").await[1]),
        ("Thirty days [1].", "complete")
    );
}

#[actix_web::test]
async fn where_the_tenant_wants_it_finished_it_is_kept_whole_whenever_the_client_leaves() {
    for leaves_after in ["", "Thirty "] {
        let (server, mut strings) = held("finish").await;
        let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
        let mut body = response.into_body();
        strings.wait_until_asked().await;
        if !leaves_after.is_empty() {
            strings.say(leaves_after);
            until(&mut body, "Thirty").await;
        }
        drop(body);
        for word in ["days ", "[1]"] {
            strings.say(word);
        }
        strings.end();
        server.drain_streams().await;
        assert!(!strings.was_cancelled());
        let text = format!("{leaves_after}days [1]");
        let messages = latest(&server, "ada").await;
        assert_eq!(kept(&messages[1]), (text.as_str(), "complete"));
        assert_eq!(messages[1]["citations"].as_array().unwrap().len(), 1);
    }
}

#[actix_web::test]
async fn a_cancelled_answer_is_history_for_the_next_question() {
    let (puppet, mut strings) = Puppet::new();
    let server = answered_by(puppet).await;
    // A puppet cannot rewrite.
    set(&server, "acme", json!({"follow_ups": "as_asked"})).await;
    let mut body = server
        .begin(bearer(streamed(), &server.token("ada")))
        .await
        .into_body();
    strings.say("Thirty ");
    let heard = until(&mut body, "Thirty").await;
    drop(body);
    strings.wait_until_cancelled().await;
    strings.say("days");
    server.drain_streams().await;
    let (_, rest) = heard.split_once("\"conversation_id\":\"").unwrap();
    let conversation = rest.split_once('"').unwrap().0;
    strings.say("Days [1].");
    strings.end();
    let next = json!({"message": "How many goods?", "conversation_id": conversation});
    let answer = server.call_as("ada", post("/chat", &next)).await.json();
    assert_eq!(answer["conversation_id"], json!(conversation));
    let messages = latest(&server, "ada").await;
    let said: Vec<_> = messages.iter().map(kept).map(|(_, status)| status).collect();
    assert_eq!(said, ["complete", "cancelled", "complete", "complete"]);
}

#[actix_web::test]
async fn a_reader_that_takes_nothing_is_given_up() {
    let (puppet, strings) = Puppet::new();
    let settings = HttpSettings {
        stall_deadline: std::time::Duration::from_millis(20),
        ..HttpSettings::default()
    };
    let server = answered_within(settings, puppet).await;
    let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
    for _ in 0..100 {
        strings.say("more than the channel holds ");
    }
    server.drain_streams().await;
    strings.wait_until_cancelled().await;
    drop(response);
    assert_eq!(kept(&latest(&server, "ada").await[1]).1, "cancelled");
}
