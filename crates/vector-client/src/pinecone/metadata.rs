//! The client's metadata among a record's fields.
//!
//! Each kind of value has its own field name, `t.lang` for texts and lists of them, `n.year` for numbers and `b.public`
//! for booleans: what a filter says of numbers is then never asked of texts. None of our own fields has a dot.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tenantry_domain::{Metadata, MetadataValue};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, or a list of them.
    Text,
    Number,
    Bool,
}

impl Kind {
    pub(super) fn of(value: &MetadataValue) -> Self {
        match value {
            MetadataValue::Text(_) | MetadataValue::Texts(_) => Self::Text,
            MetadataValue::Number(_) => Self::Number,
            MetadataValue::Bool(_) => Self::Bool,
        }
    }

    /// The field of a key's values of this kind.
    pub(super) fn field(self, key: &str) -> String {
        match self {
            Self::Text => format!("t.{key}"),
            Self::Number => format!("n.{key}"),
            Self::Bool => format!("b.{key}"),
        }
    }
}

/// The fields of `metadata`. An empty list is left out: no filter tells it from a key that is missing, and whether
/// Pinecone keeps one is not documented.
pub(super) fn fields(metadata: &Metadata) -> Map<String, Value> {
    let kept = metadata
        .iter()
        .filter(|(_, value)| !matches!(value, MetadataValue::Texts(texts) if texts.is_empty()));
    kept.map(|(key, value)| (Kind::of(value).field(key), written(value)))
        .collect()
}

fn written(value: &MetadataValue) -> Value {
    match value {
        MetadataValue::Text(text) => json!(text),
        MetadataValue::Number(number) => json!(number),
        MetadataValue::Bool(holds) => json!(holds),
        MetadataValue::Texts(texts) => json!(texts),
    }
}

/// The values that were written by [`fields`], by key.
pub(super) fn ours(fields: &Map<String, Value>) -> BTreeMap<String, MetadataValue> {
    let values = fields.iter().filter_map(|(field, value)| {
        let key = field.get(2..)?;
        let value = read(value)?;
        (Kind::of(&value).field(key) == *field).then(|| (key.to_owned(), value))
    });
    values.collect()
}

/// The values that another tool wrote, by key.
pub(super) fn theirs(fields: &Map<String, Value>) -> BTreeMap<String, MetadataValue> {
    let values = fields
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), read(value)?)));
    values.collect()
}

fn read(value: &Value) -> Option<MetadataValue> {
    match value {
        Value::String(text) => Some(MetadataValue::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(MetadataValue::Number),
        Value::Bool(holds) => Some(MetadataValue::Bool(*holds)),
        Value::Array(texts) => {
            let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(MetadataValue::Texts)
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> BTreeMap<String, MetadataValue> {
        BTreeMap::from([
            ("lang".to_owned(), MetadataValue::Text("en\"$".into())),
            ("n.year".to_owned(), MetadataValue::Number(1e308)),
            ("public".to_owned(), MetadataValue::Bool(false)),
            (
                "tags".to_owned(),
                MetadataValue::Texts(vec!["a".into(), String::new()]),
            ),
        ])
    }

    #[test]
    fn every_kind_of_value_is_read_back_under_its_key() {
        let fields = fields(&Metadata::new(metadata()).unwrap());
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["b.public", "n.n.year", "t.lang", "t.tags"]);
        assert_eq!(ours(&fields), metadata());
    }

    #[test]
    fn an_empty_list_is_left_out() {
        let empty = BTreeMap::from([("tags".to_owned(), MetadataValue::Texts(Vec::new()))]);
        assert_eq!(fields(&Metadata::new(empty).unwrap()), Map::new());
    }

    #[test]
    fn a_field_of_another_kind_than_its_name_says_is_not_ours() {
        let fields = json!({"t.year": 2024, "n.lang": "en", "text": "x", "t": "x", "é.a": "x", "t.x": {"a": 1}, "t.ok": "x"});
        let ours = ours(fields.as_object().unwrap()).into_keys().collect::<Vec<_>>();
        assert_eq!(ours, ["ok"]);
    }
}
