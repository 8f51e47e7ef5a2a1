use std::{fmt, str};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use super::strict::{pairs, strict};
use super::{collect, only, shared};
use crate::error::{ApiError, Code};
use crate::limits::HttpSettings;

/// How deep a body may be nested; what the API takes is two levels deep.
const MAX_DEPTH: u32 = 32;

/// A JSON body, read strictly.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = shared::<HttpSettings>(&request)?.max_json_bytes;
            json("body", &read(&request, payload, limit, "application/json").await?).map(Self)
        })
    }
}

/// A form body as OAuth2 clients send it (`application/x-www-form-urlencoded`).
pub(crate) struct Form<T>(pub(crate) T);

/// The largest form in bytes: a user name, a password of at most 1,024 bytes, and what clients add.
const MAX_FORM: usize = 16 * 1_024;

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read(&request, payload, MAX_FORM, "application/x-www-form-urlencoded").await?;
            let text = str::from_utf8(&body)
                .map_err(|_| ApiError::new(Code::BadRequest).saying("the form is not UTF-8"))?;
            if text.contains("%00") || text.contains('\0') {
                return Err(has_nul());
            }
            pairs("form", text).map(Self)
        })
    }
}

/// Reads a body of the given type, which has to be UTF-8 if it says what it is.
async fn read(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    media_type: &str,
) -> Result<Bytes, ApiError> {
    let declared = only(request, header::CONTENT_TYPE);
    if !declared.is_some_and(|declared| is(declared, media_type)) {
        return Err(
            ApiError::new(Code::UnsupportedMediaType).saying(format!("expected {media_type} in UTF-8"))
        );
    }
    collect(request, payload, limit).await
}

/// Whether a `Content-Type` names this media type and no other character set than UTF-8.
pub(super) fn is(declared: &str, media_type: &str) -> bool {
    let mut parts = declared.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case(media_type));
    named && parts.all(is_utf8_or_no_charset)
}

fn is_utf8_or_no_charset(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let value = value.trim_matches('"');
    !name.eq_ignore_ascii_case("charset")
        || value.eq_ignore_ascii_case("utf-8")
        || value.eq_ignore_ascii_case("us-ascii")
}

/// Reads a JSON object, which `whole` calls as a person does; what it says of a mistake names the place and what was expected,
/// and repeats no value.
pub(super) fn json<T: DeserializeOwned>(whole: &str, object: &[u8]) -> Result<T, ApiError> {
    let not_json = |why: &dyn fmt::Display| {
        ApiError::new(Code::InvalidJson).saying(format!("the {whole} is not JSON: {why}"))
    };
    let broken = |error: &serde_json::Error| {
        not_json(&format_args!(
            "see line {}, column {}",
            error.line(),
            error.column()
        ))
    };
    let text = str::from_utf8(object).map_err(|_| not_json(&"it is not UTF-8"))?;
    if text.trim_ascii().is_empty() {
        return Err(not_json(&"it is empty"));
    }
    inspect(text)?;
    // A list would be read as an object whose fields come in their order.
    if text.trim_ascii_start().starts_with('[') {
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| broken(&error))?;
        let told = format!("the {whole} does not fit: expected an object");
        return Err(ApiError::new(Code::InvalidRequest).saying(told));
    }
    let mut input = serde_json::Deserializer::from_str(text);
    let value = strict(whole, &mut input).map_err(|(error, told)| match error.classify() {
        Category::Data => told,
        Category::Syntax | Category::Eof | Category::Io => broken(&error),
    })?;
    input.end().map_err(|error| broken(&error))?;
    Ok(value)
}

/// Refuses what is nested too deep, and strings with U+0000, which one database stores and the other refuses.
fn inspect(text: &str) -> Result<(), ApiError> {
    let (mut depth, mut in_string) = (0_u32, false);
    let mut bytes = text.as_bytes().iter();
    while let Some(byte) = bytes.next() {
        // What an escape names is taken with it, so that an escaped quote ends no string.
        let escaped = if in_string && *byte == b'\\' {
            bytes.next()
        } else {
            None
        };
        if escaped == Some(&b'u') && bytes.as_slice().starts_with(b"0000") {
            return Err(has_nul());
        }
        match (in_string, byte) {
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(ApiError::new(Code::InvalidJson)
                .saying(format!("the body is nested more than {MAX_DEPTH} levels deep")));
        }
    }
    Ok(())
}

pub(super) fn has_nul() -> ApiError {
    ApiError::new(Code::InvalidRequest).saying("the body has the character U+0000")
}

/// For a field that may be left out but not be `null` (`Option<T>`), or whose `null` clears it (`Option<Option<T>>`).
///
/// # Errors
/// When the value is no `T`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        inspect(text).map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn only_an_escaped_nul_in_a_string_is_one() {
        assert!(check(r#"{"a":"\u0000"}"#).is_err());
        assert!(check(r#"{"\u0000":1}"#).is_err());
        assert!(check(r#"{"a":"\\\u0000"}"#).is_err());
        for text in [
            r#"{"a":"\\u0000"}"#,
            r#"{"a":"\u0001"}"#,
            r#"{"a":"\"u0000"}"#,
            "\"\\",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn brackets_in_strings_are_not_depth() {
        assert!(check(&format!("\"{}\"", "[".repeat(1_000))).is_ok());
        assert!(check(&"[".repeat(33)).is_err());
        assert!(check(&"[]".repeat(33)).is_ok());
        assert!(check(&format!("\"\\\"{}", "[".repeat(33))).is_ok());
    }

    #[test]
    fn a_media_type_is_taken_in_utf_8_alone() {
        for declared in [
            "application/json",
            "Application/JSON;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/json; x=y",
        ] {
            assert!(is(declared, "application/json"), "{declared}");
        }
        for declared in [
            "",
            "text/json",
            "application/json; charset=utf-16",
            "application/jsonp",
        ] {
            assert!(!is(declared, "application/json"), "{declared}");
        }
    }
}
