//! What is sent and read as JSON: camelCase on an index's host, `snake_case` on the control plane. Everything that
//! Pinecone may leave out is optional.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query<'q> {
    pub(super) namespace: &'q str,
    pub(super) top_k: u16,
    pub(super) vector: &'q [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<&'q Value>,
    pub(super) include_values: bool,
    pub(super) include_metadata: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Matches {
    #[serde(default)]
    pub(super) matches: Vec<FoundRecord>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FoundRecord {
    #[serde(default)]
    pub(super) id: String,
    pub(super) score: Option<f32>,
    #[serde(default)]
    pub(super) values: Option<Vec<f32>>,
    #[serde(default)]
    pub(super) metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fetched {
    #[serde(default)]
    pub(super) vectors: HashMap<String, FetchedRecord>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FetchedRecord {
    #[serde(default)]
    pub(super) values: Option<Vec<f32>>,
    #[serde(default)]
    pub(super) metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Record<'r> {
    pub(super) id: String,
    pub(super) values: &'r [f32],
    pub(super) metadata: Metadata<'r>,
}

/// Flat, as Pinecone wants it: texts, numbers, booleans and lists of texts.
#[derive(Debug, Serialize)]
pub(super) struct Metadata<'r> {
    pub(super) document: String,
    pub(super) version: u32,
    pub(super) ordinal: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<u32>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) headings: &'r [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) context: &'r str,
    pub(super) hash: String,
    pub(super) text: &'r str,
    /// The client's own, under names that none of the above has.
    #[serde(flatten)]
    pub(super) fields: &'r Map<String, Value>,
}

fn is_empty(headings: &[String]) -> bool {
    headings.is_empty()
}

#[derive(Debug, Serialize)]
pub(super) struct Delete<'d> {
    pub(super) namespace: &'d str,
    pub(super) ids: &'d [String],
}

#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    #[serde(default)]
    pub(super) vectors: Vec<ListedRecord>,
    #[serde(default)]
    pub(super) pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListedRecord {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pagination {
    pub(super) next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Stats {
    #[serde(default)]
    pub(super) namespaces: HashMap<String, NamespaceStats>,
    #[serde(default, deserialize_with = "lenient_number")]
    pub(super) dimension: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceStats {
    #[serde(default, deserialize_with = "lenient_number")]
    pub(super) vector_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Indexes {
    #[serde(default)]
    pub(super) indexes: Vec<IndexModel>,
}

/// An index up to version 2026-04, which has `dimension`, `metric` and `spec`, or since 2026-07, which has `schema` and
/// `deployment`.
#[derive(Debug, Deserialize)]
pub(super) struct IndexModel {
    pub(super) name: String,
    pub(super) host: Option<String>,
    #[serde(default, deserialize_with = "lenient_number")]
    pub(super) dimension: Option<u64>,
    pub(super) metric: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) spec: Option<Spec>,
    pub(super) schema: Option<Schema>,
    pub(super) deployment: Option<Place>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) ready: bool,
}

/// Has one of the three.
#[derive(Debug, Deserialize)]
pub(super) struct Spec {
    pub(super) serverless: Option<Place>,
    pub(super) pod: Option<Place>,
    pub(super) byoc: Option<Place>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub(super) cloud: Option<String>,
    pub(super) region: Option<String>,
    pub(super) environment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    #[serde(default)]
    pub(super) fields: HashMap<String, Field>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Field {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "lenient_number")]
    pub(super) dimension: Option<u64>,
    pub(super) metric: Option<String>,
}

/// A 64-bit number, which protobuf's JSON writes as text; anything else counts as absent.
fn lenient_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(whole_number(&Value::deserialize(deserializer)?))
}

/// A whole number of 0 or more, however it is written: as a number, with a fraction of zero, or as text.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        // A float's shortest text has no fraction when it has none, and `as` would round silently.
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64()?.to_string().parse().ok()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_read_however_it_is_written() {
        for (value, expected) in [
            (json!(7), Some(7)),
            (json!(7.0), Some(7)),
            (json!("7"), Some(7)),
            (json!(4_294_967_295.0), Some(4_294_967_295)),
            (json!(7.5), None),
            (json!(-7), None),
            (json!("seven"), None),
            (json!(null), None),
            (json!([7]), None),
        ] {
            assert_eq!(whole_number(&value), expected, "{value}");
        }
    }
}
