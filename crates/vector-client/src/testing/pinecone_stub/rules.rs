//! What the real service refuses, and what this one refuses besides.

use serde_json::{Map, Value, json};
use tenantry_http_client::Answer;

/// A refusal in the data plane's shape.
pub(super) fn refusal(status: u16, code: u8, message: &str) -> Answer {
    Answer::json(status, &json!({"code": code, "message": message, "details": []}))
}

pub(super) fn invalid(message: &str) -> Answer {
    refusal(400, 3, message)
}

pub(super) fn missing_namespace() -> Answer {
    refusal(404, 5, "Namespace not found")
}

/// The real service ignores a misspelled field; here it is an error, so that a misspelling shows.
pub(super) fn only(body: &Map<String, Value>, known: &[&str]) -> Result<(), Answer> {
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(invalid(&format!("unknown field {unknown}"))),
        None => Ok(()),
    }
}

/// The namespace that a body writes to.
pub(super) fn namespace(body: &Map<String, Value>) -> Result<&str, Answer> {
    let name = body
        .get("namespace")
        .and_then(Value::as_str)
        .filter(|name| (1..=512).contains(&name.len()) && name.is_ascii());
    name.ok_or_else(|| invalid("a tenant's data is never kept in the default namespace"))
}

/// Metadata is flat and has no nulls; its numbers are kept, and told, as 64-bit floats.
pub(super) fn stored(metadata: Value) -> Result<Map<String, Value>, Answer> {
    let Value::Object(fields) = metadata else {
        return Ok(Map::new());
    };
    let fields = fields.into_iter().map(|(key, value)| match value {
        _ if key.starts_with('$') => Err(invalid("a metadata key does not begin with $")),
        Value::Number(number) => Ok((key, json!(number.as_f64()))),
        Value::String(_) | Value::Bool(_) => Ok((key, value)),
        Value::Array(ref texts) if !texts.is_empty() && texts.iter().all(Value::is_string) => {
            Ok((key, value))
        }
        _ => Err(invalid(
            "a metadata value is text, a number, a boolean or a list of texts",
        )),
    });
    fields.collect()
}
