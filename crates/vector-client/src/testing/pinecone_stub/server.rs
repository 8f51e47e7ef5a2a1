use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use tenantry_http_client::{Answer, Recorded, StubServer};

use super::data::Index;
use super::rules;

/// The longest request line that every proxy on the way lets through.
const MAX_TARGET_BYTES: usize = 8_000;

/// A local stand-in for Pinecone: control plane and one index named `docs` on one port, over real HTTP.
///
/// It keeps vectors in memory, answers queries by cosine, and is strict where the real service is lenient: a missing
/// version header, an unknown field or filter operator, or a write to the default namespace is refused. It records every
/// request, keys included.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_domain::Generation;
/// use tenantry_http_client::UreqTransport;
/// use tenantry_vector_client::conformance::scope;
/// use tenantry_vector_client::testing::PineconeStub;
/// use tenantry_vector_client::{IndexCatalog, PineconeCatalog, PineconeOptions, PineconeStore, VectorStore};
///
/// let pinecone = PineconeStub::start(3, &["pcsk_1"]);
/// let options = PineconeOptions::new(Some(&pinecone.url()), None)?;
/// let transport = Arc::new(UreqTransport::new());
/// let catalog = PineconeCatalog::new(transport.clone(), options.clone());
/// let host = catalog.index(&"pcsk_1".into(), "docs")?.and_then(|index| index.host).ok_or("no host")?;
/// let store = PineconeStore::connect(transport, &options, &host, "pcsk_1".into())?;
/// assert_eq!(store.count(scope("acme").index(Generation::FIRST))?, 0);
/// assert_eq!(pinecone.requests().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PineconeStub {
    server: StubServer,
    state: Arc<Mutex<State>>,
}

struct State {
    keys: Vec<String>,
    index: Index,
    more_indexes: Vec<Value>,
    scripted: VecDeque<Answer>,
}

impl PineconeStub {
    /// Starts a service that accepts `keys` and whose index holds vectors of `dimension`.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn start(dimension: usize, keys: &[&str]) -> Self {
        let state = Arc::new(Mutex::new(State {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            index: Index::new(dimension),
            more_indexes: Vec::new(),
            scripted: VecDeque::new(),
        }));
        let shared = state.clone();
        let server = StubServer::start(move |request| lock(&shared).answer(request));
        Self { server, state }
    }

    /// The control plane's URL, which is the index's host as well.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Adds another index to the account, as the control plane describes it.
    pub fn add_index(&self, description: Value) {
        lock(&self.state).more_indexes.push(description);
    }

    /// Answers the next request so, whatever it is, and the ones after it as before; several queue up.
    pub fn answer_next(&self, answer: Answer) {
        lock(&self.state).scripted.push_back(answer);
    }

    /// Puts records into a namespace, empty for the default one, as another tool would have: each has `id`, `values` and
    /// `metadata`.
    ///
    /// # Panics
    /// When the service would not take them.
    pub fn fill(&self, namespace: &str, records: &[Value]) {
        let filled = lock(&self.state).index.fill(namespace, records);
        assert!(filled.is_ok(), "{filled:?}");
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }

    /// The namespaces with their numbers of records, by name.
    pub fn namespaces(&self) -> Vec<(String, usize)> {
        lock(&self.state).index.namespaces()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&mut self, request: &Recorded) -> Answer {
        if let Some(answer) = self.scripted.pop_front() {
            return answer;
        }
        let path = request.path().to_owned();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let is_control = segments.first() == Some(&"indexes");
        if !request
            .header("api-key")
            .is_some_and(|key| self.keys.iter().any(|known| known == key))
        {
            // The data plane refuses a key in plain text.
            let plain = Answer::new(401)
                .header("content-type", "text/plain")
                .body("Unauthorized");
            return if is_control {
                refusal(401, "UNAUTHENTICATED", "Invalid API Key")
            } else {
                plain
            };
        }
        if request.header("x-pinecone-api-version").is_none() {
            return refusal(400, "INVALID_ARGUMENT", "the version header is missing");
        }
        if is_control {
            self.control(request, &segments)
        } else {
            self.data(request, &segments)
        }
    }

    fn control(&self, request: &Recorded, segments: &[&str]) -> Answer {
        let host = format!("http://{}", request.header("host").unwrap_or_default());
        let mut indexes = vec![self.index.description(&host)];
        indexes.extend(self.more_indexes.iter().cloned());
        match (request.method.as_str(), segments) {
            ("GET", [_]) => Answer::json(200, &json!({"indexes": indexes})),
            ("GET", [_, name]) => match indexes
                .iter()
                .find(|index| index.get("name") == Some(&json!(name)))
            {
                Some(index) => Answer::json(200, index),
                None => refusal(404, "NOT_FOUND", &format!("Resource {name} not found")),
            },
            _ => refusal(404, "NOT_FOUND", "no such call"),
        }
    }

    fn data(&mut self, request: &Recorded, segments: &[&str]) -> Answer {
        let body = match request.json() {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let answer = match (request.method.as_str(), segments) {
            ("POST", ["vectors", "upsert"]) => self.index.upsert(request.body.len(), &body),
            ("POST", ["query"]) => self.index.query(&body),
            ("GET", ["vectors", "list"]) => self.index.list(&query_of(request)),
            ("GET", ["vectors", "fetch"]) if request.target.len() > MAX_TARGET_BYTES => {
                Err(rules::refusal(414, 3, "the url is too long"))
            }
            ("GET", ["vectors", "fetch"]) => self.index.fetch(&query_of(request)),
            ("POST", ["vectors", "delete"]) => self.index.delete(&body),
            ("DELETE", ["namespaces", name]) => self.index.delete_namespace(name),
            ("POST", ["describe_index_stats"]) => Ok(self.index.stats()),
            _ => Err(rules::refusal(404, 12, "no such call")),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }
}

/// A refusal in the control plane's shape.
fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"status": status, "error": {"code": code, "message": message}}),
    )
}

fn query_of(request: &Recorded) -> Vec<(String, String)> {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

impl fmt::Debug for PineconeStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PineconeStub")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
