//! Sends every kind of request and reads every kind of chunk; with `TENANTRY_RECORD_DIR` set, writes them there, one
//! file each, named after the schema of OpenAI's API description that they must satisfy (`SCHEMA-case.json`), or must
//! not (`refused-SCHEMA-case.json`).
#![cfg(feature = "http")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test calls fails as the test does"
)]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_domain::{Cancellation, Dimension, MessageRole};
use tenantry_http_client::{Answer, MemoryTransport};
use tenantry_llm_client::{
    Completer, Completion, Embedder, FinishReason, Grounding, MaxTokensField, OpenAiCompleter,
    OpenAiEmbedder, OpenAiSettings, Passage, PastMessage, Prompt, Sampling,
};

#[expect(
    clippy::disallowed_methods,
    reason = "a check outside the tests says where it wants the bodies"
)]
fn folder() -> Option<PathBuf> {
    std::env::var_os("TENANTRY_RECORD_DIR").map(PathBuf::from)
}

fn record(name: &str, body: &Value) {
    let Some(folder) = folder() else { return };
    let file = folder.join(format!("{name}.json"));
    let text = format!("{body:#}\n");
    assert!(
        std::fs::write(&file, text).is_ok(),
        "{} cannot be written",
        file.display()
    );
}

fn settings() -> OpenAiSettings {
    let base_url = "http://provider.test/v1".parse().expect("a url");
    OpenAiSettings::new(base_url, "gpt-4o-mini", "text-embedding-3-small")
}

fn only_body(provider: &MemoryTransport) -> Value {
    let requests = provider.requests();
    assert_eq!(requests.len(), 1);
    requests
        .first()
        .map(tenantry_http_client::Recorded::json)
        .unwrap_or_default()
}

fn embed(case: &str, settings: OpenAiSettings, floats: usize, texts: &[&str]) -> Value {
    let provider = Arc::new(MemoryTransport::new(move |request| {
        let count = request.json()["input"].as_array().map_or(0, Vec::len);
        let item = |index| json!({"object": "embedding", "index": index, "embedding": vec![0.5; floats]});
        let data = (0..count).map(item).collect::<Vec<_>>();
        let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
        let answer =
            json!({"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage});
        Ok(Answer::json(200, &answer))
    }));
    let embedded = OpenAiEmbedder::new(provider.clone(), settings)
        .embed(texts)
        .expect("embeddings");
    assert_eq!(embedded.embeddings.len(), texts.len());
    let body = only_body(&provider);
    record(&format!("CreateEmbeddingRequest-{case}"), &body);
    body
}

#[test]
fn every_kind_of_embedding_request() {
    assert_eq!(embed("one", settings(), 1536, &["a"])["input"], json!(["a"]));
    let many = vec!["text"; 256];
    assert_eq!(
        embed("many", settings(), 1536, &many)["input"]
            .as_array()
            .map(Vec::len),
        Some(256)
    );
    let shortened = OpenAiSettings {
        dimensions: Dimension::new(256).ok(),
        ..settings()
    };
    assert_eq!(
        embed("dimensions", shortened, 256, &["é 日本"])["dimensions"],
        256
    );
}

fn prompt() -> Prompt {
    Prompt {
        system: Some("You serve ACME.".into()),
        passages: vec![Passage {
            number: 1,
            title: "Returns".into(),
            text: "Within 30 days.".into(),
        }],
        question: "How long?".into(),
        ..Prompt::default()
    }
}

fn chunk(choices: &Value, usage: &Value) -> Value {
    json!({
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini",
        "choices": choices, "usage": usage,
    })
}

/// Every chunk of a stream as the API description has it, by its case.
fn chunks() -> Vec<(&'static str, Value)> {
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11});
    vec![
        (
            "role",
            chunk(
                &choice(json!({"role": "assistant", "content": ""}), Value::Null),
                &Value::Null,
            ),
        ),
        (
            "content",
            chunk(&choice(json!({"content": "Thirty "}), Value::Null), &Value::Null),
        ),
        (
            "null-content",
            chunk(&choice(json!({"content": null}), Value::Null), &Value::Null),
        ),
        (
            "refusal",
            chunk(&choice(json!({"refusal": "days."}), Value::Null), &Value::Null),
        ),
        ("finish", chunk(&choice(json!({}), json!("stop")), &Value::Null)),
        ("usage", chunk(&json!([]), &usage)),
    ]
}

fn ask(case: &str, settings: OpenAiSettings, prompt: &Prompt, streamed: bool) -> (Value, Completion) {
    let provider = Arc::new(MemoryTransport::new(|request| {
        if request.json()["stream"] == true {
            let events = chunks().into_iter().map(|(_, chunk)| chunk.to_string());
            return Ok(Answer::events(events.chain(["[DONE]".to_owned()])));
        }
        let message = json!({"role": "assistant", "content": "Thirty days.", "refusal": null});
        let choices = json!([{"index": 0, "message": message, "finish_reason": "stop", "logprobs": null}]);
        Ok(Answer::json(
            200,
            &json!({"model": "gpt-4o-mini", "choices": choices}),
        ))
    }));
    let model = OpenAiCompleter::new(provider.clone(), settings);
    let completion = if streamed {
        model.stream(prompt, &Cancellation::new(), &mut |_| ControlFlow::Continue(()))
    } else {
        model.complete(prompt)
    };
    let body = only_body(&provider);
    record(&format!("CreateChatCompletionRequest-{case}"), &body);
    (body, completion.expect("an answer"))
}

#[test]
fn every_kind_of_chat_request() {
    let limited = |field| OpenAiSettings {
        max_answer_tokens: Some(500),
        max_tokens_field: field,
        temperature: Some(0.2),
        ..settings()
    };
    let bare = Prompt {
        question: "How long?".into(),
        ..Prompt::default()
    };
    assert_eq!(ask("plain", settings(), &prompt(), false).1.text, "Thirty days.");
    assert_eq!(
        ask("without-passages", settings(), &bare, false).1.text,
        "Thirty days."
    );
    let (body, _) = ask(
        "max-completion-tokens",
        limited(MaxTokensField::MaxCompletionTokens),
        &prompt(),
        false,
    );
    assert_eq!(
        (&body["max_completion_tokens"], &body["max_tokens"]),
        (&json!(500), &Value::Null)
    );
    let (body, _) = ask("max-tokens", limited(MaxTokensField::MaxTokens), &prompt(), false);
    assert_eq!(
        (&body["max_completion_tokens"], &body["max_tokens"]),
        (&Value::Null, &json!(500))
    );
    let (body, completion) = ask("streamed", settings(), &prompt(), true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    // Part of it is a refusal, which is how the suite covers that kind of chunk.
    assert_eq!(
        (completion.text.as_str(), completion.finish),
        ("Thirty days.", FinishReason::ContentFilter)
    );
    assert_eq!(completion.usage.map(|usage| usage.prompt_tokens), Some(9));
    for (case, chunk) in chunks() {
        record(&format!("CreateChatCompletionStreamResponse-{case}"), &chunk);
    }
}

#[test]
fn every_part_of_a_prompt() {
    let message = |role, text: &str| PastMessage {
        role,
        text: text.to_owned(),
    };
    let history = vec![
        message(MessageRole::User, "Do you take returns?"),
        message(MessageRole::Assistant, "Yes [1]."),
    ];
    let whole = Prompt {
        client_instruction: Some("Answer in one word.".into()),
        language: Some("German".into()),
        grounding: Grounding::PassagesFirst,
        history: history.clone(),
        ..prompt()
    };
    let (body, _) = ask("conversation", settings(), &whole, true);
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(6));
    let sampled = Prompt {
        sampling: Sampling {
            temperature: Some(0.5),
            top_p: Some(0.5),
            max_answer_tokens: Some(9),
            stop: vec!["END".into(), "###".into()],
            presence_penalty: Some(-1.5),
            frequency_penalty: Some(1.5),
            seed: Some(7),
        },
        ..prompt()
    };
    let (body, _) = ask("sampling", settings(), &sampled, false);
    assert_eq!(
        (&body["seed"], &body["stop"]),
        (&json!(7), &json!(["END", "###"]))
    );
    let rewriting = Prompt::rewriting(history, "How long?");
    let (body, _) = ask("rewriting", settings(), &rewriting, true);
    assert_eq!(body["max_completion_tokens"], 512);
}

#[test]
fn a_wrong_request_for_the_check_to_refuse() {
    let (mut body, _) = ask("copied", settings(), &prompt(), false);
    body["messages"][0]["role"] = json!("narrator");
    record("refused-CreateChatCompletionRequest-role", &body);
    body.as_object_mut().expect("an object").remove("messages");
    record("refused-CreateChatCompletionRequest-no-messages", &body);
    assert_eq!(body.get("messages"), None);
}
