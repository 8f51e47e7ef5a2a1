//! The values that a column keeps as JSON.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tenantry_domain::{BoxError, Citation, MediaType, Metadata, MetadataValue, Origin, PageMark, Span};

use crate::TextRead;

pub(super) fn write_metadata(metadata: &Metadata) -> String {
    let value = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => json!(text),
        MetadataValue::Number(number) => json!(number),
        MetadataValue::Bool(is) => json!(is),
        MetadataValue::Texts(texts) => json!(texts),
    };
    let values: Map<String, Value> = metadata
        .iter()
        .map(|(key, of_key)| (key.to_owned(), value(of_key)))
        .collect();
    Value::Object(values).to_string()
}

pub(super) fn read_metadata(text: &str) -> Result<Metadata, BoxError> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
    let values = raw
        .into_iter()
        .map(|(key, value)| Ok((key, read_value(value.get())?)));
    Ok(Metadata::new(values.collect::<Result<_, BoxError>>()?)?)
}

fn read_value(text: &str) -> Result<MetadataValue, BoxError> {
    Ok(match text.bytes().next() {
        Some(b'"') => MetadataValue::Text(serde_json::from_str(text)?),
        Some(b'[') => MetadataValue::Texts(serde_json::from_str(text)?),
        Some(b't' | b'f') => MetadataValue::Bool(serde_json::from_str(text)?),
        // serde_json reads a number quickly rather than to its last bit, by which `eq` would miss it.
        _ => MetadataValue::Number(text.parse()?),
    })
}

pub(super) fn write_headings(headings: &[String]) -> String {
    json!(headings).to_string()
}

pub(super) fn read_headings(text: &str) -> Result<Vec<String>, BoxError> {
    Ok(serde_json::from_str(text)?)
}

pub(super) fn write_pages(pages: &[PageMark]) -> String {
    let pages: Vec<_> = pages.iter().map(|mark| (mark.at, mark.page)).collect();
    json!(pages).to_string()
}

pub(super) fn read_pages(text: &str) -> Result<Vec<PageMark>, BoxError> {
    let pages: Vec<(u32, u32)> = serde_json::from_str(text)?;
    Ok(pages
        .into_iter()
        .map(|(at, page)| PageMark { at, page })
        .collect())
}

pub(super) fn write_text_read(read: &TextRead) -> String {
    json!({
        "media_type": read.media_type.as_str(),
        "format": read.format.as_str(),
        "title": read.title,
        "characters": read.characters,
        "segments": read.segments,
    })
    .to_string()
}

#[derive(Debug, thiserror::Error)]
#[error("what was read of a text lacks {0}")]
struct Lacking(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("a citation lacks {0}")]
struct LackingInCitation(&'static str);

pub(super) fn read_text_read(text: &str) -> Result<TextRead, BoxError> {
    let value: Value = serde_json::from_str(text)?;
    let text = |key: &'static str| value.get(key).and_then(Value::as_str).ok_or(Lacking(key));
    let number = |key: &'static str| value.get(key).and_then(Value::as_u64).ok_or(Lacking(key));
    Ok(TextRead {
        media_type: text("media_type")?.parse::<MediaType>()?,
        format: text("format")?.parse()?,
        title: text("title")?.to_owned(),
        characters: number("characters")?.try_into()?,
        segments: number("segments")?.try_into()?,
    })
}

pub(super) fn write_citations(citations: &[Citation]) -> String {
    let write = |citation: &Citation| {
        let (kind, id) = match &citation.origin {
            Origin::Document(id) => ("document", id.to_string()),
            Origin::Record(id) => ("record", id.clone()),
        };
        json!({
            "number": citation.number,
            kind: id,
            "title": citation.title,
            "start": citation.span.start,
            "end": citation.span.end,
            "page": citation.page,
            "excerpt": citation.excerpt,
        })
    };
    Value::Array(citations.iter().map(write).collect()).to_string()
}

pub(super) fn read_citations(text: &str) -> Result<Vec<Citation>, BoxError> {
    let values: Vec<Value> = serde_json::from_str(text)?;
    values.iter().map(read_citation).collect()
}

fn read_citation(value: &Value) -> Result<Citation, BoxError> {
    let lacking = |key| LackingInCitation(key);
    let text = |key: &'static str| value.get(key).and_then(Value::as_str).ok_or(lacking(key));
    let number = |key: &'static str| value.get(key).and_then(Value::as_u64).ok_or(lacking(key));
    let origin = match value.get("record") {
        Some(_) => Origin::Record(text("record")?.to_owned()),
        None => Origin::Document(text("document")?.parse()?),
    };
    let page = match value.get("page") {
        None | Some(Value::Null) => None,
        Some(_) => Some(number("page")?.try_into()?),
    };
    Ok(Citation {
        number: number("number")?.try_into()?,
        origin,
        title: text("title")?.to_owned(),
        span: Span {
            start: number("start")?.try_into()?,
            end: number("end")?.try_into()?,
        },
        page,
        excerpt: text("excerpt")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_metadata_is_read_back_to_its_last_bit() {
        for number in [
            0.1 + 0.2,
            1.0,
            -0.0,
            1e300,
            5e-324,
            f64::MAX,
            f64::EPSILON,
            9_007_199_254_740_993.0,
            1.234_567_890_123_456_7e-200,
        ] {
            let values = BTreeMap::from([("n".to_owned(), MetadataValue::Number(number))]);
            let metadata = Metadata::new(values).unwrap();
            let read = read_metadata(&write_metadata(&metadata)).unwrap();
            let Some(MetadataValue::Number(back)) = read.get("n") else {
                panic!("{read:?}")
            };
            assert_eq!(back.to_bits(), number.to_bits(), "{number:e}");
        }
    }

    #[test]
    fn what_is_not_metadata_is_refused() {
        for text in [
            "",
            "[]",
            "{\"a\":null}",
            "{\"a\":{}}",
            "{\"a\":[1]}",
            "{\"a b\":1}",
            "{\"a\":1e999}",
        ] {
            assert!(read_metadata(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_list_of_citations_is_refused() {
        let whole = r#"{"number":1,"record":"r-1","title":"t","start":0,"end":1,"page":null,"excerpt":"e"}"#;
        assert_eq!(read_citations(&format!("[{whole},{whole}]")).unwrap().len(), 2);
        for (from, to) in [
            ("\"number\":1", "\"number\":65536"),
            ("\"number\":1", "\"number\":\"1\""),
            ("\"record\":\"r-1\"", "\"record\":1"),
            ("\"record\":\"r-1\"", "\"document\":\"r-1\""),
            ("\"record\":\"r-1\",", ""),
            ("\"title\":\"t\",", ""),
            ("\"start\":0", "\"start\":-1"),
            ("\"end\":1,", ""),
            ("\"page\":null", "\"page\":\"1\""),
            (",\"excerpt\":\"e\"", ""),
        ] {
            let broken = whole.replace(from, to);
            assert_ne!(broken, whole);
            assert!(read_citations(&format!("[{broken}]")).is_err(), "{broken}");
        }
        for text in ["", "{}", "null", "[1]"] {
            assert!(read_citations(text).is_err(), "{text}");
        }
    }
}
