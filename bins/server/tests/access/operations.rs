//! The operations of `/openapi.json`, as requests.

use std::fmt;

use serde_json::Value;

use crate::client::{Client, Response};

/// An id that nothing has.
const UNKNOWN: &str = "019a0000-0000-7000-8000-000000000000";

/// One operation.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Whom it says that it is for.
    pub(crate) access: String,
    /// The body that the description gives as an example.
    body: Option<Value>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// Whether it may end the sessions of the one who calls it.
    pub(crate) fn ends_sessions(&self) -> bool {
        self.access == "user" && self.method != "GET"
    }

    /// Sends it, for the thing of that id or for one that is not there.
    pub(crate) fn send(&self, client: &Client, id: Option<&str>) -> Response {
        let target = self
            .path
            .replace("{tenant_id}", "nobody")
            .replace("{number}", "1")
            .replace("{id}", id.unwrap_or(UNKNOWN));
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes());
        let body = body.as_deref().map(|body| ("application/json", body));
        client.exchange(&self.method, &target, "application/json", body)
    }
}

/// Every operation that the server documents.
pub(crate) fn all(nobody: &Client) -> Vec<Operation> {
    let document = nobody.get("/openapi.json").expect(200);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let access = described["x-tenantry-access"].as_str();
            let access = access.unwrap_or_else(|| panic!("{method} {path} has no x-tenantry-access"));
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                access: access.to_owned(),
                body: example(&document, described),
            });
        }
    }
    assert!(operations.len() > 40, "{}", operations.len());
    operations
}

/// The example of a JSON body; without one nobody could tell a refusal of the caller from one of the body.
fn example(document: &Value, operation: &Value) -> Option<Value> {
    let content = operation.get("requestBody")?["content"].as_object().unwrap();
    let (kind, body) = content
        .get_key_value("application/json")
        .or_else(|| content.iter().next())
        .unwrap();
    if kind != "application/json" {
        return None;
    }
    let schema = match body["schema"]["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => &body["schema"],
    };
    let example = [&body["example"], &schema["example"]];
    let example = example.into_iter().find(|example| example.is_object());
    Some(
        example
            .unwrap_or_else(|| panic!("a body without an example: {operation}"))
            .clone(),
    )
}
