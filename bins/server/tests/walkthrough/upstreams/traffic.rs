//! Whose a request upstream is, and that it is nobody else's.

use std::collections::BTreeSet;

use tenantry_http_client::Recorded;

use super::{OPENAI_API_KEY, PineconeAccount, Upstreams};

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

/// Whether the model is asked to turn a follow-up question into a search query, which it is told no tenant's prompt for.
fn is_rewriting(request: &Recorded) -> bool {
    request.path() == "/v1/chat/completions" && says(request, "Write one search query")
}

impl Upstreams {
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
                assert!(
                    request.path() == "/v1/embeddings" || is_rewriting(&request),
                    "a chat without anything of its tenant: {text}"
                );
                continue;
            };
            assert!(
                owners.next().is_none(),
                "two tenants in one request to the model: {text}"
            );
            if is_rewriting(&request) {
                let told = owner.prompts.iter().find(|prompt| says(&request, prompt));
                assert_eq!(told, None, "a search query needs no prompt: {text}");
            } else if request.path() == "/v1/chat/completions" {
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use tenantry_http_client::{Method, Request, Transport, Trust, UreqTransport};

    use serde_json::{Value, json};

    use super::super::model::embedding;
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

    type Leak = fn(&Upstreams);

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
        let leaks: [(&str, Leak); 9] = [
            ("another's namespace", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "beryl", "amber");
            }),
            ("no tenant's namespace", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "shared", "amber");
            }),
            ("another's text", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "amber", "Beryl says");
            }),
            ("another's key", |upstreams| {
                pinecone(upstreams, 1, KEYS[0], "beryl", "beryl");
            }),
            ("nobody's key", |upstreams| {
                pinecone(upstreams, 0, "pcsk-nobody", "amber", "amber");
            }),
            ("the model's key", |upstreams| {
                pinecone(upstreams, 0, KEYS[0], "amber", OPENAI_API_KEY);
            }),
            ("two prompts", |upstreams| {
                chat(upstreams, "You speak for amber. You speak for beryl.", "");
            }),
            ("no prompt", |upstreams| {
                chat(upstreams, "amber: who are you?", "");
            }),
            ("a key in a header", |upstreams| {
                chat(upstreams, "You speak for amber.", KEYS[0]);
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
