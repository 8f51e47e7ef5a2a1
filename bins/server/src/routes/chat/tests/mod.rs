mod bench;
mod conversing;
mod faults;
mod isolation;
mod leaving;
mod settings;
mod streaming;
mod text;

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_llm_client::{FailingCompleter, LlmError, MemoryCompleter, Usage};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use self::bench::{TEXT, answered_by, ask, deltas, end, events, kept, latest, names, question, streamed};
use crate::http::testing::{Parts, Server, bearer, delete, get, post};

fn usage() -> Usage {
    Usage {
        prompt_tokens: 7,
        completion_tokens: 2,
    }
}

#[actix_web::test]
async fn an_answer_cites_the_tenants_own_passages() {
    let server = answered_by(MemoryCompleter::saying("Thirty days [1].").counting(usage())).await;
    let answer = server.call_as("ada", question()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "answer",
            "citations",
            "conversation_id",
            "finish_reason",
            "message_id",
            "model",
            "sources",
            "status",
            "supported",
            "usage"
        ]
    );
    assert_eq!(json["answer"], "Thirty days [1].");
    assert_eq!(
        (&json["model"], &json["finish_reason"]),
        (&json!("memory"), &json!("stop"))
    );
    assert_eq!(
        (&json["status"], &json["supported"]),
        (&json!("complete"), &json!(true))
    );
    assert_eq!(
        json["usage"],
        json!({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "estimated": false})
    );
    let source = &json["sources"][0];
    assert_eq!(
        (&source["number"], &source["title"], &source["chunk"]),
        (&json!(1), &json!("Returns"), &json!(0))
    );
    assert_eq!(source["excerpt"], json!(TEXT));
    assert!(source["score"].is_number(), "{source}");
    let citation = json!({
        "number": 1, "document_id": source["document_id"], "title": "Returns", "start": 0, "end": 37, "page": null,
        "excerpt": TEXT
    });
    assert_eq!(json["citations"], json!([citation]));
    assert!(source["document_id"].is_string());
}

#[actix_web::test]
async fn an_excerpt_is_what_stands_in_the_document_from_start_to_end() {
    let server = Server::with(Parts {
        completer: Arc::new(MemoryCompleter::saying("[1][2][3]")),
        ..Parts::default()
    })
    .await;
    // Characters of one to four bytes, in more than one chunk.
    let text = "Größe 😀: goods can be returned, naïvely.\n\n".repeat(200);
    let document = server.add("ada", "Größen", &text).await;
    let path = format!(
        "/documents/{}?include_text=true",
        document["id"].as_str().unwrap()
    );
    let text = server.call_as("ada", get(&path)).await.json()["text"].clone();
    let letters: Vec<char> = text.as_str().unwrap().chars().collect();
    let answer = server.call_as("ada", question()).await.json();
    let citations = answer["citations"].as_array().unwrap();
    assert!(!citations.is_empty(), "{answer}");
    for citation in citations {
        let at = |field: &str| usize::try_from(citation[field].as_u64().unwrap()).unwrap();
        let standing: String = letters[at("start")..at("end")].iter().collect();
        assert_eq!(citation["excerpt"], json!(standing));
        assert_eq!(citation["document_id"], document["id"]);
    }
}

#[actix_web::test]
async fn what_is_cited_stays_as_it_was_when_the_document_is_gone() {
    let server = answered_by(MemoryCompleter::saying("Thirty days [1].")).await;
    let answer = server.call_as("ada", question()).await.json();
    let document = format!(
        "/documents/{}",
        answer["citations"][0]["document_id"].as_str().unwrap()
    );
    assert_eq!(server.call_as("ada", delete(&document)).await.status, 204);
    server.work();
    let kept = &latest(&server, "ada").await[1];
    assert_eq!(kept["citations"], answer["citations"]);
    assert_eq!(kept["id"], answer["message_id"]);
}

#[actix_web::test]
async fn an_answer_without_support_says_so_and_asks_no_model() {
    let model = Arc::new(MemoryCompleter::saying("from memory"));
    let server = Server::with(Parts {
        completer: model.clone(),
        ..Parts::default()
    })
    .await;
    let sentence = "I found nothing about this in the documents.";
    let answer = server.call_as("ada", question()).await.json();
    assert_eq!(
        (&answer["answer"], &answer["supported"]),
        (&json!(sentence), &json!(false))
    );
    assert_eq!(
        (&answer["sources"], &answer["citations"]),
        (&json!([]), &json!([]))
    );
    let stream = server.call_as("ada", streamed()).await;
    let events = events(stream.text());
    assert_eq!(names(&events), ["sources", "delta", "done"]);
    assert_eq!(deltas(&events), [sentence]);
    assert_eq!(end(&events)["supported"], json!(false));
    assert!(model.prompts().is_empty());
    assert_eq!(kept(&latest(&server, "ada").await[1]), (sentence, "complete"));
}

#[actix_web::test]
async fn an_answer_that_cites_nothing_says_so_in_its_text() {
    let server = answered_by(MemoryCompleter::saying("Thirty days.")).await;
    let answer = server.call_as("ada", question()).await.json();
    let text = "Thirty days.\n\nNo passage of the documents is cited for this answer.";
    assert_eq!(
        (&answer["answer"], &answer["supported"]),
        (&json!(text), &json!(false))
    );
    assert_eq!(answer["sources"].as_array().unwrap().len(), 1);
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
        assert_eq!(kept(&latest(&server, "ada").await[1]), ("", "failed"));
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
    for request in [question(), streamed()] {
        server
            .vectors
            .fail_next(Operation::Search, VectorError::Unavailable("down".into()));
        let answer = server.call_as("ada", request).await;
        if answer.status == 200 {
            let events = events(answer.text());
            assert_eq!(names(&events), ["error"]);
            let told = end(&events);
            assert_eq!(told["error"]["code"], json!("vector_store_unavailable"));
            // Where the question is kept is known although no other event came.
            assert_eq!(told["status"], json!("failed"));
            assert!(told["conversation_id"].is_string() && told["message_id"].is_string());
        } else {
            answer.is(503, "vector_store_unavailable");
        }
        assert_eq!(kept(&latest(&server, "ada").await[1]), ("", "failed"));
    }
}

#[actix_web::test]
async fn what_can_be_refused_before_the_stream_has_a_status_and_is_kept_nowhere() {
    let server = answered_by(MemoryCompleter::saying("x")).await;
    let refused: [(Value, u16, &str); 12] = [
        (json!({"message": " "}), 422, "invalid_request"),
        (json!({"message": "x".repeat(16_001)}), 422, "invalid_request"),
        (json!({"model": "y"}), 422, "unknown_model"),
        (json!({"temperature": 1}), 422, "invalid_request"),
        (json!({"retrieval": 3}), 422, "invalid_request"),
        (json!({"retrieval": {"top_k": 3}}), 422, "invalid_request"),
        (json!({"retrieval": {"limit": 0}}), 422, "invalid_request"),
        (json!({"retrieval": {"limit": 21}}), 422, "invalid_request"),
        (json!({"retrieval": {"min_score": 2}}), 422, "invalid_request"),
        (
            json!({"retrieval": {"weights": {"dense": -1}}}),
            422,
            "invalid_request",
        ),
        (
            json!({"retrieval": {"filter": {"year": {"gtx": 1}}}}),
            422,
            "invalid_request",
        ),
        (json!({"conversation_id": "x"}), 404, "not_found"),
    ];
    for (fields, status, code) in refused {
        for stream in [false, true] {
            let mut fields = fields.clone();
            fields["stream"] = json!(stream);
            server.call_as("ada", ask(&fields)).await.is(status, code);
        }
    }
    server
        .call_as("nomad", streamed())
        .await
        .is(403, "tenant_forbidden");
    server.call(streamed()).await.is(401, "unauthenticated");
    let listed = server.call_as("ada", get("/conversations")).await;
    assert_eq!(listed.json()["total"], json!(0));
    let token = server.token("ada");
    server.fail_store();
    let answer = server.call(bearer(streamed(), &token)).await;
    answer.is(503, "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));
}

#[actix_web::test]
async fn a_request_says_how_its_passages_are_found() {
    let model = Arc::new(MemoryCompleter::saying("x [1]"));
    let server = Server::with(Parts {
        completer: model.clone(),
        ..Parts::default()
    })
    .await;
    for (title, lang) in [("Returns", "en"), ("Refunds", "de"), ("Repairs", "en")] {
        let text = format!("Goods can be returned: see {title}.");
        let new = json!({"title": title, "text": text, "metadata": {"lang": lang}});
        server.submit("ada", post("/documents", &new)).await;
    }
    let found = async |retrieval: Value| {
        let answer = server.call_as("ada", ask(&json!({"retrieval": retrieval}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut titles: Vec<String> = answer.json()["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| source["title"].as_str().unwrap().to_owned())
            .collect();
        titles.sort_unstable();
        titles
    };
    let all = ["Refunds", "Repairs", "Returns"];
    assert_eq!(found(json!(true)).await, all);
    assert_eq!(found(Value::Null).await, all);
    assert_eq!(found(json!({})).await, all);
    assert_eq!(found(json!({"limit": 1})).await.len(), 1);
    assert_eq!(found(json!({"filter": {"lang": "de"}})).await, ["Refunds"]);
    assert_eq!(
        found(json!({"weights": {"dense": 0, "lexical": 2, "k": 5}})).await,
        all
    );
    assert_eq!(found(json!(false)).await, [""; 0]);
    let prompts = model.prompts();
    let last = prompts.last().unwrap();
    assert!(last.passages.is_empty() && last.grounding == tenantry_llm_client::Grounding::Off);
}
