use std::collections::BTreeMap;

use tenantry_domain::{Metadata, MetadataValue};

use super::value::{Json, invalid, scalar, shown, wrong};
use crate::error::ApiError;

/// The metadata that an object is.
///
/// # Errors
/// With the place of what cannot be kept.
pub(crate) fn metadata(json: Json) -> Result<Metadata, ApiError> {
    let Json::Object(entries) = json else {
        return Err(wrong("metadata", "is not an object"));
    };
    let mut values = BTreeMap::new();
    for (key, json) in entries {
        let place = format!("metadata.{}", shown(&key));
        let value = value(json, &place)?;
        if values.insert(key, value).is_some() {
            return Err(wrong(&place, "stands there twice"));
        }
    }
    Metadata::new(values).map_err(|error| invalid(error.to_string()))
}

fn value(json: Json, place: &str) -> Result<MetadataValue, ApiError> {
    if let Json::List(values) = json {
        let texts = values.into_iter().map(|value| match value {
            Json::Text(text) => Ok(text),
            _ => Err(wrong(place, "is a list of something else than texts")),
        });
        return Ok(MetadataValue::Texts(texts.collect::<Result<_, _>>()?));
    }
    let neither = "is neither a text, a number, true, false, nor a list of texts";
    scalar(json).ok_or_else(|| wrong(place, neither))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn metadata_is_flat_and_told_by_key() {
        let kept = metadata(read(r#"{"d":["p","q"],"a":"x","b":2,"c":false}"#)).unwrap();
        let values: Vec<_> = kept.iter().map(|(_, value)| value.clone()).collect();
        let texts = ["p", "q"].map(str::to_owned).to_vec();
        assert_eq!(
            values,
            [
                MetadataValue::Text("x".into()),
                MetadataValue::Number(2.0),
                MetadataValue::Bool(false),
                MetadataValue::Texts(texts),
            ]
        );
        for (json, place) in [
            (r#""x""#, "`metadata` is not an object"),
            (r#"{"a":null}"#, "`metadata.a` is neither"),
            (r#"{"a":{"b":1}}"#, "`metadata.a` is neither"),
            (r#"{"a":[1]}"#, "`metadata.a` is a list"),
            (r#"{"a":1,"a":2}"#, "`metadata.a` stands there twice"),
            (r#"{"or":1}"#, "metadata key"),
        ] {
            let told = metadata(read(json)).unwrap_err().to_string();
            assert!(told.contains(place), "{json}: {told}");
        }
    }
}
