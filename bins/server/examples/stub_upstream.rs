//! A fast stand-in for OpenAI and Pinecone, for measuring what the server adds: fixed embeddings and answers, and a
//! vector index that returns what was last stored.
//!
//! `cargo run --release --example stub_upstream -- PORT [DELAY_MS [EVENTS EVERY_MS]]`: with EVENTS a streamed answer has that many
//! pieces, one every `EVERY_MS`; else all of it comes at once.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring tool may fail loudly"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{Bytes, Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::{Value, json};

/// What every index holds, by namespace, and the answer that each namespace's query gets.
#[derive(Default)]
struct Index(Mutex<HashMap<String, Namespace>>);

#[derive(Default)]
struct Namespace {
    records: Vec<Value>,
    answer: Bytes,
}

struct Stub {
    index: Index,
    vector: String,
    port: u16,
    delay: Duration,
    /// How many pieces a slow answer has, and the time between two.
    slow: Option<(u32, Duration)>,
}

async fn pause(stub: &Stub) {
    if !stub.delay.is_zero() {
        actix_web::rt::time::sleep(stub.delay).await;
    }
}

async fn embeddings(stub: Data<Arc<Stub>>, body: Json<Value>) -> HttpResponse {
    let inputs = body.get("input").and_then(Value::as_array).map_or(1, Vec::len);
    let entries: Vec<String> = (0..inputs)
        .map(|n| {
            format!(
                r#"{{"object":"embedding","index":{n},"embedding":"{}"}}"#,
                stub.vector
            )
        })
        .collect();
    let answer = format!(
        r#"{{"object":"list","model":"stub","data":[{}],"usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#,
        entries.join(",")
    );
    HttpResponse::Ok().content_type("application/json").body(answer)
}

const ANSWER: &str =
    "A late return costs three euros for each day that has begun, up to the price of the item [1].";

async fn chat(stub: Data<Arc<Stub>>, body: Json<Value>) -> HttpResponse {
    pause(&stub).await;
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        let mut answer = HttpResponse::Ok();
        answer.content_type("text/event-stream");
        return match stub.slow {
            Some((events, every)) => answer.streaming(slowly(events, every)),
            None => answer.body(streamed()),
        };
    }
    HttpResponse::Ok().json(json!({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "stub",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER, "refusal": null}}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 24, "total_tokens": 324}
    }))
}

fn chunk(choices: &Value, usage: &Value) -> String {
    let body = json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "stub", "choices": choices, "usage": usage});
    format!("data: {body}\n\n")
}

fn word(word: &str) -> String {
    chunk(
        &json!([{"index": 0, "delta": {"content": word}, "finish_reason": null}]),
        &Value::Null,
    )
}

fn ending() -> String {
    [
        chunk(
            &json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
            &Value::Null,
        ),
        chunk(
            &json!([]),
            &json!({"prompt_tokens": 300, "completion_tokens": 24, "total_tokens": 324}),
        ),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

fn streamed() -> String {
    let words: String = ANSWER.split_inclusive(' ').map(word).collect();
    words + &ending()
}

/// `events` words, the first at once and one `every` so long after, then the end.
fn slowly(events: u32, every: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold(0, move |sent| async move {
        if sent > events {
            return None;
        }
        if sent > 0 {
            actix_web::rt::time::sleep(every).await;
        }
        let piece = if sent == events { ending() } else { word("word ") };
        Some((Ok(Bytes::from(piece)), sent + 1))
    })
}

async fn describe(stub: Data<Arc<Stub>>, name: Path<String>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": name.as_str(), "metric": "cosine", "dimension": 1536, "vector_type": "dense",
        "host": format!("http://127.0.0.1:{}", stub.port),
        "status": {"ready": true, "state": "Ready"}, "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}}
    }))
}

async fn upsert(stub: Data<Arc<Stub>>, body: Json<Value>) -> HttpResponse {
    let mut body = body.into_inner();
    let name = body
        .get("namespace")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let vectors = body
        .get_mut("vectors")
        .map(Value::take)
        .and_then(|v| v.as_array().cloned())
        .unwrap_or_default();
    let count = vectors.len();
    let mut index = stub.index.0.lock().expect("no thread panics");
    let namespace = index.entry(name.clone()).or_default();
    for mut record in vectors {
        if let Some(record) = record.as_object_mut() {
            record.remove("values");
            record.insert("score".into(), json!(0.9));
        }
        namespace.records.push(record);
    }
    let best: Vec<&Value> = namespace.records.iter().take(6).collect();
    let answer = json!({"matches": best, "namespace": name, "usage": {"readUnits": 1}});
    namespace.answer = Bytes::from(answer.to_string());
    HttpResponse::Ok().json(json!({"upsertedCount": count}))
}

async fn query(stub: Data<Arc<Stub>>, body: Json<Value>) -> HttpResponse {
    let name = body.get("namespace").and_then(Value::as_str).unwrap_or_default();
    let index = stub.index.0.lock().expect("no thread panics");
    let answer = index
        .get(name)
        .map_or_else(|| Bytes::from_static(br#"{"matches":[]}"#), |n| n.answer.clone());
    HttpResponse::Ok().content_type("application/json").body(answer)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments
        .next()
        .and_then(|port| port.parse().ok())
        .unwrap_or(18_800);
    let delay = arguments.next().and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let events: Option<u32> = arguments.next().and_then(|events| events.parse().ok());
    let every: Option<u64> = arguments.next().and_then(|ms| ms.parse().ok());
    // 1,536 floats of 0.03125 in little-endian base64: 12 bytes, three floats, are 16 characters.
    let vector = "AAAAPQAAAD0AAAA9".repeat(512);
    let stub = Arc::new(Stub {
        index: Index::default(),
        vector,
        port,
        delay: Duration::from_millis(delay),
        slow: events.zip(every.map(Duration::from_millis)),
    });
    println!("listening on http://127.0.0.1:{port}");
    HttpServer::new(move || {
        App::new()
            .app_data(Data::new(stub.clone()))
            .app_data(web::JsonConfig::default().limit(8 << 20))
            .route("/v1/embeddings", web::post().to(embeddings))
            .route("/v1/chat/completions", web::post().to(chat))
            .route("/indexes/{name}", web::get().to(describe))
            .route("/vectors/upsert", web::post().to(upsert))
            .route("/query", web::post().to(query))
    })
    .workers(1)
    .max_connections(10_000)
    .backlog(4_096)
    .tcp_nodelay(true)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
