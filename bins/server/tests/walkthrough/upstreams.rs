//! Stand-ins for OpenAI and Pinecone that record every header and body.

mod model;
mod traffic;

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_http_client::{Answer, Recorded, StubServer};
use tenantry_vector_client::testing::PineconeStub;

use crate::database::Database;
use crate::server::Settings;
use model::{DIMENSION, embeddings};
pub(crate) use model::{chunk, quote, streamed};
pub(crate) use traffic::TenantTraffic;

/// The key that the server has of the model provider.
pub(crate) const OPENAI_API_KEY: &str = "sk-the-servers-own-0123456789";

/// An index in a Pinecone project of its own.
#[derive(Clone)]
pub(crate) struct PineconeAccount {
    key: String,
    index: String,
    dimension: usize,
    metric: &'static str,
}

impl PineconeAccount {
    pub(crate) fn new(key: &str, index: &str) -> Self {
        Self {
            key: key.to_owned(),
            index: index.to_owned(),
            dimension: DIMENSION,
            metric: "cosine",
        }
    }

    pub(crate) fn dimension(self, dimension: usize) -> Self {
        Self { dimension, ..self }
    }

    pub(crate) fn metric(self, metric: &'static str) -> Self {
        Self { metric, ..self }
    }

    /// The index as Pinecone describes it.
    fn description(&self, host: &str) -> Value {
        json!({
            "name": self.index,
            "vector_type": "dense",
            "metric": self.metric,
            "dimension": self.dimension,
            "status": { "ready": true, "state": "Ready" },
            "host": host,
            "spec": { "serverless": { "cloud": "aws", "region": "us-east-1" } },
            "deletion_protection": "disabled",
        })
    }
}

/// OpenAI, and Pinecone with one control plane and a host of its own for every index.
pub(crate) struct Upstreams {
    openai: StubServer,
    control: StubServer,
    hosts: Arc<Vec<(PineconeAccount, PineconeStub)>>,
}

impl Upstreams {
    /// A model that quotes what it was given, and those Pinecone indexes.
    pub(crate) fn start(accounts: &[PineconeAccount]) -> Self {
        Self::with_chat(accounts, quote)
    }

    /// A model that answers as `chat` says.
    pub(crate) fn with_chat(
        accounts: &[PineconeAccount],
        chat: impl Fn(&Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let openai = StubServer::start(move |request| match request.path() {
            _ if request.header("authorization") != Some(&format!("Bearer {OPENAI_API_KEY}")) => {
                let error = json!({ "message": "Incorrect API key", "type": "invalid_request_error", "param": null, "code": "invalid_api_key" });
                Answer::json(401, &json!({ "error": error }))
            }
            "/v1/embeddings" => embeddings(&request.json()),
            "/v1/chat/completions" => chat(&request.json()),
            path => Answer::json(404, &json!({ "error": { "message": format!("no {path}") } })),
        });
        let host = |account: &PineconeAccount| {
            (
                account.clone(),
                PineconeStub::start(account.dimension, &[account.key.as_str()]),
            )
        };
        let hosts: Arc<Vec<_>> = Arc::new(accounts.iter().map(host).collect());
        let known = hosts.clone();
        let control = StubServer::start(move |request| control_plane(&known, request));
        Self {
            openai,
            control,
            hosts,
        }
    }

    /// The settings of a server that uses these upstreams.
    pub(crate) fn settings(&self, database: &Database) -> Settings {
        Settings::new(&database.url())
            .with("OPENAI_API_KEY", OPENAI_API_KEY)
            .with("OPENAI_BASE_URL", &self.openai_url())
            .with("PINECONE_CONTROL_URL", &self.control_url())
    }

    pub(crate) fn openai_url(&self) -> String {
        format!("http://{}/v1", self.openai.address())
    }

    pub(crate) fn control_url(&self) -> String {
        format!("http://{}", self.control.address())
    }

    pub(crate) fn openai(&self) -> &StubServer {
        &self.openai
    }

    /// Every request to the control plane and then to each host.
    pub(crate) fn pinecone_requests(&self) -> Vec<Recorded> {
        let hosts = self.hosts.iter().flat_map(|(_, host)| host.requests());
        self.control.requests().into_iter().chain(hosts).collect()
    }

    /// The namespaces of all hosts with their numbers of records.
    pub(crate) fn namespaces(&self) -> Vec<(String, usize)> {
        self.hosts
            .iter()
            .flat_map(|(_, host)| host.namespaces())
            .collect()
    }

    /// How many requests to Pinecone carried that key.
    pub(crate) fn requests_with(&self, key: &str) -> usize {
        self.pinecone_requests()
            .iter()
            .filter(|request| request.header("api-key") == Some(key))
            .count()
    }
}

/// Describes the indexes of the project that the key belongs to.
fn control_plane(hosts: &[(PineconeAccount, PineconeStub)], request: &Recorded) -> Answer {
    let error = |status: u16, code: &str, message: &str| {
        Answer::json(
            status,
            &json!({ "status": status, "error": { "code": code, "message": message } }),
        )
    };
    let key = request.header("api-key").unwrap_or_default();
    let own: Vec<_> = hosts.iter().filter(|(account, _)| account.key == key).collect();
    if own.is_empty() {
        return error(401, "UNAUTHENTICATED", "Invalid API Key");
    }
    if request.header("x-pinecone-api-version").is_none() {
        return error(400, "INVALID_ARGUMENT", "the version header is missing");
    }
    let mut described = own.iter().map(|(account, host)| account.description(&host.url()));
    match request.path().strip_prefix("/indexes") {
        Some("") => Answer::json(200, &json!({ "indexes": described.collect::<Vec<_>>() })),
        Some(name) => match described.find(|index| name.strip_prefix('/') == index["name"].as_str()) {
            Some(index) => Answer::json(200, &index),
            None => error(404, "NOT_FOUND", "Resource not found"),
        },
        None => error(404, "NOT_FOUND", "no such call"),
    }
}
