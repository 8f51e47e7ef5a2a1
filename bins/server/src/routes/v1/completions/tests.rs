use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use actix_web::http::Method;
use actix_web::test::TestRequest;
use actix_web::web;
use serde_json::{Map, Value, json};
use tenantry_domain::MessageRole;
use tenantry_llm_client::{
    Completer, FailingCompleter, LlmError, MemoryCompleter, PastMessage, Prompt, Usage,
};
use tenantry_tenant_store::testing::unavailable;
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::testing::{Answer, Parts, Server, bearer, get, logged, post, put, raw};
use crate::routes::v1::testing::{error, record};

const PATH: &str = "/v1/chat/completions";

fn said(messages: &Value) -> Value {
    json!({"model": "memory", "messages": messages})
}

fn asked() -> Value {
    said(&json!([{"role": "user", "content": "How long can goods be returned?"}]))
}

fn with(mut request: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    request.as_object_mut().unwrap().extend(more);
    request
}

fn streamed(more: &Value) -> Value {
    with(with(asked(), &json!({"stream": true})), more)
}

async fn answered_by(completer: Arc<dyn Completer>) -> Server {
    let server = Server::with(Parts {
        completer,
        ..Parts::default()
    })
    .await;
    let text = "Goods can be returned within 30 days.";
    server.add("ada", "Returns", text).await;
    server
}

fn model() -> Arc<MemoryCompleter> {
    Arc::new(MemoryCompleter::saying("Thirty days [1]."))
}

/// The prompt that the request comes to.
async fn prompt_of(request: &Value) -> Prompt {
    let model = model();
    let server = answered_by(model.clone()).await;
    let answer = server.call_as("ada", post(PATH, request)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut prompts = model.prompts();
    assert!(!prompts.is_empty());
    prompts.pop().unwrap()
}

/// The data of a stream's events, which have no names.
fn events(stream: &str) -> Vec<&str> {
    let opened = stream
        .strip_prefix(": open\n\n")
        .unwrap_or_else(|| panic!("{stream:?}"));
    assert!(stream.ends_with("\n\n"), "{stream:?}");
    let events = opened.trim_end_matches('\n').split("\n\n");
    events
        .filter(|event| !event.starts_with(':'))
        .map(|event| {
            event
                .strip_prefix("data: ")
                .unwrap_or_else(|| panic!("{event:?}"))
        })
        .collect()
}

/// The chunks of a stream that is complete.
fn chunks(case: &str, stream: &str) -> Vec<Value> {
    let mut events = events(stream);
    assert_eq!(events.pop(), Some("[DONE]"), "{stream}");
    let chunks: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    for (number, chunk) in chunks.iter().enumerate() {
        record(
            "CreateChatCompletionStreamResponse",
            &format!("{case}-{number}"),
            chunk,
        );
        for key in ["id", "created", "object"] {
            assert_eq!(chunk[key], chunks[0][key]);
        }
    }
    assert_eq!(chunks[0]["object"], "chat.completion.chunk");
    chunks
}

#[actix_web::test]
async fn an_answer_in_one_piece_is_one_of_openai_with_its_citations() {
    let usage = Usage {
        prompt_tokens: 300,
        completion_tokens: 5,
    };
    let server = answered_by(Arc::new(
        MemoryCompleter::saying("Thirty days [1].").counting(usage),
    ))
    .await;
    record("CreateChatCompletionRequest", "plain", &asked());
    let answer = server.call_as("ada", post(PATH, &asked())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("x-request-id").is_some());
    let mut json = answer.json();
    record("CreateChatCompletionResponse", "cited", &json);
    assert!(json["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(json["created"].as_i64().unwrap() > 1_700_000_000, "seconds");
    let citation = &json["choices"][0]["message"]["tenantry"]["citations"][0];
    assert!(citation["document_id"].is_string(), "{citation}");
    assert_eq!(
        (
            &citation["number"],
            &citation["title"],
            &citation["start"],
            &citation["end"]
        ),
        (&json!(1), &json!("Returns"), &json!(0), &json!(37))
    );
    assert_eq!(citation["excerpt"], "Goods can be returned within 30 days.");
    let message = &mut json["choices"][0]["message"];
    message["tenantry"]["citations"] = json!([]);
    assert_eq!(
        json["choices"],
        json!([{
            "index": 0, "finish_reason": "stop", "logprobs": null,
            "message": {
                "role": "assistant", "content": "Thirty days [1].", "refusal": null, "annotations": [],
                "tenantry": {"citations": [], "supported": true}
            }
        }])
    );
    assert_eq!(
        (&json["object"], &json["model"], &json["usage"]),
        (
            &json!("chat.completion"),
            &json!("memory"),
            &json!({
                "prompt_tokens": 300, "completion_tokens": 5, "total_tokens": 305, "tenantry": {"estimated": false}
            })
        )
    );
}

#[actix_web::test]
async fn a_stream_begins_with_the_role_and_ends_with_a_reason_and_the_citations() {
    let server = answered_by(model()).await;
    let answer = server.call_as("ada", post(PATH, &streamed(&json!({})))).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let chunks = chunks("stream", answer.text());
    assert_eq!(
        chunks[0]["choices"],
        json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": null, "finish_reason": null}])
    );
    let (last, content) = chunks.split_last().unwrap();
    let text: String = content
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(text, "Thirty days [1].");
    assert!(
        content[1..]
            .iter()
            .all(|chunk| chunk["choices"][0]["delta"].get("role").is_none())
    );
    let choice = &last["choices"][0];
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(choice["delta"]["tenantry"]["supported"], true);
    assert_eq!(choice["delta"]["tenantry"]["citations"][0]["title"], "Returns");
    assert_eq!(choice["delta"].as_object().unwrap().len(), 1);
    for chunk in &chunks {
        assert_eq!(chunk["model"], "memory");
        assert!(chunk.get("usage").is_none(), "nobody asked for it");
    }
}

#[actix_web::test]
async fn the_usage_comes_in_a_chunk_of_its_own_where_it_is_asked_for() {
    let server = answered_by(model()).await;
    let request = streamed(&json!({"stream_options": {"include_usage": true, "include_obfuscation": false}}));
    record("CreateChatCompletionRequest", "streamed", &request);
    let answer = server.call_as("ada", post(PATH, &request)).await;
    let chunks = chunks("usage", answer.text());
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    let usage = &last["usage"];
    let (read, written) = (
        usage["prompt_tokens"].as_u64().unwrap(),
        usage["completion_tokens"].as_u64().unwrap(),
    );
    assert!(read > 0 && written > 0, "{usage}");
    assert_eq!(usage["total_tokens"], read + written);
    assert_eq!(
        usage["tenantry"],
        json!({"estimated": true}),
        "the model does not say"
    );
    assert!(
        others
            .iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
    assert_eq!(others.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[actix_web::test]
async fn an_answer_that_breaks_off_ends_with_an_error_and_without_a_reason() {
    let failing = || FailingCompleter::after(["Thirty "], || LlmError::Truncated("secret".into()));
    let server = answered_by(Arc::new(failing())).await;
    let answer = server
        .call_as(
            "ada",
            post(PATH, &with(streamed(&json!({})), &json!({"model": "failing"}))),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let events = events(answer.text());
    let (last, others) = events.split_last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    record("ErrorResponse", "midstream", &last);
    assert_eq!(
        last,
        json!({"error": {
            "message": "the model provider's answer broke off", "type": "server_error", "param": null, "code": "llm_truncated"
        }})
    );
    assert!(others.iter().any(|event| event.contains("Thirty")));
    for other in others {
        let chunk: Value = serde_json::from_str(other).unwrap();
        assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
    }
    let whole = server
        .call_as("ada", post(PATH, &with(asked(), &json!({"model": "failing"}))))
        .await;
    error(&whole, 502, "server_error", Some("llm_truncated"), None);
}

#[actix_web::test]
async fn what_fails_before_or_after_the_text_is_an_error_too() {
    let model = model();
    let server = answered_by(model.clone()).await;
    let failure = VectorError::Unavailable("secret".into());
    server.vectors.fail_next(Operation::Search, failure);
    let answer = server.call_as("ada", post(PATH, &streamed(&json!({})))).await;
    let events = events(answer.text());
    assert_eq!(events.len(), 2, "the role, and the error: {events:?}");
    assert!(
        events[1].contains("\"code\":\"vector_store_unavailable\""),
        "{events:?}"
    );
    assert!(!answer.text().contains("secret"));
    assert_eq!(model.prompts(), [], "nothing is answered from memory");
    server
        .store
        .fail_when(|method| (method == "add_usage").then(unavailable));
    let answer = server.call_as("ada", post(PATH, &streamed(&json!({})))).await;
    let events = self::events(answer.text());
    let (last, others) = events.split_last().unwrap();
    assert!(last.contains("\"code\":\"store_unavailable\""), "{events:?}");
    assert!(
        others
            .iter()
            .all(|event| event.contains("\"finish_reason\":null"))
    );
}

#[actix_web::test]
async fn messages_become_history_question_and_a_wish() {
    let request = said(&json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is sold?", "name": "ada"},
        {"role": "assistant", "content": "Shoes [1].", "refusal": null, "annotations": [], "audio": null,
         "function_call": null, "tool_calls": null, "tenantry": {"citations": [], "supported": true}},
        {"role": "developer", "content": [{"type": "text", "text": "In rhymes."}]},
        {"role": "user", "content": [
            {"type": "text", "text": "How long can goods"}, {"type": "text", "text": "be returned?"}
        ]}
    ]));
    let prompt = prompt_of(&request).await;
    assert_eq!(prompt.question, "How long can goods\nbe returned?");
    assert_eq!(
        prompt.client_instruction.as_deref(),
        Some("Be brief.\n\nIn rhymes.")
    );
    assert_eq!(prompt.system.as_deref(), Some("the prompt of acme"));
    let message = |role, text: &str| PastMessage {
        role,
        text: text.to_owned(),
    };
    assert_eq!(
        prompt.history,
        [
            message(MessageRole::User, "What is sold?"),
            message(MessageRole::Assistant, "Shoes [1].")
        ]
    );
}

#[actix_web::test]
async fn nothing_is_kept_of_an_answer_but_its_usage() {
    let server = answered_by(model()).await;
    for request in [asked(), streamed(&json!({}))] {
        assert_eq!(server.call_as("ada", post(PATH, &request)).await.status, 200);
    }
    server.drain_streams().await;
    let kept = server.call_as("ada", get("/conversations")).await.json();
    assert_eq!(kept["total"], 0, "{kept}");
    server.appoint("ada", tenantry_domain::Role::Admin);
    let usage = server.call_as("ada", get("/tenant/usage")).await;
    assert_eq!(usage.status, 200);
    assert_eq!(usage.json()["total"]["calls"], 2, "{}", usage.text());
}

#[actix_web::test]
async fn a_tenant_may_refuse_instructions_of_clients() {
    let server = answered_by(model()).await;
    let settings = json!({"chat": {"client_instructions": "refuse"}});
    let saved = server
        .call_as("root", put("/admin/tenants/acme", &settings))
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let messages = json!([{"role": "system", "content": "Be rude."}, {"role": "user", "content": "goods?"}]);
    let answer = server.call_as("ada", post(PATH, &said(&messages))).await;
    error(
        &answer,
        400,
        "invalid_request_error",
        Some("instructions_refused"),
        Some("messages"),
    );
    assert_eq!(server.call_as("ada", post(PATH, &asked())).await.status, 200);
}

#[actix_web::test]
async fn how_words_are_chosen_is_passed_on() {
    let request = with(
        asked(),
        &json!({
            "temperature": 0.5, "top_p": 0.25, "max_completion_tokens": 7, "stop": ["a", "b"], "presence_penalty": -2,
            "frequency_penalty": 1.5, "seed": -9_007_199_254_740_993_i64
        }),
    );
    record("CreateChatCompletionRequest", "sampling", &request);
    let sampling = prompt_of(&request).await.sampling;
    assert_eq!((sampling.temperature, sampling.top_p), (Some(0.5), Some(0.25)));
    assert_eq!(
        (sampling.presence_penalty, sampling.frequency_penalty),
        (Some(-2.0), Some(1.5))
    );
    assert_eq!(sampling.max_answer_tokens, Some(7));
    assert_eq!(sampling.stop, ["a", "b"]);
    assert_eq!(sampling.seed, Some(-9_007_199_254_740_993), "to the last digit");
    let request = with(asked(), &json!({"max_tokens": 9, "stop": "a"}));
    let sampling = prompt_of(&request).await.sampling;
    assert_eq!(
        (sampling.max_answer_tokens, sampling.stop),
        (Some(9), vec!["a".to_owned()])
    );
}

#[actix_web::test]
async fn parameters_that_change_nothing_here_are_taken() {
    let request = with(
        asked(),
        &json!({
            "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto", "parallel_tool_calls": false,
            "reasoning_effort": "low", "verbosity": "low", "prediction": {"type": "content", "content": "x"},
            "safety_identifier": "s", "prompt_cache_key": "k", "prompt_cache_retention": "24h",
            "n": 1, "tools": [], "logit_bias": {}, "response_format": {"type": "text"}, "tool_choice": "none",
            "logprobs": false, "top_logprobs": 0, "modalities": ["text"], "stream": false
        }),
    );
    record("CreateChatCompletionRequest", "harmless", &request);
    assert_eq!(
        prompt_of(&request).await.question,
        "How long can goods be returned?"
    );
    let nulls = "temperature top_p max_tokens max_completion_tokens stop presence_penalty frequency_penalty seed n tools \
        functions audio web_search_options stream stream_options response_format logprobs modalities user tenantry";
    let nulls: Map<String, Value> = nulls
        .split_whitespace()
        .map(|name| (name.to_owned(), Value::Null))
        .collect();
    prompt_of(&with(asked(), &Value::Object(nulls))).await;
}

#[actix_web::test]
async fn what_cannot_be_used_is_400_and_names_the_parameter() {
    let server = answered_by(model()).await;
    let long = "x".repeat(16_001);
    for (more, param) in [
        (json!({"temperature": 2.1}), "temperature"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"top_p": -0.1}), "top_p"),
        (json!({"presence_penalty": 2.5}), "presence_penalty"),
        (json!({"frequency_penalty": -2.5}), "frequency_penalty"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"max_completion_tokens": -1}), "max_completion_tokens"),
        (json!({"max_completion_tokens": 1, "max_tokens": 1}), "max_tokens"),
        (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
        (json!({"stop": 1}), "stop"),
        (json!({"seed": 0.5}), "seed"),
        (json!({"stream": "yes"}), "stream"),
        (
            json!({"stream_options": {"include_usage": true}}),
            "stream_options",
        ),
        (
            json!({"stream": true, "stream_options": {"x": 1}}),
            "stream_options",
        ),
        (json!({"model": 1}), "model"),
        (json!({"model": null}), "model"),
        (json!({"tenantry": {"x": 1}}), "tenantry"),
        (json!({"tenantry": {"retrieval": {"x": 1}}}), "tenantry"),
        (json!({"tenantry": {"retrieval": "yes"}}), "tenantry"),
        (json!({"tenantry": {"retrieval": {"limit": 21}}}), "tenantry"),
        (json!({"tenantry": {"retrieval": {"min_score": 2}}}), "tenantry"),
        (
            json!({"tenantry": {"retrieval": {"filter": {"or": 1}}}}),
            "tenantry",
        ),
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": "x"}), "messages"),
        (
            json!({"messages": [{"role": "assistant", "content": "x"}]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "system", "content": "x"}]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "user", "content": " "}]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "user", "content": long}]}),
            "messages",
        ),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (
            json!({"messages": [{"role": "user", "content": []}]}),
            "messages[0].content",
        ),
        (json!({"messages": [{"content": "x"}]}), "messages[0].role"),
        (
            json!({"messages": [{"role": "robot", "content": "x"}]}),
            "messages[0].role",
        ),
    ] {
        let answer = server.call_as("ada", post(PATH, &with(asked(), &more))).await;
        error(
            &answer,
            400,
            "invalid_request_error",
            Some("invalid_request"),
            Some(param),
        );
    }
}

#[actix_web::test]
async fn what_is_not_offered_is_400_and_named() {
    let server = answered_by(model()).await;
    let tool = json!({"type": "function", "function": {"name": "f"}});
    let message = |message: Value| json!({"messages": [{"role": "user", "content": "x"}, message]});
    for (more, param) in [
        (json!({"n": 2}), "n"),
        (json!({"tools": [tool]}), "tools"),
        (json!({"tool_choice": "required"}), "tool_choice"),
        (json!({"functions": [{"name": "f"}]}), "functions"),
        (
            json!({"response_format": {"type": "json_object"}}),
            "response_format",
        ),
        (json!({"logprobs": true}), "logprobs"),
        (json!({"top_logprobs": 2}), "top_logprobs"),
        (json!({"logit_bias": {"50256": -100}}), "logit_bias"),
        (json!({"audio": {"voice": "alloy", "format": "mp3"}}), "audio"),
        (json!({"modalities": ["text", "audio"]}), "modalities"),
        (json!({"web_search_options": {}}), "web_search_options"),
        (
            message(json!({"role": "tool", "content": "x", "tool_call_id": "1"})),
            "messages[1].role",
        ),
        (
            message(json!({"role": "tool", "content": "x"})),
            "messages[1].role",
        ),
        (
            message(json!({"role": "function", "content": "x", "name": "f"})),
            "messages[1].role",
        ),
        (
            message(json!({"role": "assistant", "tool_calls": [{}]})),
            "messages[1].tool_calls",
        ),
        (
            message(
                json!({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url"}]}),
            ),
            "messages[1].content[1].type",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "input_audio"}]})),
            "messages[1].content[0].type",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "file"}]})),
            "messages[1].content[0].type",
        ),
    ] {
        let answer = server.call_as("ada", post(PATH, &with(asked(), &more))).await;
        error(
            &answer,
            400,
            "invalid_request_error",
            Some("unsupported_parameter"),
            Some(param),
        );
    }
    for (more, param) in [
        (json!({"temprature": 1}), "temprature"),
        (json!({"x\n": null}), "x?"),
        (
            message(json!({"role": "user", "content": "x", "y": 1})),
            "messages[1].y",
        ),
    ] {
        let answer = server.call_as("ada", post(PATH, &with(asked(), &more))).await;
        error(
            &answer,
            400,
            "invalid_request_error",
            Some("unknown_parameter"),
            Some(param),
        );
        let sentence = format!("Unrecognized request argument supplied: {param}");
        assert_eq!(answer.message(), sentence);
    }
}

#[actix_web::test]
async fn retrieval_is_on_and_can_be_tuned_or_switched_off() {
    assert_eq!(prompt_of(&asked()).await.passages.len(), 1);
    let on = with(asked(), &json!({"tenantry": {"retrieval": true}}));
    assert_eq!(prompt_of(&on).await.passages.len(), 1);
    let off = with(asked(), &json!({"tenantry": {"retrieval": false}}));
    assert_eq!(prompt_of(&off).await.passages, []);
    let tuned = json!({"tenantry": {"retrieval": {
        "limit": 1, "min_score": 0.0, "filter": {"lang": {"ne": "en"}}, "weights": {"dense": 0, "lexical": 1, "k": 10}
    }}});
    assert_eq!(prompt_of(&with(asked(), &tuned)).await.passages.len(), 1);
    let server = answered_by(model()).await;
    let none = with(
        asked(),
        &json!({"tenantry": {"retrieval": {"filter": {"lang": "fr"}}}}),
    );
    let answer = server.call_as("ada", post(PATH, &none)).await;
    record("CreateChatCompletionResponse", "unsupported", &answer.json());
    let grounds = json!({"citations": [], "supported": false});
    assert_eq!(answer.json()["choices"][0]["message"]["tenantry"], grounds);
}

#[actix_web::test]
async fn a_model_that_the_tenant_does_not_have_is_404() {
    let server = answered_by(model()).await;
    for more in [
        json!({"model": "gpt-9"}),
        json!({"model": "gpt-9", "stream": true}),
    ] {
        let answer = server.call_as("ada", post(PATH, &with(asked(), &more))).await;
        error(
            &answer,
            404,
            "invalid_request_error",
            Some("model_not_found"),
            Some("model"),
        );
    }
}

async fn panicking() -> &'static str {
    panic!("secret")
}

#[actix_web::test]
async fn every_error_below_v1_is_one_of_openai_whoever_made_it() {
    let add = |config: &mut web::ServiceConfig| {
        config.route("/v1/panic", web::get().to(panicking)).route(
            "/v1/framework",
            web::get().to(|_: web::Query<Vec<u8>>| async { "x" }),
        );
    };
    let server = Server::serving(Parts::default(), add).await;
    let token = |request: TestRequest| bearer(request, &server.token("ada"));
    let invalid = "invalid_request_error";
    let large = vec![b' '; 300 * 1_024];
    for (request, status, kind, code) in [
        (post(PATH, &asked()), 401, invalid, "invalid_api_key"),
        (
            get("/v1/models").insert_header(("authorization", "Bearer x")),
            401,
            invalid,
            "invalid_api_key",
        ),
        (token(get("/v1/nowhere")), 404, invalid, "not_found"),
        (get("/v1"), 404, invalid, "not_found"),
        (token(get(PATH)), 405, invalid, "method_not_allowed"),
        (
            token(raw(Method::POST, PATH, "text/plain", b"{}")),
            415,
            invalid,
            "unsupported_media_type",
        ),
        (
            token(raw(Method::POST, PATH, "application/json", b"{")),
            400,
            invalid,
            "invalid_json",
        ),
        (
            token(raw(Method::POST, PATH, "application/json", b"[]")),
            400,
            invalid,
            "invalid_request",
        ),
        (
            token(raw(Method::POST, PATH, "application/json", &large)),
            413,
            invalid,
            "payload_too_large",
        ),
        (get("/v1/framework?a"), 400, invalid, "bad_request"),
    ] {
        error(&server.call(request).await, status, kind, Some(code), None);
    }
    let nomad = server.call_as("nomad", post(PATH, &asked())).await;
    error(&nomad, 403, "permission_error", Some("tenant_forbidden"), None);
    let preflight = get(PATH)
        .method(Method::OPTIONS)
        .insert_header(("origin", "https://evil.example"))
        .insert_header(("access-control-request-method", "POST"));
    error(
        &server.call(preflight).await,
        403,
        "permission_error",
        Some("origin_not_allowed"),
        None,
    );
    let lines = logged(async {
        let panicked = server.call(get("/v1/panic")).await;
        error(&panicked, 500, "server_error", Some("internal_error"), None);
    })
    .await;
    assert!(
        lines.iter().any(|line| line.starts_with("ERROR internal_error")),
        "{lines:?}"
    );
    let token = server.token("ada");
    server.fail_store();
    let down = server.call(bearer(post(PATH, &asked()), &token)).await;
    error(&down, 503, "server_error", Some("store_unavailable"), None);
    assert!(down.header("retry-after").is_some());
    assert_eq!(down.header("x-should-retry"), None);
    for path in ["/v10", "/nowhere/v1", "/v1models"] {
        server.call(get(path)).await.is(404, "not_found");
    }
}

#[actix_web::test]
async fn a_status_in_the_log_is_the_one_that_was_answered() {
    let server = answered_by(model()).await;
    let lines = logged(async {
        let answer = server
            .call_as("ada", post(PATH, &with(asked(), &json!({"top_p": 2}))))
            .await;
        assert_eq!(answer.status, 400);
    })
    .await;
    assert!(
        lines
            .iter()
            .any(|line| line.contains(" /v1/chat/completions 400 ")),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn a_failure_that_lasts_is_not_tried_again() {
    let failing = FailingCompleter::at_once(|| LlmError::Unauthorized("secret".into()));
    let server = answered_by(Arc::new(failing)).await;
    let answer = server
        .call_as("ada", post(PATH, &with(asked(), &json!({"model": "failing"}))))
        .await;
    error(&answer, 502, "server_error", Some("llm_unauthorized"), None);
    assert_eq!(answer.header("x-should-retry"), Some("false"));
}

#[actix_web::test]
async fn more_answers_at_once_than_may_be_are_429() {
    let (go_on, waiting) = channel::<()>();
    let waiting = Mutex::new(waiting);
    let slow = MemoryCompleter::new(move |_| {
        // The test's end frees it.
        let _ = waiting.lock().unwrap().recv();
        Ok("Thirty days [1].".to_owned())
    });
    let server = answered_by(Arc::new(slow)).await;
    let settings = json!({"chat": {"streams_per_user": 1}});
    let saved = server
        .call_as("root", put("/admin/tenants/acme", &settings))
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let token = server.token("ada");
    let held = server
        .begin(bearer(post(PATH, &streamed(&json!({}))), &token))
        .await;
    assert_eq!(held.status(), 200);
    let answer: Answer = server.call_as("ada", post(PATH, &asked())).await;
    error(
        &answer,
        429,
        "rate_limit_error",
        Some("rate_limit_exceeded"),
        None,
    );
    assert!(answer.header("retry-after").is_some());
    drop(go_on);
    drop(held);
    server.drain_streams().await;
}

#[actix_web::test]
async fn two_tenants_are_told_their_own_prompts_and_passages_alone() {
    let model = model();
    let server = answered_by(model.clone()).await;
    server
        .add("grace", "Returns", "Goods of Globex are returned.")
        .await;
    let (ada, grace) = futures_util::future::join(
        server.call_as("ada", post(PATH, &asked())),
        server.call_as("grace", post(PATH, &streamed(&json!({})))),
    )
    .await;
    assert!(ada.text().contains("within 30 days") && !ada.text().contains("Globex"));
    assert!(grace.text().contains("Goods of Globex") && !grace.text().contains("30 days"));
    for prompt in model.prompts() {
        let told = format!("{prompt:?}");
        assert_ne!(
            told.contains("prompt of acme"),
            told.contains("prompt of globex"),
            "{told}"
        );
        assert_eq!(
            told.contains("prompt of acme"),
            told.contains("30 days"),
            "{told}"
        );
    }
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    // What scripts/check-openai-bodies must see refused, or it checks nothing.
    record(
        "refused-CreateChatCompletionResponse",
        "without-refusal",
        &json!({
            "id": "a", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null, "message": {"role": "assistant", "content": "x"}}]
        }),
    );
    record(
        "refused-CreateChatCompletionStreamResponse",
        "other-reason",
        &json!({
            "id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "other", "delta": {}}]
        }),
    );
    record(
        "refused-ErrorResponse",
        "native",
        &json!({"error": {"code": "x", "message": "x", "request_id": "x"}}),
    );
}
