//! A JSON value as it was written: keys that stand twice are seen.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tenantry_domain::{Metadata, MetadataValue};

use crate::error::{ApiError, Code};

/// A value whose shape is not known beforehand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "a number is what JSON's readers make of it: the nearest float"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "a number is what JSON's readers make of it: the nearest float"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

/// The one value that metadata can have; `None` for `null`, lists and objects.
pub(super) fn scalar(json: Json) -> Option<MetadataValue> {
    match json {
        Json::Text(text) => Some(MetadataValue::Text(text)),
        Json::Number(number) => Some(MetadataValue::Number(number)),
        Json::Bool(is) => Some(MetadataValue::Bool(is)),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

/// A key that a client wrote, short enough and plain enough to be told.
pub(super) fn shown(key: &str) -> String {
    let short = key.chars().take(Metadata::MAX_KEY);
    short.map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A mistake at a place of the body.
pub(super) fn wrong(place: &str, what: &str) -> ApiError {
    invalid(format!("`{place}` {what}"))
}

pub(super) fn invalid(sentence: String) -> ApiError {
    ApiError::new(Code::InvalidRequest).saying(sentence)
}
