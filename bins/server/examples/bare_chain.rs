//! The yardstick: a server that does the three upstream calls of a chat (embed, query, complete) and nothing else, with
//! actix-web and ureq alone. No accounts, no tenants, no limits.
//!
//! `cargo run --release --example bare_chain -- PORT UPSTREAM_PORT`
#![expect(
    clippy::disallowed_methods,
    reason = "the yardstick has no bridge and no client of ours"
)]

use actix_web::error::ErrorInternalServerError;
use actix_web::web::{Data, Json};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

#[derive(Clone)]
struct Chain {
    agent: ureq::Agent,
    upstream: String,
}

impl Chain {
    fn post(&self, path: &str, body: &Value) -> Result<Value, ureq::Error> {
        let url = format!("{}{path}", self.upstream);
        let answer = self
            .agent
            .post(url)
            .header("content-type", "application/json")
            .header("authorization", "Bearer sk-bare")
            .send(body.to_string().as_bytes())?
            .body_mut()
            .read_to_string()?;
        Ok(serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    fn answer(&self, message: &str) -> Result<Value, ureq::Error> {
        let embedded = self.post(
            "/v1/embeddings",
            &json!({"model": "stub", "input": [message], "encoding_format": "base64"}),
        )?;
        let vector = embedded
            .pointer("/data/0/embedding")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let found = self.post(
            "/query",
            &json!({"topK": 12, "namespace": "bench", "includeMetadata": true, "vector": floats(vector)}),
        )?;
        let matches = found
            .get("matches")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let passages: Vec<String> = matches
            .iter()
            .filter_map(|found| found.pointer("/metadata/text")?.as_str().map(str::to_owned))
            .collect();
        let completed = self.post(
            "/v1/chat/completions",
            &json!({"model": "stub", "messages": [
                {"role": "system", "content": "Answer from the passages."},
                {"role": "user", "content": passages.join("\n\n")},
                {"role": "user", "content": message},
            ]}),
        )?;
        let text = completed
            .pointer("/choices/0/message/content")
            .cloned()
            .unwrap_or(Value::Null);
        Ok(
            json!({"answer": text, "sources": matches, "model": completed.get("model"), "usage": completed.get("usage")}),
        )
    }
}

fn floats(encoded: &str) -> Vec<f32> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap_or_default();
    bytes
        .chunks_exact(4)
        .filter_map(|four| Some(f32::from_le_bytes(four.try_into().ok()?)))
        .collect()
}

async fn chat(chain: Data<Chain>, body: Json<Value>) -> actix_web::Result<HttpResponse> {
    let message = body
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let answer = web::block(move || chain.answer(&message))
        .await?
        .map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(answer))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|port| port.parse::<u16>().ok());
    let port = arguments.next().unwrap_or(18_801);
    let upstream = format!("http://127.0.0.1:{}", arguments.next().unwrap_or(18_800));
    let agent = ureq::Agent::config_builder()
        .max_idle_connections_per_host(512)
        .max_idle_connections(512)
        .build()
        .new_agent();
    let chain = Chain { agent, upstream };
    HttpServer::new(move || {
        App::new()
            .app_data(Data::new(chain.clone()))
            .route("/chat", web::post().to(chat))
    })
    .workers(1)
    .tcp_nodelay(true)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
