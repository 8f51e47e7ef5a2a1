use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tenantry_http_client::{Answer, HttpError, MemoryTransport, Piece, Recorded, StubServer, UreqTransport};

use super::*;
use crate::{MemoryReranker, conformance};

const KEY: &str = "rerank-marker-77aa";

fn settings(server: &StubServer) -> RerankerSettings {
    RerankerSettings {
        api_key: Some(KEY.to_owned().into()),
        ..RerankerSettings::new(server.url("/v2/rerank"), "rerank-model")
    }
}

fn of(server: &StubServer) -> HttpReranker {
    HttpReranker::new(Arc::new(UreqTransport::new()), settings(server))
}

/// Answers as a provider does, the best passage first.
fn ranked(request: &Recorded) -> Answer {
    let body = request.json();
    let documents = body["documents"].as_array().unwrap();
    let documents: Vec<&str> = documents.iter().map(|text| text.as_str().unwrap()).collect();
    let relevances = MemoryReranker
        .rerank(body["query"].as_str().unwrap(), &documents)
        .unwrap();
    let mut results: Vec<_> = relevances.into_iter().enumerate().collect();
    results.sort_by(|one, other| other.1.total_cmp(&one.1));
    let item = |(index, relevance): (usize, f32)| json!({"index": index, "relevance_score": relevance, "document": {"text": "x"}});
    let results: Vec<Value> = results.into_iter().map(item).collect();
    Answer::json(
        200,
        &json!({"id": "r1", "results": results, "meta": {"billed_units": {"search_units": 1}}}),
    )
}

/// Asks for two passages and gives the outcome of `answer`, of which an error is named by its variant.
fn outcome(answer: &Value) -> Result<Vec<f32>, String> {
    let answer = answer.clone();
    let provider = MemoryTransport::new(move |_| Ok(Answer::json(200, &answer)));
    let settings = RerankerSettings::new("http://provider.test/rerank".parse().unwrap(), "m");
    HttpReranker::new(Arc::new(provider), settings)
        .rerank("q", &["a", "b"])
        .map_err(|error| name(&error))
}

fn name(error: &LlmError) -> String {
    format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned()
}

#[test]
fn the_reranker_conforms() {
    let server = StubServer::start(ranked);
    conformance::reranker(&of(&server));
}

#[test]
fn a_request_is_as_the_protocol_says() {
    let server = StubServer::start(ranked);
    of(&server).rerank("how long", &["a", "b"]).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/v2/rerank");
    let body = json!({"model": "rerank-model", "query": "how long", "documents": ["a", "b"], "top_n": 2});
    assert_eq!(requests[0].json(), body);
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
}

#[test]
fn nothing_is_sent_without_passages_nor_beyond_the_limits() {
    let provider = Arc::new(MemoryTransport::new(|_| Err(HttpError::Timeout)));
    let settings = RerankerSettings::new("http://provider.test/rerank".parse().unwrap(), "m");
    let reranker = HttpReranker::new(provider.clone(), settings);
    assert!(reranker.rerank("q", &[]).unwrap().is_empty());
    let long = "x".repeat(MAX_BYTES / 2 + 1);
    for passages in [&vec!["a"; MAX_PASSAGES + 1], &vec![long.as_str(); 2]] {
        let error = reranker.rerank("q", passages).unwrap_err();
        assert!(matches!(error, LlmError::TooLong(_)), "{error:?}");
    }
    assert!(provider.requests().is_empty());
}

#[test]
fn relevances_stand_in_the_order_of_their_passages() {
    let item = |index: u8, score: f32| json!({"index": index, "relevance_score": score});
    let both = [item(1, 0.75), item(0, -2.5)];
    assert_eq!(outcome(&json!({"results": both})), Ok(vec![-2.5, 0.75]));
    assert_eq!(
        outcome(&json!({"object": "list", "data": both})),
        Ok(vec![-2.5, 0.75])
    );
}

#[test]
fn an_answer_that_does_not_fit_its_passages_is_refused() {
    let item = |index: i8| json!({"index": index, "relevance_score": 0.5});
    for results in [
        json!([]),
        json!([item(0)]),
        json!([item(0), item(0)]),
        json!([item(0), item(2)]),
        json!([item(0), item(-1)]),
        json!([item(0), item(1), item(1)]),
        json!([item(0), {"index": 1}]),
        json!([item(0), {"index": 1, "relevance_score": "high"}]),
        json!([item(0), {"index": 1, "relevance_score": 1e300}]),
    ] {
        let answer = json!({"results": results});
        assert_eq!(outcome(&answer), Err("Protocol".into()), "{answer}");
    }
    assert_eq!(outcome(&json!({})), Err("Protocol".into()));
    assert_eq!(
        outcome(&json!({"error": {"message": "m", "code": 503}})),
        Err("Unavailable".into())
    );
}

#[test]
fn every_status_has_its_meaning() {
    for (status, body, expected) in [
        (400, json!({"message": "invalid request"}), "Refused"),
        (
            400,
            json!({"message": "too many tokens: max tokens must be less than 4096"}),
            "TooLong",
        ),
        (
            401,
            json!({"message": format!("invalid api token {KEY}")}),
            "Unauthorized",
        ),
        (404, json!({"message": "model 'x' not found"}), "UnknownModel"),
        (422, json!({"detail": "documents must not be empty"}), "Refused"),
        (402, json!({"detail": "Insufficient balance"}), "QuotaExceeded"),
        (500, json!({"message": "internal"}), "Unavailable"),
    ] {
        let server = StubServer::start(move |_| Answer::json(status, &body));
        let error = of(&server).rerank("q", &["a"]).unwrap_err();
        assert_eq!(name(&error), expected, "{status}");
        assert!(!format!("{error:?}").contains(KEY), "{error:?}");
    }
}

#[test]
fn a_busy_provider_is_asked_again() {
    let answers = [
        Answer::json(429, &json!({"message": "slow down"})).header("retry-after", "0"),
        Answer::json(200, &json!({"results": [{"index": 0, "relevance_score": 0.5}]})),
    ];
    let provider = Arc::new(MemoryTransport::queue(answers.map(Ok)));
    let settings = RerankerSettings::new("http://provider.test/rerank".parse().unwrap(), "m");
    let reranker = HttpReranker::new(provider.clone(), settings);
    assert_eq!(reranker.rerank("q", &["a"]).unwrap(), [0.5]);
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_silent_provider_is_given_up() {
    let silent = Answer::new(200).before_head(Piece::Hold);
    let server = StubServer::start(move |_| silent.clone());
    let settings = RerankerSettings {
        patience: Duration::from_millis(100),
        ..settings(&server)
    };
    let error = HttpReranker::new(Arc::new(UreqTransport::new()), settings)
        .rerank("q", &["a"])
        .unwrap_err();
    assert!(matches!(error, LlmError::Unavailable(_)), "{error:?}");
}

#[test]
fn settings_show_no_key_and_no_path() {
    let server = StubServer::start(ranked);
    let shown = format!("{:?}", of(&server));
    assert!(shown.contains("rerank-model"), "{shown}");
    assert!(!shown.contains(KEY) && !shown.contains("/v2"), "{shown}");
}
