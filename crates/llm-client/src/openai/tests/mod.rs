mod deadlines;
mod providers;
mod requests;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tenantry_domain::{Cancellation, Dimension};
use tenantry_http_client::{Answer, Gate, Piece, Recorded, StubServer, UreqTransport};

use super::*;
use crate::{
    Completer, Completion, Embedder, FallbackCompleter, FinishReason, MemoryEmbedder, Passage, Prompt, Usage,
    conformance,
};

const KEY: &str = "sk-marker-5f1c";

fn settings(server: &StubServer) -> OpenAiSettings {
    OpenAiSettings {
        api_key: Some(KEY.to_owned().into()),
        ..OpenAiSettings::new(server.url("/v1"), "chat-model", "embedding-model")
    }
}

fn embedder_of(server: &StubServer) -> OpenAiEmbedder {
    OpenAiEmbedder::new(Arc::new(UreqTransport::new()), settings(server))
}

fn completer_of(server: &StubServer) -> OpenAiCompleter {
    OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings(server))
}

fn prompt() -> Prompt {
    conformance::prompt()
}

fn texts(request: &Recorded) -> Vec<String> {
    let texts = request.json()["input"].as_array().unwrap().clone();
    texts
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Answers as a provider does, with the vectors of [`MemoryEmbedder`], the last text first.
fn embeddings(request: &Recorded, as_base64: bool) -> Answer {
    let texts = texts(request);
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let vectors = MemoryEmbedder.embed(&texts).unwrap().embeddings;
    let items = vectors.iter().enumerate().rev().map(|(index, vector)| {
        let bytes = vector
            .as_slice()
            .iter()
            .flat_map(|float| float.to_le_bytes())
            .collect::<Vec<_>>();
        let embedding = if as_base64 {
            json!(STANDARD.encode(bytes))
        } else {
            json!(vector.as_slice())
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let usage = json!({"prompt_tokens": texts.len(), "total_tokens": texts.len()});
    Answer::json(
        200,
        &json!({"object": "list", "data": items.collect::<Vec<_>>(), "model": "m", "usage": usage}),
    )
}

/// Answers as a provider does, streamed when asked to.
fn completion(request: &Recorded) -> Answer {
    if request.json()["stream"] == true {
        return Answer::events([
            chunk(&json!({"role": "assistant", "content": ""}), None),
            chunk(&json!({"content": "Within "}), None),
            chunk(&json!({"content": "30 days [1]."}), None),
            chunk(&json!({}), Some("stop")),
            usage_chunk(),
            "[DONE]".to_owned(),
        ]);
    }
    let message = json!({"role": "assistant", "content": "Within 30 days [1].", "refusal": null});
    whole(&message, "stop")
}

fn whole(message: &Value, finish: &str) -> Answer {
    Answer::json(
        200,
        &json!({
            "id": "c1", "object": "chat.completion", "created": 1, "model": "chat-model-2026",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "x_details": {}},
        }),
    )
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    json!({
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "chat-model-2026",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": null,
    })
    .to_string()
}

fn usage_chunk() -> String {
    json!({
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "chat-model-2026", "choices": [],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
    })
    .to_string()
}

fn content(text: &str) -> String {
    chunk(&json!({"content": text}), None)
}

fn stop() -> String {
    chunk(&json!({}), Some("stop"))
}

fn stream(model: &OpenAiCompleter) -> (String, Result<Completion, LlmError>) {
    let mut heard = String::new();
    let completion = model.stream(&prompt(), &Cancellation::new(), &mut |delta| {
        assert!(!delta.is_empty(), "an empty piece is none");
        heard.push_str(delta);
        ControlFlow::Continue(())
    });
    (heard, completion)
}

/// Streams `events`; gives what was heard and the outcome, of which an error is named by its variant.
fn streamed(events: &[String]) -> (String, Result<FinishReason, String>) {
    let answer = Answer::events(events);
    let server = StubServer::start(move |_| answer.clone());
    let (heard, outcome) = stream(&completer_of(&server));
    assert_eq!(server.requests().len(), 1, "a stream was asked for again");
    (
        heard,
        outcome
            .map(|completion| completion.finish)
            .map_err(|error| name(&error)),
    )
}

fn name(error: &LlmError) -> String {
    format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned()
}

#[test]
fn the_embedder_conforms_with_either_encoding() {
    for as_base64 in [true, false] {
        let server = StubServer::start(move |request| embeddings(request, as_base64));
        conformance::embedder(&embedder_of(&server));
    }
}

#[test]
fn the_completer_conforms() {
    let server = StubServer::start(completion);
    conformance::completer(&completer_of(&server));
}

#[test]
fn the_completer_conforms_behind_a_fallback_that_is_needed_and_one_that_is_not() {
    let server = StubServer::start(completion);
    let down = StubServer::start(|_| Answer::new(500));
    let other = || -> Arc<dyn Completer> { Arc::new(completer_of(&server)) };
    conformance::completer(&FallbackCompleter::new(other(), vec![other()]));
    let broken = Arc::new(completer_of(&down));
    let model = FallbackCompleter::new(broken, vec![other()]);
    conformance::completer(&model);
    assert!(!down.requests().is_empty());
}

#[test]
fn an_embedding_request_is_as_the_protocol_says() {
    let server = StubServer::start(|request| embeddings(request, true));
    let plain = embedder_of(&server).embed(&["a", "b"]).unwrap();
    assert_eq!(plain.tokens, Some(2));
    let shortened = OpenAiSettings {
        dimensions: Dimension::new(64).ok(),
        ..settings(&server)
    };
    OpenAiEmbedder::new(Arc::new(UreqTransport::new()), shortened)
        .embed(&["é"])
        .unwrap();
    let requests = server.requests();
    let body = json!({"model": "embedding-model", "input": ["a", "b"], "encoding_format": "base64"});
    assert_eq!(
        (requests[0].target.as_str(), requests[0].json()),
        ("/v1/embeddings", body)
    );
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(requests[1].json()["dimensions"], 64);
}

#[test]
fn a_chat_request_is_as_the_protocol_says() {
    let server = StubServer::start(completion);
    completer_of(&server).complete(&prompt()).unwrap();
    stream(&completer_of(&server)).1.unwrap();
    let tuned = OpenAiSettings {
        max_answer_tokens: Some(300),
        max_tokens_field: MaxTokensField::MaxTokens,
        temperature: Some(0.5),
        ..settings(&server)
    };
    let question = Prompt {
        question: "When?".into(),
        ..Prompt::default()
    };
    OpenAiCompleter::new(Arc::new(UreqTransport::new()), tuned.clone())
        .complete(&question)
        .unwrap();
    let reasoning = OpenAiSettings {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        ..tuned
    };
    OpenAiCompleter::new(Arc::new(UreqTransport::new()), reasoning)
        .complete(&question)
        .unwrap();

    let bodies = server.requests().iter().map(Recorded::json).collect::<Vec<_>>();
    let roles = |body: &Value| {
        let messages = body["messages"].as_array().unwrap().clone();
        messages
            .iter()
            .map(|message| message["role"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let without_messages = |body: &Value| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove("messages");
        body
    };
    assert_eq!(server.requests()[0].target, "/v1/chat/completions");
    assert_eq!(without_messages(&bodies[0]), json!({"model": "chat-model"}));
    assert_eq!(roles(&bodies[0]), ["system", "user", "assistant", "user"]);
    let asked = json!({"model": "chat-model", "stream": true, "stream_options": {"include_usage": true}});
    assert_eq!(without_messages(&bodies[1]), asked);
    assert_eq!(
        without_messages(&bodies[2]),
        json!({"model": "chat-model", "max_tokens": 300, "temperature": 0.5})
    );
    assert_eq!(roles(&bodies[2]), ["system", "user"]);
    assert_eq!(
        bodies[2]["messages"][1],
        json!({"role": "user", "content": "When?"})
    );
    assert_eq!(bodies[3]["max_completion_tokens"], 300);
    assert_eq!(bodies[3].get("max_tokens"), None);
}

#[test]
fn the_base_url_keeps_its_path_and_query_and_the_key_its_header() {
    let server = StubServer::start(completion);
    let asked = |settings: OpenAiSettings| {
        OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings)
            .complete(&prompt())
            .unwrap();
        server.requests().pop().unwrap()
    };
    let azure = OpenAiSettings {
        base_url: server.url("/openai/deployments/d/?api-version=2024-10-21"),
        key_header: KeyHeader::ApiKey,
        ..settings(&server)
    };
    let request = asked(azure);
    assert_eq!(
        request.target,
        "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(
        (request.header("api-key"), request.header("authorization")),
        (Some(KEY), None)
    );
    let request = asked(OpenAiSettings {
        base_url: server.url(""),
        api_key: None,
        ..settings(&server)
    });
    assert_eq!(
        (request.target.as_str(), request.header("authorization")),
        ("/chat/completions", None)
    );
}

#[test]
fn a_batch_that_is_too_long_is_halved_until_it_fits() {
    let server = StubServer::start(|request| match texts(request).len() {
        ..=2 => embeddings(request, true),
        _ => Answer::json(
            400,
            &json!({"error": {"message": "m", "code": "context_length_exceeded"}}),
        ),
    });
    let many = (0..7).map(|n| format!("text {n}")).collect::<Vec<_>>();
    let many = many.iter().map(String::as_str).collect::<Vec<_>>();
    let embedded = embedder_of(&server).embed(&many).unwrap();
    assert_eq!(
        embedded.embeddings,
        MemoryEmbedder.embed(&many).unwrap().embeddings
    );
    assert_eq!(embedded.tokens, Some(7));
}

#[test]
fn a_single_text_that_is_too_long_is_said_to_be() {
    let server = StubServer::start(|_| Answer::json(400, &json!({"error": {"message": "too many tokens"}})));
    assert!(matches!(
        embedder_of(&server).embed(&["a", "b"]),
        Err(LlmError::TooLong(_))
    ));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn embeddings_that_do_not_fit_their_texts_are_refused() {
    let check = |answer: Value| {
        let server = StubServer::start(move |_| Answer::json(200, &answer));
        let outcome = embedder_of(&server).embed(&["a", "b"]);
        assert!(matches!(outcome, Err(LlmError::Protocol(_))), "{outcome:?}");
    };
    let item = |index: Value, embedding: Value| json!({"index": index, "embedding": embedding});
    check(json!({"data": [item(json!(0), json!([1]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(0), json!([1]))]}));
    check(json!({"data": [item(json!(1), json!([1])), item(json!(2), json!([1]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(1), json!([1, 2]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(1), json!([1e39]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(1), json!([0]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(1), json!([]))]}));
    check(json!({"data": [item(json!(0), json!([1])), item(json!(1), json!("AACAfw=="))]}));
    check(json!({"data": []}));
    check(json!([]));
}

#[test]
fn an_error_in_a_good_answer_is_an_error() {
    let error =
        json!({"error": {"message": "m", "type": "invalid_request_error", "code": "invalid_api_key"}});
    let server = StubServer::start(move |_| Answer::json(200, &error));
    assert!(matches!(
        embedder_of(&server).embed(&["a"]),
        Err(LlmError::Unauthorized(_))
    ));
    assert!(matches!(
        completer_of(&server).complete(&prompt()),
        Err(LlmError::Unauthorized(_))
    ));
    assert!(matches!(
        stream(&completer_of(&server)).1,
        Err(LlmError::Unauthorized(_))
    ));
}

#[test]
fn items_without_an_index_stand_in_order() {
    let server = StubServer::start(|_| {
        Answer::json(
            200,
            &json!({"data": [{"embedding": [1, 0]}, {"embedding": [0, 1], "index": null}]}),
        )
    });
    let embedded = embedder_of(&server).embed(&["a", "b"]).unwrap();
    assert_eq!(embedded.embeddings[1].as_slice(), [0.0, 1.0]);
    assert_eq!(embedded.tokens, None);
}

#[test]
fn a_dimension_is_known_asked_for_or_learned() {
    let server = StubServer::start(|request| embeddings(request, true));
    let embedder = |model: &str, dimensions| {
        let settings = OpenAiSettings {
            embedding_model: model.into(),
            dimensions,
            ..settings(&server)
        };
        OpenAiEmbedder::new(Arc::new(UreqTransport::new()), settings)
    };
    let of = |embedder: &OpenAiEmbedder| embedder.identity().dimension.map(Dimension::get);
    assert_eq!(of(&embedder("text-embedding-3-small", None)), Some(1536));
    assert_eq!(of(&embedder("text-embedding-3-large", None)), Some(3072));
    assert_eq!(of(&embedder("text-embedding-ada-002", None)), Some(1536));
    assert_eq!(
        of(&embedder("text-embedding-3-large", Dimension::new(64).ok())),
        Some(64)
    );
    let other = embedder("other", None);
    assert_eq!(of(&other), None);
    other.embed(&["a"]).unwrap();
    assert_eq!(of(&other), Some(64));
    let wrong = embedder("text-embedding-3-small", None).embed(&["a"]);
    assert!(matches!(wrong, Err(LlmError::Protocol(_))));
}

#[test]
fn a_model_is_told_by_who_runs_it() {
    let provider = |url: &str| {
        let settings = OpenAiSettings::new(url.parse().unwrap(), "c", "text-embedding-3-small");
        let identity = OpenAiEmbedder::new(Arc::new(UreqTransport::new()), settings).identity();
        assert_eq!(identity.name, "text-embedding-3-small");
        identity.provider
    };
    assert_eq!(provider("https://api.openai.com/v1"), "openai");
    assert_eq!(
        provider("https://acme.openai.azure.com/openai/v1"),
        "acme.openai.azure.com"
    );
    assert_eq!(provider("http://user:marker@[::1]:8080/v1"), "[::1]:8080");
}

#[test]
fn an_answer_has_its_text_model_and_usage_streamed_or_not() {
    let server = StubServer::start(completion);
    let model = completer_of(&server);
    let (heard, streamed) = stream(&model);
    assert_eq!(heard, "Within 30 days [1].");
    let expected = Completion {
        text: heard,
        model: "chat-model-2026".into(),
        asked: "chat-model".into(),
        finish: FinishReason::Stop,
        usage: Some(Usage {
            prompt_tokens: 12,
            completion_tokens: 5,
        }),
    };
    assert_eq!(streamed.unwrap(), expected);
    assert_eq!(model.complete(&prompt()).unwrap(), expected);
}

#[test]
fn chunks_of_every_server_are_read() {
    let check = |events: &[String], text: &str, finish: FinishReason| {
        assert_eq!(streamed(events), (text.to_owned(), Ok(finish)), "{events:?}");
    };
    let done = || "[DONE]".to_owned();
    // Azure's first chunk; aimock leaves usage out; llama.cpp adds fields.
    let filter = json!({"choices": [], "id": "", "model": "", "prompt_filter_results": []}).to_string();
    let bare = json!({"choices": [{"delta": {"content": "a", "reasoning_content": "x"}}], "timings": {}})
        .to_string();
    check(&[filter, bare, stop(), done()], "a", FinishReason::Stop);
    check(&[content("a"), stop()], "a", FinishReason::Stop);
    check(&[content("a"), done()], "a", FinishReason::Other);
    check(
        &[content("a"), chunk(&json!({}), Some("length")), done()],
        "a",
        FinishReason::Length,
    );
    check(
        &[chunk(&json!({"content": null}), Some("content_filter")), done()],
        "",
        FinishReason::ContentFilter,
    );
    check(
        &[chunk(&json!({"refusal": "No."}), None), stop(), done()],
        "No.",
        FinishReason::ContentFilter,
    );
    let second = json!({"choices": [{"index": 1, "delta": {"content": "b"}}]}).to_string();
    check(&[content("a"), second, stop(), done()], "a", FinishReason::Stop);
    let padded = json!({"choices": [{"index": null, "delta": {"content": "a"}}], "obfuscation": "x7", "created": null});
    check(&[padded.to_string(), stop(), done()], "a", FinishReason::Stop);
    let thought = |field: &str| json!({"choices": [{"delta": {field: "hm", "content": null}}]}).to_string();
    check(
        &[
            thought("reasoning_content"),
            thought("reasoning"),
            content("a"),
            stop(),
        ],
        "a",
        FinishReason::Stop,
    );
    let detailed =
        json!({"choices": [{"delta": {"content": "a", "reasoning": {"summary": []}}}]}).to_string();
    check(&[detailed, stop()], "a", FinishReason::Stop);
    let odd = json!({"error": null, "choices": null, "usage": {}}).to_string();
    check(
        &[odd, content("a"), stop(), done(), content("late")],
        "a",
        FinishReason::Stop,
    );
}

#[test]
fn an_error_in_the_middle_of_a_stream_is_an_error() {
    let check = |event: &str, expected: &str| {
        assert_eq!(
            streamed(&[event.into(), "[DONE]".into()]),
            (String::new(), Err(expected.into())),
            "{event}"
        );
        let after = streamed(&[content("half"), event.into(), "[DONE]".into()]);
        assert_eq!(after, ("half".into(), Err("Truncated".into())), "{event}");
    };
    check(
        r#"{"error":{"message":"m","type":"server_error","code":null}}"#,
        "Unavailable",
    );
    check(r#"{"error":{"message":"m","code":400},"choices":3}"#, "Refused");
    check(r#"{"error":"text"}"#, "Unavailable");
    check(
        r#"{"object":"error","message":"m","type":"BadRequestError","param":null,"code":400}"#,
        "Refused",
    );
    check(
        r#"{"error":{"message":"m","code":"insufficient_quota"}}"#,
        "QuotaExceeded",
    );
    check("{broken", "Protocol");
    check(r#"{"choices":"x"}"#, "Protocol");
}

#[test]
fn an_event_named_error_is_an_error() {
    for data in [r#"{"message":"m"}"#, r#"{"error":{"message":"m"}}"#, "m"] {
        let event = format!("event: error\ndata: {data}\n\n");
        let server = StubServer::start(move |_| {
            Answer::new(200)
                .header("content-type", "text/event-stream")
                .pieces([Piece::Bytes(event.clone().into())])
        });
        let (_, outcome) = stream(&completer_of(&server));
        assert!(
            matches!(outcome, Err(LlmError::Unavailable(_))),
            "{data}: {outcome:?}"
        );
    }
}

#[test]
fn a_stream_without_an_end_is_truncated_and_not_asked_for_again() {
    assert_eq!(
        streamed(&[content("half")]),
        ("half".into(), Err("Truncated".into()))
    );
    assert_eq!(streamed(&[]), (String::new(), Err("Truncated".into())));
    // An empty reason to end is none, as some servers send with every chunk.
    let open = chunk(&json!({"content": "half"}), Some(""));
    assert_eq!(streamed(&[open]), ("half".into(), Err("Truncated".into())));
    assert_eq!(
        streamed(&["[DONE]".into()]),
        (String::new(), Err("Protocol".into()))
    );
    let breaking = Answer::events([content("half")]);
    let tenantry_http_client::AnswerBody::Pieces(mut pieces) = breaking.body.clone() else {
        unreachable!()
    };
    pieces.push(Piece::Break);
    let server = StubServer::start(move |_| breaking.clone().pieces(pieces.clone()));
    let (heard, outcome) = stream(&completer_of(&server));
    assert_eq!((heard.as_str(), server.requests().len()), ("half", 1));
    assert!(matches!(outcome, Err(LlmError::Truncated(_))), "{outcome:?}");
}

#[test]
fn a_usage_that_is_no_number_of_tokens_is_not_known() {
    for (told, usage) in [
        (json!({"prompt_tokens": -1, "completion_tokens": null}), None),
        (json!({"prompt_tokens": 1e30, "completion_tokens": "5"}), None),
        (
            json!({"prompt_tokens": 3, "completion_tokens": 2.5}),
            Some((3, 0)),
        ),
        (
            json!({"prompt_tokens": u64::MAX, "completion_tokens": 1}),
            Some((u64::MAX, 1)),
        ),
    ] {
        let last = json!({"choices": [], "usage": told}).to_string();
        let answer = Answer::events([content("Yes."), stop(), last]);
        let server = StubServer::start(move |_| answer.clone());
        let completion = stream(&completer_of(&server)).1.unwrap();
        let counted = completion
            .usage
            .map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!((completion.text.as_str(), counted), ("Yes.", usage));
    }
}

#[test]
fn an_answer_without_end_is_broken_off() {
    let events = vec![content(&"x".repeat(100_000)); 20];
    let (passed_on, outcome) = streamed(&events);
    assert_eq!(outcome, Err("Truncated".into()));
    assert_eq!(passed_on.len(), 1_000_000);
    let whole = whole(&json!({"content": "x".repeat(2_000_000)}), "stop");
    let server = StubServer::start(move |_| whole.clone());
    let refused = completer_of(&server).complete(&prompt()).unwrap_err();
    assert_eq!(name(&refused), "Protocol");
}

#[test]
fn an_answer_without_text_is_none_unless_it_was_withheld() {
    let check = |message: Value, finish: &'static str, expected: Result<(&str, FinishReason), &str>| {
        let server = StubServer::start(move |_| whole(&message, finish));
        let outcome = completer_of(&server).complete(&prompt());
        let outcome = outcome.map(|completion| (completion.text, completion.finish));
        let expected = expected
            .map(|(text, finish)| (text.to_owned(), finish))
            .map_err(str::to_owned);
        assert_eq!(outcome.map_err(|error| name(&error)), expected);
    };
    check(json!({"content": null}), "stop", Err("Protocol"));
    check(json!({"content": ""}), "stop", Err("Protocol"));
    check(
        json!({"content": null, "tool_calls": []}),
        "tool_calls",
        Err("Protocol"),
    );
    check(
        json!({"content": null}),
        "content_filter",
        Ok(("", FinishReason::ContentFilter)),
    );
    check(json!({"content": ""}), "length", Ok(("", FinishReason::Length)));
    check(
        json!({"content": null, "refusal": "No."}),
        "stop",
        Ok(("No.", FinishReason::ContentFilter)),
    );
    check(
        json!({"content": "Yes."}),
        "stop",
        Ok(("Yes.", FinishReason::Stop)),
    );
    for body in ["", "[]", "{}", "<html>", r#"{"choices":[]}"#, "\u{feff}{}"] {
        let server = StubServer::start(move |_| Answer::new(200).body(body));
        let outcome = completer_of(&server).complete(&prompt());
        assert!(
            matches!(outcome, Err(LlmError::Protocol(_))),
            "{body}: {outcome:?}"
        );
    }
}

#[test]
fn what_is_said_of_a_broken_answer_repeats_nothing_of_it() {
    for body in [r#"{"choices":"body-marker"}"#, r#"{"data":"body-marker"}"#] {
        let server = StubServer::start(move |_| Answer::new(200).body(body));
        let completed = completer_of(&server).complete(&prompt()).map(drop);
        let embedded = embedder_of(&server).embed(&["a"]).map(drop);
        for outcome in [completed, embedded] {
            let shown = format!("{:?}", outcome.unwrap_err());
            assert!(!shown.contains("marker"), "{shown}");
        }
    }
}

#[test]
fn a_server_that_does_not_stream_is_heard_in_one_piece() {
    let server = StubServer::start(|_| whole(&json!({"content": "All of it."}), "stop"));
    let (heard, outcome) = stream(&completer_of(&server));
    assert_eq!(
        (heard.as_str(), outcome.unwrap().finish),
        ("All of it.", FinishReason::Stop)
    );
}

/// Answers with `first`, and to the next request as a provider does.
fn at_second(first: Answer) -> StubServer {
    let asked = Gate::new();
    StubServer::start(move |request| {
        if asked.is_open() {
            return if request.path().ends_with("embeddings") {
                embeddings(request, true)
            } else {
                completion(request)
            };
        }
        asked.open();
        first.clone()
    })
}

#[test]
fn a_busy_provider_is_asked_again_before_the_first_byte() {
    let busy = || Answer::new(429).header("retry-after-ms", "1");
    let server = at_second(busy());
    embedder_of(&server).embed(&["a"]).unwrap();
    assert_eq!(server.requests().len(), 2);
    let server = at_second(busy());
    completer_of(&server).complete(&prompt()).unwrap();
    assert_eq!(server.requests().len(), 2);
    let server = at_second(busy());
    stream(&completer_of(&server)).1.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_used_up_quota_is_not_asked_again() {
    let quota =
        json!({"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}});
    for answer in [Answer::json(429, &quota), Answer::new(402)] {
        let server = at_second(answer.header("retry-after-ms", "1"));
        assert!(matches!(
            stream(&completer_of(&server)).1,
            Err(LlmError::QuotaExceeded(_))
        ));
        assert_eq!(server.requests().len(), 1);
    }
    let server = at_second(Answer::new(503).header("x-should-retry", "false"));
    assert!(matches!(
        completer_of(&server).complete(&prompt()),
        Err(LlmError::Unavailable(_))
    ));
}

#[test]
fn a_cancellation_ends_a_stream_and_the_provider_notices() {
    let reading = Gate::new();
    let first = Piece::Bytes(format!("data: {}\n\n", content("half")).into());
    let held = Answer::new(200).pieces([first, Piece::Open(reading.clone()), Piece::Hold]);
    let server = StubServer::start(move |_| held.clone());
    let cancellation = Cancellation::new();
    let raised = cancellation.clone();
    let waiter = std::thread::spawn(move || {
        let open = reading.wait(Duration::from_secs(20));
        raised.cancel();
        open
    });
    let outcome = completer_of(&server).stream(&prompt(), &cancellation, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(outcome, Err(LlmError::Cancelled)), "{outcome:?}");
    assert!(waiter.join().unwrap());
    assert!(
        server.client_left().wait(Duration::from_secs(20)),
        "the provider still believes in its client"
    );
}

#[test]
fn a_reader_that_breaks_leaves_the_provider() {
    let first = Piece::Bytes(format!("data: {}\n\n", content("half")).into());
    let held = Answer::new(200).pieces([first, Piece::Hold]);
    let server = StubServer::start(move |_| held.clone());
    let outcome =
        completer_of(&server).stream(&prompt(), &Cancellation::new(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(outcome, Err(LlmError::Cancelled)), "{outcome:?}");
    assert!(
        server.client_left().wait(Duration::from_secs(20)),
        "the provider still believes in its client"
    );
}

#[test]
fn nothing_that_can_be_shown_holds_the_key() {
    let refusal = json!({"error": {"message": format!("wrong key {KEY}"), "code": "invalid_api_key"}});
    let server = StubServer::start(move |_| Answer::json(401, &refusal).header("x-request-id", KEY));
    let (embedder, completer) = (embedder_of(&server), completer_of(&server));
    let outcome = embedder.embed(&["a"]);
    let shown = format!(
        "{embedder:?} {completer:?} {:?} {outcome:?} {:?}",
        settings(&server),
        stream(&completer).1
    );
    assert!(shown.contains("wrong key") && !shown.contains(KEY), "{shown}");
    assert_eq!(
        server.requests()[0].header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
}

#[test]
fn one_request_never_carries_the_prompt_of_another() {
    let server = StubServer::start(completion);
    let model = completer_of(&server);
    for tenant in ["marker-one", "marker-two"] {
        let passages = vec![Passage {
            number: 1,
            title: tenant.into(),
            text: tenant.into(),
        }];
        model
            .complete(&Prompt {
                system: Some(tenant.into()),
                passages,
                question: tenant.into(),
                ..Prompt::default()
            })
            .unwrap();
    }
    let second = String::from_utf8(server.requests()[1].body.clone()).unwrap();
    assert!(second.contains("marker-two") && !second.contains("marker-one"));
}
