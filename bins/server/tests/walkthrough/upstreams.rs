//! Stand-ins for OpenAI and Pinecone that record every header and body.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_http_client::{Answer, Recorded, StubServer};
use tenantry_vector_client::testing::PineconeStub;

use crate::database::Database;
use crate::server::Settings;

/// The key that the server has of the model provider.
pub(crate) const OPENAI_API_KEY: &str = "sk-the-servers-own-0123456789";
/// What `text-embedding-3-small` makes.
const DIMENSION: usize = 1_536;

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

    /// How many requests to Pinecone carried that key.
    pub(crate) fn requests_with(&self, key: &str) -> usize {
        self.pinecone_requests()
            .iter()
            .filter(|request| request.header("api-key") == Some(key))
            .count()
    }

    /// Asserts that every request upstream belongs to one tenant and has nothing of another in it, and that each
    /// tenant's own key, namespace and prompts did go upstream.
    pub(crate) fn assert_kept_apart(&self, tenants: &[TenantTraffic]) {
        let mut used = BTreeSet::new();
        for request in self.pinecone_requests() {
            let key = request
                .header("api-key")
                .expect("every request to Pinecone has a key");
            let owner = tenants.iter().find(|tenant| tenant.key() == Some(key));
            let owner = owner.unwrap_or_else(|| panic!("a key that no tenant has was sent: {request:?}"));
            owner.assert_alone_in(&request, tenants);
            assert!(
                !everything(&request).contains(OPENAI_API_KEY),
                "Pinecone was told the key of the model"
            );
        }
        for (account, host) in self.hosts.iter() {
            let owner = tenants
                .iter()
                .find(|tenant| tenant.key() == Some(&account.key))
                .unwrap();
            assert!(!host.requests().is_empty(), "{}'s index was never used", owner.id);
            for request in host.requests() {
                let namespace = namespace(&request);
                assert_eq!(namespace.as_deref(), Some(owner.id.as_str()), "{request:?}");
            }
            let namespaces: Vec<_> = host.namespaces().into_iter().map(|(name, _)| name).collect();
            assert_eq!(
                namespaces,
                std::slice::from_ref(&owner.id),
                "namespaces of {}'s index",
                account.index
            );
        }
        for request in self.openai.requests() {
            let keys = tenants.iter().filter_map(TenantTraffic::key);
            for key in keys {
                assert!(
                    !everything(&request).contains(key),
                    "the model was told a Pinecone key"
                );
            }
            let text = everything(&request).to_lowercase();
            let mut owners = tenants.iter().filter(|tenant| text.contains(&tenant.id));
            let Some(owner) = owners.next() else {
                assert_eq!(
                    request.path(),
                    "/v1/embeddings",
                    "a chat without anything of its tenant: {text}"
                );
                continue;
            };
            assert!(
                owners.next().is_none(),
                "two tenants in one request to the model: {text}"
            );
            if request.path() == "/v1/chat/completions" {
                let prompt = owner.prompts.iter().find(|prompt| says(&request, prompt));
                used.insert(
                    prompt.unwrap_or_else(|| panic!("a chat of {} without its prompt: {text}", owner.id)),
                );
            }
        }
        for prompt in tenants.iter().flat_map(|tenant| &tenant.prompts) {
            assert!(
                used.contains(prompt),
                "this prompt never reached the model: {prompt}"
            );
        }
    }
}

/// How a tenant is recognised in what goes upstream: its id stands in its texts and prompts, in any letter case.
pub(crate) struct TenantTraffic {
    pub(crate) id: String,
    pub(crate) pinecone: Option<PineconeAccount>,
    pub(crate) prompts: Vec<String>,
}

impl TenantTraffic {
    fn key(&self) -> Option<&str> {
        self.pinecone.as_ref().map(|account| account.key.as_str())
    }

    fn assert_alone_in(&self, request: &Recorded, tenants: &[Self]) {
        let text = everything(request).to_lowercase();
        for other in tenants.iter().filter(|other| other.id != self.id) {
            assert!(
                !text.contains(&other.id),
                "{} is told in a request of {}: {text}",
                other.id,
                self.id
            );
        }
    }
}

/// The request line, the headers and the body of a request.
fn everything(request: &Recorded) -> String {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let headers = headers.join("\n");
    format!(
        "{} {}\n{headers}\n{}",
        request.method,
        request.target,
        String::from_utf8_lossy(&request.body)
    )
}

/// Whether a message of a chat request has that text in it.
fn says(request: &Recorded, text: &str) -> bool {
    let body = request.json();
    let mut messages = body["messages"].as_array().into_iter().flatten();
    messages.any(|message| {
        message["content"]
            .as_str()
            .is_some_and(|content| content.contains(text))
    })
}

/// The namespace that a request to an index names.
fn namespace(request: &Recorded) -> Option<String> {
    let body = request.json();
    let in_query = || {
        let query = request.target.split_once('?')?.1;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| name == "namespace")
            .map(|(_, value)| value.into_owned())
    };
    let in_path = || request.path().strip_prefix("/namespaces/").map(str::to_owned);
    body["namespace"]
        .as_str()
        .map(str::to_owned)
        .or_else(in_query)
        .or_else(in_path)
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

/// Embeds by words, so that texts with words in common lie near each other.
fn embeddings(body: &Value) -> Answer {
    let inputs: Vec<_> = match &body["input"] {
        Value::Array(inputs) => inputs.iter().filter_map(Value::as_str).collect(),
        input => input.as_str().into_iter().collect(),
    };
    let embedded = inputs.iter().enumerate().map(
        |(index, input)| json!({ "object": "embedding", "index": index, "embedding": embedding(input) }),
    );
    let usage = json!({ "prompt_tokens": inputs.len(), "total_tokens": inputs.len() });
    let data: Vec<_> = embedded.collect();
    Answer::json(
        200,
        &json!({ "object": "list", "model": body["model"], "data": data, "usage": usage }),
    )
}

fn embedding(text: &str) -> Vec<f64> {
    let mut counts = vec![0.0_f64; DIMENSION];
    // So that a text without words has a direction too.
    counts[0] = 0.1;
    for word in text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        // FNV-1a: the same on every machine.
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        counts[usize::try_from(hash % 1_535).unwrap() + 1] += 1.0;
    }
    let length = counts.iter().map(|count| count * count).sum::<f64>().sqrt();
    counts.iter().map(|count| count / length).collect()
}

/// Answers with the sentences of the prompt that name a number of days, as a model that reads its passages would, and
/// cites the first passage.
fn quote(body: &Value) -> Answer {
    let text: String = body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|message| message["content"].as_str())
        .collect();
    let sentences = text.split(['.', '\n']).map(str::trim);
    let found: BTreeSet<_> = sentences
        .filter(|sentence| {
            let mut words = sentence.split(' ').zip(sentence.split(' ').skip(1));
            words.any(|(number, days)| number.parse::<u32>().is_ok() && days.starts_with("days"))
        })
        .collect();
    let answer = if found.is_empty() {
        "The passages do not say.".to_owned()
    } else {
        format!("{} [1].", found.into_iter().collect::<Vec<_>>().join(". "))
    };
    if body["stream"] == true {
        streamed(&answer)
    } else {
        whole(&answer)
    }
}

/// What an answer costs here, always.
fn usage() -> Value {
    json!({ "prompt_tokens": 25, "completion_tokens": 12, "total_tokens": 37 })
}

fn whole(text: &str) -> Answer {
    let message = json!({ "role": "assistant", "content": text, "refusal": null });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null });
    Answer::json(
        200,
        &json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_764_000_000, "model": "gpt-4o-mini-2024-07-18",
            "choices": [choice], "usage": usage(),
        }),
    )
}

/// A chunk of a streamed answer.
pub(crate) fn chunk(text: &str) -> Value {
    chunk_with(&json!({ "content": text }), &Value::Null)
}

fn chunk_with(delta: &Value, finish: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000,
        "model": "gpt-4o-mini-2024-07-18", "usage": null,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish, "logprobs": null }],
    })
}

/// A whole streamed answer, word by word, with its usage, as OpenAI sends it.
pub(crate) fn streamed(text: &str) -> Answer {
    let mut chunks = vec![chunk_with(
        &json!({ "role": "assistant", "content": "" }),
        &Value::Null,
    )];
    chunks.extend(text.split_inclusive(' ').map(chunk));
    chunks.push(chunk_with(&json!({}), &json!("stop")));
    let mut last = chunk("");
    last["choices"] = json!([]);
    last["usage"] = usage();
    chunks.push(last);
    let events = chunks.iter().map(Value::to_string);
    Answer::events(events.chain(["[DONE]".to_owned()]))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use tenantry_http_client::{Method, Request, Transport, Trust, UreqTransport};

    use super::*;

    const KEYS: [&str; 2] = ["pcsk-amber-0123456789abcdef", "pcsk-beryl-0123456789abcdef"];

    fn tenants() -> [TenantTraffic; 2] {
        let tenant = |id: &str, key: &str| TenantTraffic {
            id: id.to_owned(),
            pinecone: Some(PineconeAccount::new(key, &format!("{id}-docs"))),
            prompts: vec![format!("You speak for {id}.")],
        };
        [tenant("amber", KEYS[0]), tenant("beryl", KEYS[1])]
    }

    /// Upstreams that were used as they should be by both tenants.
    fn used() -> Upstreams {
        let tenants = tenants();
        let accounts: Vec<_> = tenants
            .iter()
            .filter_map(|tenant| tenant.pinecone.clone())
            .collect();
        let upstreams = Upstreams::start(&accounts);
        for (at, tenant) in tenants.iter().enumerate() {
            pinecone(&upstreams, at, tenant.key().unwrap(), &tenant.id, &tenant.id);
            chat(
                &upstreams,
                &format!("You speak for {}. Who are you?", tenant.id),
                "",
            );
        }
        upstreams
    }

    fn pinecone(upstreams: &Upstreams, host: usize, key: &str, namespace: &str, text: &str) {
        let url = format!("{}/vectors/upsert", upstreams.hosts[host].1.url());
        let metadata = json!({ "text": text });
        let vectors = json!([{ "id": "1", "values": embedding(text), "metadata": metadata }]);
        let body = json!({ "namespace": namespace, "vectors": vectors });
        send(&url, "api-key", key, "", &body);
    }

    fn chat(upstreams: &Upstreams, text: &str, more: &'static str) {
        let url = format!("{}/chat/completions", upstreams.openai_url());
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": text }] });
        send(
            &url,
            "authorization",
            &format!("Bearer {OPENAI_API_KEY}"),
            more,
            &body,
        );
    }

    fn send(url: &str, name: &'static str, value: &str, more: &str, body: &Value) {
        let request = Request::new(Method::Post, url.parse().unwrap(), Trust::Operator)
            .header(name, value)
            .header("x-pinecone-api-version", "2026-04")
            .header("user-agent", more)
            .json(body)
            .unwrap();
        UreqTransport::new().send(&request).unwrap();
    }

    #[test]
    fn traffic_that_is_kept_apart_passes() {
        used().assert_kept_apart(&tenants());
    }

    #[test]
    fn every_way_of_mixing_tenants_up_is_seen() {
        let leaks: [(&str, fn(&Upstreams)); 9] = [
            ("another's namespace", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "beryl", "amber")
            }),
            ("no tenant's namespace", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "shared", "amber")
            }),
            ("another's text", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "amber", "Beryl says")
            }),
            ("another's key", |upstreams| {
                pinecone(upstreams, 1, KEYS[0], "beryl", "beryl")
            }),
            ("nobody's key", |upstreams| {
                pinecone(upstreams, 0, "pcsk-nobody", "amber", "amber")
            }),
            ("the model's key", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "amber", OPENAI_API_KEY)
            }),
            ("two prompts", |upstreams| {
                chat(upstreams, "You speak for amber. You speak for beryl.", "")
            }),
            ("no prompt", |upstreams| {
                chat(upstreams, "amber: who are you?", "")
            }),
            ("a key in a header", |upstreams| {
                chat(upstreams, "You speak for amber.", KEYS[0])
            }),
        ];
        for (what, leak) in leaks {
            let upstreams = used();
            leak(&upstreams);
            let seen = catch_unwind(AssertUnwindSafe(|| upstreams.assert_kept_apart(&tenants())));
            assert!(seen.is_err(), "{what} goes unseen");
        }
    }

    #[test]
    fn a_tenant_that_was_never_served_is_seen() {
        let upstreams = Upstreams::start(&[]);
        let alone = [TenantTraffic {
            id: "amber".into(),
            pinecone: None,
            prompts: vec!["You speak for amber.".into()],
        }];
        assert!(catch_unwind(AssertUnwindSafe(|| upstreams.assert_kept_apart(&alone))).is_err());
    }
}
