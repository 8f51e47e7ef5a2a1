//! The data plane: records by namespace and id, as an index of cosine similarity keeps them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use tenantry_http_client::Answer;

use super::filter;
use super::rules::{invalid, missing_namespace, namespace, only, refusal, stored};

/// What the real service refuses, with its documented limits.
const MAX_VECTORS: usize = 1_000;
const MAX_BODY_BYTES: usize = 2 << 20;
const MAX_METADATA_BYTES: usize = 40 << 10;
const MAX_IDS: usize = 1_000;
const MAX_RESULT_BYTES: usize = 4 << 20;

#[derive(Debug)]
pub(super) struct Index {
    dimension: usize,
    namespaces: HashMap<String, BTreeMap<String, Record>>,
}

#[derive(Debug)]
struct Record {
    values: Vec<f64>,
    metadata: Map<String, Value>,
}

impl Record {
    /// The size as the service counts it: a number has 4 bytes.
    fn bytes(&self, with_values: bool) -> usize {
        let values = if with_values { 4 * self.values.len() } else { 0 };
        values + json!(self.metadata).to_string().len()
    }
}

impl Index {
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            dimension,
            namespaces: HashMap::new(),
        }
    }

    /// What the control plane says of the index, in the form of version 2026-04.
    pub(super) fn description(&self, host: &str) -> Value {
        json!({
            "name": "docs",
            "vector_type": "dense",
            "metric": "cosine",
            "dimension": self.dimension,
            "status": {"ready": true, "state": "Ready"},
            "host": host,
            "spec": {"serverless": {"region": "us-east-1", "cloud": "aws"}},
            "deletion_protection": "disabled",
        })
    }

    pub(super) fn namespaces(&self) -> Vec<(String, usize)> {
        let mut namespaces: Vec<_> = self
            .namespaces
            .iter()
            .map(|(name, records)| (name.clone(), records.len()))
            .collect();
        namespaces.sort();
        namespaces
    }

    pub(super) fn upsert(&mut self, bytes: usize, body: &Map<String, Value>) -> Result<Answer, Answer> {
        if bytes > MAX_BODY_BYTES {
            return Err(refusal(413, 8, "request too large"));
        }
        only(body, &["vectors", "namespace"])?;
        let vectors = body
            .get("vectors")
            .and_then(Value::as_array)
            .ok_or_else(|| invalid("vectors are required"))?;
        if vectors.is_empty() || vectors.len() > MAX_VECTORS {
            return Err(invalid("between 1 and 1000 vectors are expected"));
        }
        let records = vectors
            .iter()
            .map(|vector| self.record(vector))
            .collect::<Result<Vec<_>, _>>()?;
        if !records.iter().all(|(id, _)| id.is_ascii()) {
            return Err(invalid("an id has ASCII characters"));
        }
        let namespace = self.namespaces.entry(namespace(body)?.to_owned()).or_default();
        namespace.extend(records);
        Ok(Answer::json(200, &json!({"upsertedCount": vectors.len()})))
    }

    /// Keeps records as another tool would have written them, in the default namespace too.
    pub(super) fn fill(&mut self, namespace: &str, vectors: &[Value]) -> Result<(), Answer> {
        let records = vectors.iter().map(|vector| self.record(vector));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        self.namespaces
            .entry(namespace.to_owned())
            .or_default()
            .extend(records);
        Ok(())
    }

    fn record(&self, vector: &Value) -> Result<(String, Record), Answer> {
        let fields = vector
            .as_object()
            .ok_or_else(|| invalid("a vector is an object"))?;
        only(fields, &["id", "values", "metadata"])?;
        let id = fields
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| (1..=512).contains(&id.chars().count()));
        let metadata = fields.get("metadata").cloned().unwrap_or_default();
        if metadata.to_string().len() > MAX_METADATA_BYTES {
            return Err(invalid(
                "metadata size exceeds the limit of 40960 bytes per vector",
            ));
        }
        let values = self.values(fields.get("values"))?;
        let id = id
            .ok_or_else(|| invalid("an id has 1 to 512 characters"))?
            .to_owned();
        Ok((
            id,
            Record {
                values,
                metadata: stored(metadata)?,
            },
        ))
    }

    fn values(&self, values: Option<&Value>) -> Result<Vec<f64>, Answer> {
        let values = values
            .and_then(Value::as_array)
            .ok_or_else(|| invalid("values are required"))?;
        let values: Vec<_> = values.iter().filter_map(Value::as_f64).collect();
        if values.len() == self.dimension {
            return Ok(values);
        }
        let (given, wanted) = (values.len(), self.dimension);
        Err(invalid(&format!(
            "Vector dimension {given} does not match the dimension of the index {wanted}"
        )))
    }

    pub(super) fn query(&self, body: &Map<String, Value>) -> Result<Answer, Answer> {
        let known = [
            "namespace",
            "topK",
            "vector",
            "filter",
            "includeValues",
            "includeMetadata",
        ];
        only(body, &known)?;
        let limit = body
            .get("topK")
            .and_then(Value::as_u64)
            .filter(|k| (1..=10_000).contains(k));
        let limit = limit.ok_or_else(|| invalid("topK is between 1 and 10000"))?;
        let wanted = self.values(body.get("vector"))?;
        let (name, records) = self.read(body.get("namespace").and_then(Value::as_str))?;
        let asks = |key: &str| body.get(key) == Some(&Value::Bool(true));
        let (with_values, with_metadata) = (asks("includeValues"), asks("includeMetadata"));
        let mut matches = Vec::new();
        for (id, record) in records {
            let passes = body.get("filter").map_or(Ok(true), |filter| {
                filter::matches(filter, &record.metadata, false)
            });
            if passes.map_err(|problem| invalid(&problem))? {
                matches.push((cosine(&wanted, &record.values), id, record));
            }
        }
        matches.sort_by(|a, b| b.0.total_cmp(&a.0));
        matches.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let sizes = matches.iter().map(|(_, _, record)| record.bytes(with_values));
        if sizes.sum::<usize>() > MAX_RESULT_BYTES {
            return Err(invalid("the result is larger than 4MB"));
        }
        let matches = matches.into_iter().map(|(score, id, record)| {
            let values = if with_values {
                record.values.as_slice()
            } else {
                &[]
            };
            let mut found = json!({"id": id, "score": score, "values": values});
            if let Some(fields) = found.as_object_mut().filter(|_| with_metadata) {
                fields.insert("metadata".into(), json!(record.metadata));
            }
            found
        });
        let matches: Vec<_> = matches.collect();
        Ok(Answer::json(
            200,
            &json!({"matches": matches, "namespace": name, "usage": {"readUnits": 1}}),
        ))
    }

    fn read<'n>(&self, name: Option<&'n str>) -> Result<(&'n str, &BTreeMap<String, Record>), Answer> {
        let name = name.ok_or_else(|| invalid("which namespace?"))?;
        let records = self.namespaces.get(name).ok_or_else(missing_namespace)?;
        Ok((name, records))
    }

    pub(super) fn fetch(&self, query: &[(String, String)]) -> Result<Answer, Answer> {
        let values = |wanted: &str| {
            let of_key = query.iter().filter(move |(key, _)| key == wanted);
            of_key.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        let ids = values("ids");
        if ids.is_empty() || ids.len() > MAX_IDS || ids.iter().any(|id| id.contains(' ')) {
            return Err(invalid("between 1 and 1000 ids without spaces are expected"));
        }
        let (name, records) = self.read(values("namespace").first().copied())?;
        let found = ids.into_iter().filter_map(|id| {
            let record = records.get(id)?;
            Some((
                id.to_owned(),
                json!({"id": id, "values": record.values, "metadata": record.metadata}),
            ))
        });
        let found: Map<_, _> = found.collect();
        Ok(Answer::json(
            200,
            &json!({"vectors": found, "namespace": name, "usage": {"readUnits": 1}}),
        ))
    }

    pub(super) fn list(&self, query: &[(String, String)]) -> Result<Answer, Answer> {
        let text = |wanted: &str| {
            let found = query.iter().find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let (name, records) = self.read(text("namespace"))?;
        let limit = text("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(100_usize)
            .min(100);
        let prefix = text("prefix").unwrap_or_default();
        let after = text("paginationToken").unwrap_or_default();
        let mut ids: Vec<_> = records
            .keys()
            .filter(|id| id.starts_with(prefix) && id.as_str() > after)
            .take(limit + 1)
            .collect();
        let more = ids.len() > limit;
        ids.truncate(limit);
        let vectors: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let mut page = json!({"vectors": vectors, "namespace": name, "usage": {"readUnits": 1}});
        if let (true, Some(last), Some(fields)) = (more, ids.last(), page.as_object_mut()) {
            fields.insert("pagination".into(), json!({"next": last}));
        }
        Ok(Answer::json(200, &page))
    }

    pub(super) fn delete(&mut self, body: &Map<String, Value>) -> Result<Answer, Answer> {
        only(body, &["namespace", "ids"])?;
        let ids = body
            .get("ids")
            .and_then(Value::as_array)
            .ok_or_else(|| invalid("ids are required"))?;
        if ids.is_empty() || ids.len() > MAX_IDS {
            return Err(invalid("between 1 and 1000 ids are expected"));
        }
        let records = self
            .namespaces
            .get_mut(namespace(body)?)
            .ok_or_else(missing_namespace)?;
        for id in ids.iter().filter_map(Value::as_str) {
            records.remove(id);
        }
        Ok(Answer::json(200, &json!({})))
    }

    pub(super) fn delete_namespace(&mut self, name: &str) -> Result<Answer, Answer> {
        self.namespaces.remove(name).ok_or_else(missing_namespace)?;
        Ok(Answer::json(200, &json!({})))
    }

    pub(super) fn stats(&self) -> Answer {
        let counts = self.namespaces.iter();
        let counts: Map<_, _> = counts
            .map(|(name, records)| (name.clone(), json!({"vectorCount": records.len()})))
            .collect();
        let total: usize = self.namespaces.values().map(BTreeMap::len).sum();
        let dimension = self.dimension;
        Answer::json(
            200,
            &json!({"namespaces": counts, "dimension": dimension, "totalVectorCount": total}),
        )
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
