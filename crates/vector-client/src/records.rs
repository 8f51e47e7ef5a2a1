use std::collections::BTreeMap;

use tenantry_domain::{Embedding, ExternalIndex, Filter, MetadataValue, TopK};

use crate::VectorError;

/// A record that another tool wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Its text, which is not empty: what it has under the index's text field.
    pub text: String,
    /// Its title, where its metadata has a text under `title`, `source` or `file_name`, in that order.
    pub title: Option<String>,
    /// Its page, where its metadata has a whole number under `page`.
    pub page: Option<u32>,
    /// Cosine similarity to the query.
    pub score: f32,
    /// Its embedding, where the query asked for it.
    pub embedding: Option<Embedding>,
}

/// What to look for among records.
#[derive(Debug, Clone, Copy)]
pub struct RecordQuery<'a> {
    /// The query's embedding, by the model that filled the index.
    pub embedding: &'a Embedding,
    /// How many records at most.
    pub limit: TopK,
    /// What the records' metadata must be like. A text or list may be longer than a document's could; a field of any other kind
    /// than [`MetadataValue`] has counts as missing.
    pub filter: Option<&'a Filter>,
    /// Whether records bring their embeddings.
    pub with_embeddings: bool,
}

/// Reads an index that another tool fills; nothing here writes.
///
/// Every implementation keeps these promises, which `conformance` checks: only records of the index's namespace are found;
/// they come best first, ties by id, at most `limit`, and none without text; a filter lets through exactly the records that it
/// [matches](Filter::matches); a namespace without records has none.
pub trait RecordIndex: Send + Sync {
    /// The nearest records, best first; those without text are left out.
    ///
    /// # Errors
    /// When the query's dimension is not the index's, or the service fails.
    fn search(&self, index: &ExternalIndex, query: RecordQuery<'_>) -> Result<Vec<Record>, VectorError>;
}

/// The record with these fields; `None` when it has no text.
pub(crate) fn record(
    id: &str,
    fields: &BTreeMap<String, MetadataValue>,
    text_field: &str,
    score: f32,
) -> Option<Record> {
    let text = |field: &str| match fields.get(field) {
        Some(MetadataValue::Text(text)) if !text.trim().is_empty() => Some(text.clone()),
        _ => None,
    };
    Some(Record {
        id: id.to_owned(),
        text: text(text_field)?,
        title: ["title", "source", "file_name"].into_iter().find_map(text),
        page: fields.get("page").and_then(whole),
        score,
        embedding: None,
    })
}

/// The number where it is a page's: a whole one of 32 bits.
fn whole(value: &MetadataValue) -> Option<u32> {
    match value {
        // A whole number is written without a point, whatever its size.
        MetadataValue::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// Whether a record with these fields passes the filter.
pub(crate) fn passes(filter: Option<&Filter>, fields: &BTreeMap<String, MetadataValue>) -> bool {
    filter.is_none_or(|filter| filter.matches_values(&|key| fields.get(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_s_page_is_a_whole_number() {
        for (number, page) in [
            (7.0, Some(7)),
            (-1.0, None),
            (1.5, None),
            (1e300, None),
            (4e9, Some(4_000_000_000)),
        ] {
            assert_eq!(whole(&MetadataValue::Number(number)), page, "{number}");
        }
        assert_eq!(whole(&MetadataValue::Text("7".into())), None);
    }

    #[test]
    fn a_field_that_is_no_metadata_is_compared_as_it_is() {
        let long = MetadataValue::Text("x".repeat(501));
        let fields = BTreeMap::from([("body".to_owned(), long.clone())]);
        let short = MetadataValue::Text("x".into());
        assert!(passes(Some(&Filter::Ne("body".into(), short.clone())), &fields));
        assert!(!passes(Some(&Filter::Eq("body".into(), short)), &fields));
        assert!(passes(Some(&Filter::Eq("body".into(), long)), &fields));
    }
}
