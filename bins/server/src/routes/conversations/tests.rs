use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_llm_client::MemoryCompleter;

use crate::http::testing::{Parts, Server, delete, get, post, put};

const UNKNOWN: &str = "/conversations/019a7c12-9a44-7d11-8e5b-7f0f2f3f9a10";

async fn create(server: &Server, title: &str) -> Value {
    let created = server
        .call_as("ada", post("/conversations", &json!({ "title": title })))
        .await;
    assert_eq!(created.status, 201, "{}", created.text());
    server.clock.advance(Duration::from_secs(1));
    created.json()
}

fn path(conversation: &Value) -> String {
    format!("/conversations/{}", conversation["id"].as_str().unwrap())
}

async fn titles(server: &Server, query: &str) -> (Vec<String>, Value) {
    let listed = server
        .call_as("ada", get(&format!("/conversations{query}")))
        .await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let json = listed.json();
    let items = json["items"].as_array().unwrap().iter();
    let titles = items
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect();
    (titles, json["total"].clone())
}

#[actix_web::test]
async fn a_conversation_is_made_shown_renamed_and_removed() {
    let server = Server::new().await;
    let created = server
        .call_as("ada", post("/conversations/", &json!({"title": "  Returns "})))
        .await;
    assert_eq!(created.status, 201);
    let json = created.json();
    let path = path(&json);
    assert_eq!(created.header("location"), Some(path.as_str()));
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["created_at", "id", "title", "updated_at"]);
    assert_eq!(
        (&json["title"], &json["updated_at"]),
        (&json!("Returns"), &json["created_at"])
    );
    assert_eq!(server.call_as("ada", get(&path)).await.json(), json);
    server.clock.advance(Duration::from_secs(1));
    let kept = server.call_as("ada", put(&path, &json!({}))).await;
    assert_eq!(
        (kept.status, kept.json()),
        (200, json.clone()),
        "what is left out stays"
    );
    let renamed = server
        .call_as("ada", put(&path, &json!({"title": "Refunds"})))
        .await
        .json();
    assert_eq!(
        (&renamed["title"], &renamed["created_at"]),
        (&json!("Refunds"), &json["created_at"])
    );
    assert_ne!(renamed["updated_at"], json["updated_at"]);
    assert_eq!(server.call_as("ada", get(&path)).await.json(), renamed);
    let removed = server.call_as("ada", delete(&path)).await;
    assert_eq!((removed.status, removed.text()), (204, ""));
    for request in [get(&path), delete(&path), get(&format!("{path}/messages"))] {
        server.call_as("ada", request).await.is(404, "not_found");
    }
    let untitled = server.call_as("ada", post("/conversations", &json!({}))).await;
    assert_eq!(untitled.json()["title"], json!("Conversation"));
}

#[actix_web::test]
async fn the_one_with_the_latest_change_is_listed_first_page_by_page() {
    let server = Server::new().await;
    let mut made = Vec::new();
    for title in ["one", "two", "three"] {
        made.push(create(&server, title).await);
    }
    assert_eq!(
        titles(&server, "").await,
        (["three", "two", "one"].map(str::to_owned).into(), json!(3))
    );
    server
        .call_as("ada", put(&path(&made[0]), &json!({"title": "first"})))
        .await;
    assert_eq!(
        titles(&server, "?limit=1").await,
        (vec!["first".to_owned()], json!(3))
    );
    assert_eq!(
        titles(&server, "?limit=5&offset=2").await,
        (vec!["two".to_owned()], json!(3))
    );
    server.clock.advance(Duration::from_secs(1));
    let question = json!({"message": "Hello?", "conversation_id": made[1]["id"]});
    assert_eq!(server.call_as("ada", post("/chat", &question)).await.status, 200);
    assert_eq!(
        titles(&server, "?limit=1").await.0,
        ["two"],
        "a message is a change"
    );
    for query in ["?limit=0", "?limit=101", "?order=title"] {
        let refused = server
            .call_as("ada", get(&format!("/conversations{query}")))
            .await;
        refused.is(422, "invalid_request");
    }
}

#[actix_web::test]
async fn a_title_is_one_line_of_at_most_200_characters() {
    let server = Server::new().await;
    let made = create(&server, &"x".repeat(200)).await;
    for title in [
        json!(""),
        json!(" "),
        json!("a\nb"),
        json!("x".repeat(201)),
        json!(7),
    ] {
        let body = json!({ "title": title });
        for request in [post("/conversations", &body), put(&path(&made), &body)] {
            server.call_as("ada", request).await.is(422, "invalid_request");
        }
    }
    let unknown = json!({"title": "x", "owner": "grace"});
    server
        .call_as("ada", post("/conversations", &unknown))
        .await
        .is(422, "invalid_request");
}

#[actix_web::test]
async fn messages_are_listed_first_to_last_page_by_page() {
    let server = Server::with(Parts {
        completer: std::sync::Arc::new(MemoryCompleter::saying("Thirty days [1].").without_rewriting()),
        ..Parts::default()
    })
    .await;
    server
        .add("ada", "Returns", "Goods can be returned within 30 days.")
        .await;
    let made = create(&server, "Returns").await;
    let ask = async |message: &str| {
        let question = json!({"message": message, "conversation_id": made["id"]});
        let answer = server.call_as("ada", post("/chat", &question)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        server.clock.advance(Duration::from_secs(1));
        answer.json()
    };
    let first = ask("How are goods returned?").await;
    ask("How long can goods be returned?").await;
    let path = format!("{}/messages", path(&made));
    let listed = server.call_as("ada", get(&path)).await.json();
    assert_eq!(listed["total"], json!(4));
    let [question, answer, ..] = listed["items"].as_array().unwrap().as_slice() else {
        panic!("{listed}")
    };
    let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "citations",
            "created_at",
            "id",
            "model",
            "role",
            "status",
            "text",
            "usage"
        ]
    );
    assert_eq!(
        (
            &question["role"],
            &question["text"],
            &question["status"],
            &question["citations"]
        ),
        (
            &json!("user"),
            &json!("How are goods returned?"),
            &json!("complete"),
            &json!([])
        )
    );
    assert_eq!(
        (&question["model"], &question["usage"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&answer["role"], &answer["text"], &answer["model"]),
        (&json!("assistant"), &json!("Thirty days [1]."), &json!("memory"))
    );
    assert_eq!(
        (&answer["citations"], &answer["usage"]),
        (&first["citations"], &first["usage"])
    );
    let page = server
        .call_as("ada", get(&format!("{path}?limit=1&offset=2")))
        .await
        .json();
    assert_eq!(page["items"][0]["text"], json!("How long can goods be returned?"));
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["total"]),
        (1, &json!(4))
    );
}

#[actix_web::test]
async fn a_conversation_that_a_question_begins_is_called_by_its_first_line() {
    let server = Server::new().await;
    let question = json!({"message": "\nHow long?\nAnd why?"});
    let answer = server.call_as("ada", post("/chat", &question)).await.json();
    let path = format!("/conversations/{}", answer["conversation_id"].as_str().unwrap());
    assert_eq!(
        server.call_as("ada", get(&path)).await.json()["title"],
        json!("How long?")
    );
}

#[actix_web::test]
async fn nobody_else_sees_a_conversation_whatever_they_are() {
    let server = Server::new().await;
    server.hire("bob", "acme", false);
    server.hire("boss", "acme", true);
    server.appoint("bob", tenantry_domain::Role::Admin);
    let own = path(&create(&server, "mine").await);
    let requests = |path: &str| -> [TestRequest; 4] {
        [
            get(path),
            get(&format!("{path}/messages")),
            put(path, &json!({"title": "yours"})),
            delete(path),
        ]
    };
    for name in ["bob", "boss", "grace"] {
        let malformed = requests("/conversations/x");
        for ((foreign, unknown), malformed) in
            requests(&own).into_iter().zip(requests(UNKNOWN)).zip(malformed)
        {
            let foreign = server.call_as(name, foreign).await;
            foreign.is(404, "not_found");
            let unknown = server.call_as(name, unknown).await;
            assert_eq!(foreign.anonymous(), unknown.anonymous());
            assert_eq!(
                server.call_as(name, malformed).await.anonymous(),
                unknown.anonymous()
            );
        }
    }
    for request in requests(&own) {
        server.call_as("root", request).await.is(403, "tenant_forbidden");
    }
    for request in requests(&own) {
        server.call(request).await.is(401, "unauthenticated");
    }
    assert_eq!(
        server.call_as("ada", get(&own)).await.json()["title"],
        json!("mine")
    );
}

#[actix_web::test]
async fn a_store_that_is_down_is_503() {
    let server = Server::new().await;
    let token = server.token("ada");
    server.fail_store();
    for request in [
        get("/conversations"),
        get(UNKNOWN),
        post("/conversations", &json!({})),
    ] {
        let answer = server.call(crate::http::testing::bearer(request, &token)).await;
        answer.is(503, "store_unavailable");
    }
}
