//! Reads values strictly. What is said of a mistake names its place and what was expected there, and repeats no value.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use url::form_urlencoded;

use crate::error::{ApiError, Code};

/// The longest name of a field that is told.
const MAX_NAME: usize = 40;

/// Reads a value of `whole`, which is how a person calls all of it: the body, the query.
///
/// # Errors
/// What the deserialiser says, with the mistake in our words.
pub(super) fn strict<'a, T, D>(whole: &str, input: D) -> Result<T, (D::Error, ApiError)>
where
    T: Deserialize<'a>,
    D: serde::Deserializer<'a>,
{
    serde_path_to_error::deserialize(input).map_err(|error| {
        let (path, cause) = (error.path().clone(), error.into_inner());
        let told = misfit(whole, &path, &cause.to_string());
        (cause, told)
    })
}

/// Reads the pairs of a query or of a form.
///
/// # Errors
/// 422 when one is unknown, missing, repeated or of the wrong form.
pub(super) fn pairs<T: DeserializeOwned>(whole: &str, text: &str) -> Result<T, ApiError> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    strict(whole, pairs).map_err(|(_, told)| told)
}

fn misfit(whole: &str, path: &Path, message: &str) -> ApiError {
    let what = explain(message);
    let told = match place(path, message) {
        place if place.is_empty() => format!("the {whole} does not fit: {what}"),
        place => format!("`{place}` does not fit: {what}"),
    };
    ApiError::new(Code::InvalidRequest).saying(told)
}

/// Where a mistake is, as `chat.models[1]`, as far as the names on the way look like ours. A field that is not known is not
/// named, but what it stands in.
fn place(path: &Path, message: &str) -> String {
    let unknown = usize::from(message.starts_with("unknown field `"));
    let known = path.iter().len().saturating_sub(unknown);
    let steps = path.iter().take(known).map_while(|segment| match segment {
        Segment::Seq { index } => Some(format!("[{index}]")),
        Segment::Map { key } if is_name(key) => Some(format!(".{key}")),
        Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

fn is_name(key: &str) -> bool {
    let mut bytes = key.bytes();
    key.len() <= MAX_NAME && bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The part of a deserialiser's message that is made of our own names: what it found is left out.
pub(crate) fn explain(message: &str) -> String {
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        return message.to_owned();
    }
    // The last such words are the deserialiser's own, whatever the value before them looks like.
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("unknown field `") => {
            format!("unknown field, expected {expected}")
        }
        Some((_, expected)) => format!("expected {}", in_words(expected)),
        None => "the value has the wrong form".to_owned(),
    }
}

/// What was expected, in JSON's words where the deserialiser has Rust's.
fn in_words(expected: &str) -> String {
    let (kind, place) = match expected.find(" at line ") {
        Some(at) => expected.split_at(at),
        None => (expected, ""),
    };
    let kind = match kind {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "a sequence" => "a list",
        "a map" => "an object",
        kind if kind.starts_with("struct ") => "an object",
        kind => kind,
    };
    format!("{kind}{place}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        limit: u32,
        chat: Inner,
        free: BTreeMap<String, u32>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        temperature: f32,
        models: Vec<String>,
    }

    fn told(json: &str) -> String {
        let mut input = serde_json::Deserializer::from_str(json);
        let (_, told) = strict::<Outer, _>("body", &mut input).unwrap_err();
        told.to_string()
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_by_its_place() {
        for (json, said) in [
            (
                r#"{"limit":"x"}"#,
                "`limit` does not fit: expected a whole number from 0 to 4294967295",
            ),
            (
                r#"{"chat":{"temperature":"hot"}}"#,
                "`chat.temperature` does not fit: expected a number at line 1 column 28",
            ),
            (
                r#"{"chat":{"models":"a"}}"#,
                "`chat.models` does not fit: expected a list",
            ),
            (
                r#"{"chat":{"models":["a",5]}}"#,
                "`chat.models[1]` does not fit: expected a string",
            ),
            (r#"{"chat":5}"#, "`chat` does not fit: expected an object"),
            ("5", "the body does not fit: expected an object"),
        ] {
            assert!(told(json).starts_with(said), "{}", told(json));
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_told_by_what_it_stands_in() {
        let said = told(r#"{"chat":{"secret_word":1}}"#);
        assert!(
            said.starts_with("`chat` does not fit: unknown field, expected `temperature` or `models`"),
            "{said}"
        );
        assert!(told(r#"{"secret_word":1}"#).starts_with("the body does not fit: unknown field"));
    }

    #[test]
    fn a_key_that_is_none_of_our_names_is_not_repeated() {
        assert!(told(r#"{"free":{"Secret word":"x"}}"#).starts_with("`free` does not fit"));
    }

    #[test]
    fn the_parameter_of_a_query_is_named() {
        let told = |text: &str| pairs::<Outer>("query", text).unwrap_err().to_string();
        assert_eq!(
            told("limit=abc"),
            "`limit` does not fit: the value has the wrong form"
        );
        assert_eq!(
            told("limit=1&limit=2"),
            "the query does not fit: duplicate field `limit`"
        );
    }

    #[test]
    fn an_explanation_repeats_nothing_of_the_body() {
        for (message, explained) in [
            (
                "missing field `name` at line 1 column 2",
                "missing field `name` at line 1 column 2",
            ),
            (
                "unknown field `x`, expected `a` or `b`",
                "unknown field, expected `a` or `b`",
            ),
            (
                "invalid type: string \"s, expected t\", expected f32 at line 1",
                "expected a number at line 1",
            ),
            ("invalid digit found in string", "the value has the wrong form"),
        ] {
            assert_eq!(explain(message), explained);
        }
    }
}
