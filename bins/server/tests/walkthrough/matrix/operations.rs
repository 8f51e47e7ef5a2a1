//! The operations that the server documents, ready to be sent.

use std::fmt;

use serde_json::{Value, json};

use crate::client::{Client, Response};

/// One operation of `/openapi.json`, in one of the forms that it may be asked for.
pub(super) struct Operation {
    method: String,
    /// The address, with `{id}` where an id goes.
    path: String,
    accept: &'static str,
    /// The body, with `{id}` where an id goes.
    body: Option<Value>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.accept)
    }
}

impl Operation {
    /// Whether it is about one thing that has an id.
    pub(super) fn names_an_id(&self) -> bool {
        self.path.contains("{id}")
            || self
                .body
                .as_ref()
                .is_some_and(|body| body.to_string().contains("{id}"))
    }

    /// An id of its kind that nobody has.
    pub(super) fn unknown_id(&self) -> &'static str {
        if self.kind() == "tenants" {
            "nobody-at-all"
        } else {
            "01932c7e-0000-7000-8000-000000000000"
        }
    }

    pub(super) fn only_reads(&self) -> bool {
        self.method == "GET" && !self.path.ends_with("/events")
    }

    /// What kind of thing it is about: the first word of its address that says so.
    pub(super) fn kind(&self) -> &'static str {
        let kinds = [
            "tenants",
            "documents",
            "jobs",
            "conversations",
            "keys",
            "users",
            "identity-providers",
            "sessions",
        ];
        let in_path = kinds
            .into_iter()
            .find(|kind| self.path.contains(&format!("/{kind}/{{id}}")));
        match in_path {
            Some(kind) => kind,
            None if self.path == "/chat" => "conversations",
            None => {
                panic!("{self} names an id of a kind that the matrix does not know: add it to both tenants")
            }
        }
    }

    pub(super) fn send(&self, client: &Client, id: &str) -> Response {
        let body = self
            .body
            .as_ref()
            .map(|body| body.to_string().replace("{id}", id));
        let body = body.as_ref().map(|body| ("application/json", body.as_bytes()));
        client.exchange(&self.method, &self.path.replace("{id}", id), self.accept, body)
    }
}

/// Every operation that a tenant's credentials could be let in to. Addresses whose last part is no id of a tenant's are filled in.
pub(super) fn all(caller: &Client) -> Vec<Operation> {
    let document = caller.get("/openapi.json").expect(200);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        // Prompts are numbered, models named, in each tenant alike.
        let path = path
            .replace("{number}", "1")
            .replace("/v1/models/{id}", "/v1/models/tenantry")
            .replace("{tenant_id}", "{id}");
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            if !is_of_a_tenant(&path) {
                continue;
            }
            let accept = if path.ends_with("/events") {
                "text/event-stream"
            } else {
                "application/json"
            };
            let body = body(&method, &path);
            operations.push(Operation {
                method,
                path: path.clone(),
                accept,
                body,
            });
        }
    }
    for accept in ["application/json", "text/event-stream"] {
        operations.push(Operation {
            method: "POST".into(),
            path: "/chat".into(),
            accept,
            body: Some(json!({ "message": "And then?", "conversation_id": "{id}", "stream": accept != "application/json" })),
        });
    }
    assert!(operations.len() > 40, "{} operations", operations.len());
    operations
}

/// Whether it may be sent here: what changes the caller's own account, or takes no credential, is tested elsewhere.
fn is_of_a_tenant(path: &str) -> bool {
    let own = [
        "/logout",
        "/users/me/password",
        "/login",
        "/token",
        "/refresh",
        "/register",
        "/chat",
        "/v1/chat/completions",
    ];
    !own.contains(&path) && !path.starts_with("/password-reset")
}

/// A body that the operation takes, so that what is refused is the id.
fn body(method: &str, path: &str) -> Option<Value> {
    let takes_none =
        method == "GET" || method == "DELETE" || path.ends_with("/cancel") || path.ends_with("/restore");
    if takes_none {
        return None;
    }
    Some(match path {
        "/conversations/{id}" => json!({ "title": "Another" }),
        "/tenant/users/{id}" => json!({ "role": "reader" }),
        _ => json!({}),
    })
}
