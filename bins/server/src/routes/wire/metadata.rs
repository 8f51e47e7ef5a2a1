use std::collections::BTreeMap;

use serde::Serialize;
use tenantry_domain::{Metadata, MetadataValue};

/// The largest number up to which every whole one is itself as a float: 2 to the power of 53.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A value of metadata on its way out.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::routes) enum MetadataView {
    Text(String),
    Whole(i64),
    Number(f64),
    Bool(bool),
    Texts(Vec<String>),
}

impl From<MetadataValue> for MetadataView {
    fn from(value: MetadataValue) -> Self {
        match value {
            MetadataValue::Text(text) => Self::Text(text),
            MetadataValue::Number(number) => whole(number).map_or(Self::Number(number), Self::Whole),
            MetadataValue::Bool(is) => Self::Bool(is),
            MetadataValue::Texts(texts) => Self::Texts(texts),
        }
    }
}

/// A whole number as people write it: 2026 and not 2026.0.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= WHOLE;
    is_whole.then(|| number.to_string().parse().ok()).flatten()
}

/// Metadata as an object, its keys in order.
pub(in crate::routes) fn metadata_view(metadata: &Metadata) -> BTreeMap<String, MetadataView> {
    let entries = metadata.iter();
    entries
        .map(|(key, value)| (key.to_owned(), value.clone().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_shown_as_it_was_written() {
        let value = |value| serde_json::to_string(&MetadataView::from(value)).unwrap();
        for (number, shown) in [
            (2026.0, "2026"),
            (-1.0, "-1"),
            (0.5, "0.5"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(value(MetadataValue::Number(number)), shown);
        }
        assert_eq!(value(MetadataValue::Texts(vec!["a".into()])), r#"["a"]"#);
        assert_eq!(value(MetadataValue::Bool(true)), "true");
    }
}
