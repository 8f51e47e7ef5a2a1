use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tenantry_http_client::{HttpError, Response};

use crate::LlmError;

/// What a provider said when it refused; for the log, never for a user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    status: Option<u16>,
    kind: Option<String>,
    code: Option<String>,
    message: String,
    request: Option<String>,
}

/// Characters of a provider's message that are kept.
const MESSAGE: usize = 1_000;

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the provider said")?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        for word in [&self.kind, &self.code].into_iter().flatten() {
            write!(f, " {word}")?;
        }
        write!(f, ": {:?}", self.message)?;
        match &self.request {
            Some(request) => write!(f, " (request {request:?})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Said {}

impl Said {
    /// Reads an error in any of the shapes that servers send it: `{"error": {...}}`, `{"error": "text"}`, the fields
    /// themselves, or no JSON at all.
    fn parse(body: &[u8], key: Option<&SecretString>) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of_value(value.get("error").unwrap_or(&value), key),
            Err(_) => Self {
                message: clean(&String::from_utf8_lossy(body), key),
                ..Self::default()
            },
        }
    }

    fn of_value(error: &Value, key: Option<&SecretString>) -> Self {
        let word = |name: &str| match error.get(name)? {
            Value::String(word) if !word.is_empty() => Some(clean(word, key)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = match error {
            Value::String(message) => clean(message, key),
            _ => word("message")
                .or_else(|| word("detail"))
                .unwrap_or_else(|| clean(&error.to_string(), key)),
        };
        Self {
            kind: word("type"),
            code: word("code"),
            message,
            ..Self::default()
        }
    }

    fn names(&self, words: &[&str]) -> bool {
        [&self.kind, &self.code]
            .into_iter()
            .flatten()
            .any(|known| words.contains(&known.as_str()))
    }

    /// Whether the account is used up, which no waiting heals.
    fn quota(&self) -> bool {
        self.status == Some(402)
            || self.names(&[
                "insufficient_quota",
                "billing_hard_limit_reached",
                "billing_not_active",
            ])
    }

    /// Whether the input is longer than the model takes. Only OpenAI has a code for it; the others say so in words.
    fn too_long(&self) -> bool {
        let message = self.message.to_lowercase();
        let says = |words: &[&str]| words.iter().all(|word| message.contains(word));
        self.status == Some(413)
            || self.names(&[
                "context_length_exceeded",
                "string_above_max_length",
                "array_above_max_length",
                "exceed_context_size_error",
                "max_tokens_per_request",
            ])
            || says(&["context length"])
            || says(&["context size"])
            || says(&["input is too l"])
            || says(&["too long"])
            || says(&["too many tokens"])
            || says(&["maximum", "tokens", "request"])
            || says(&["must have less than", "tokens"])
    }

    /// Whether the model is not there; a wrong path is 404, too, but does not speak of models.
    fn unknown_model(&self) -> bool {
        self.names(&["model_not_found", "DeploymentNotFound"])
            || (self.status == Some(404) && self.message.to_lowercase().contains("model"))
    }
}

/// Bounds a provider's text and takes our key out of it, which some servers repeat when they refuse it.
fn clean(text: &str, key: Option<&SecretString>) -> String {
    let text = match key.map(ExposeSecret::expose_secret) {
        Some(key) if !key.is_empty() => text.replace(key, "[redacted]"),
        _ => text.to_owned(),
    };
    text.chars().take(MESSAGE).collect()
}

/// Why an answer with a bad status is none.
pub(super) fn of_answer(answer: &Response, key: Option<&SecretString>) -> LlmError {
    let mut said = Said::parse(&answer.body, key);
    said.status = Some(answer.status);
    said.request = answer.header("x-request-id").map(|id| clean(id, key));
    classify(said, answer.status, answer)
}

/// Why an answer with a good status, or an event in the middle of one, is none: it carries `error`.
pub(super) fn of_error(error: &Value, key: Option<&SecretString>) -> LlmError {
    let said = Said::of_value(error, key);
    // Several servers put the status that they would have sent into the code.
    let status = said
        .code
        .as_deref()
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let unspoken = Response {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    };
    match status {
        400.. => classify(said, status, &unspoken),
        _ if said.names(&["rate_limit_exceeded", "rate_limit_error"]) => classify(said, 429, &unspoken),
        _ if said.names(&["invalid_api_key", "authentication_error"]) => classify(said, 401, &unspoken),
        _ if said.names(&["invalid_request_error", "BadRequestError"]) => classify(said, 400, &unspoken),
        _ => classify(said, 500, &unspoken),
    }
}

fn classify(said: Said, status: u16, answer: &Response) -> LlmError {
    if said.quota() {
        return LlmError::QuotaExceeded(said.into());
    }
    if said.unknown_model() {
        return LlmError::UnknownModel(said.into());
    }
    match status {
        401 | 403 => LlmError::Unauthorized(said.into()),
        429 => LlmError::RateLimited {
            retry_after: answer.retry_after(),
            source: said.into(),
        },
        // llama.cpp answers 500 to an input over its batch size.
        400 | 413 | 422 | 500 if said.too_long() => LlmError::TooLong(said.into()),
        408 | 409 | 500.. => LlmError::Unavailable(said.into()),
        400..=499 => LlmError::Refused(said.into()),
        _ => LlmError::Protocol(said.into()),
    }
}

/// Why a body is not what it should be. The reader's own words may quote the body, so its place alone is told.
pub(super) fn of_json(error: &serde_json::Error) -> LlmError {
    let (line, column) = (error.line(), error.column());
    LlmError::Protocol(format!("the answer is not the expected JSON: line {line}, column {column}").into())
}

/// Why there is no answer at all.
pub(super) fn of_transport(error: HttpError) -> LlmError {
    match error {
        HttpError::Cancelled => LlmError::Cancelled,
        HttpError::Url(_) | HttpError::Header(_) => LlmError::Refused(error.into()),
        HttpError::Connect(_)
        | HttpError::Timeout
        | HttpError::Protocol(_)
        | HttpError::CircuitOpen { .. } => LlmError::Unavailable(error.into()),
        // An answer that is too large, and what this version does not know, would be the same at the next try.
        _ => LlmError::Protocol(error.into()),
    }
}

/// Whether a busy answer may become a good one: not when the quota is used up or the provider says so.
pub(super) fn leaves_hope(answer: &Response) -> bool {
    answer.header("x-should-retry") != Some("false") && !Said::parse(&answer.body, None).quota()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> LlmError {
        let headers = vec![("retry-after".to_owned(), "7".to_owned())];
        of_answer(
            &Response {
                status,
                headers,
                body: body.into(),
            },
            None,
        )
    }

    fn name(error: &LlmError) -> String {
        format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned()
    }

    fn check(status: u16, body: &str, expected: &str) {
        assert_eq!(name(&said(status, body)), expected, "{status} {body}");
    }

    #[test]
    fn every_status_has_its_meaning() {
        let body = r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#;
        for (status, expected) in [
            (302, "Protocol"),
            (400, "Refused"),
            (401, "Unauthorized"),
            (402, "QuotaExceeded"),
            (403, "Unauthorized"),
            (404, "Refused"),
            (408, "Unavailable"),
            (413, "TooLong"),
            (422, "Refused"),
            (429, "RateLimited"),
            (500, "Unavailable"),
            (503, "Unavailable"),
        ] {
            check(status, body, expected);
        }
    }

    #[test]
    fn a_used_up_quota_is_no_rate_limit() {
        check(
            429,
            r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            "QuotaExceeded",
        );
        check(
            429,
            r#"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#,
            "RateLimited",
        );
        let LlmError::RateLimited { retry_after, .. } = said(429, "") else {
            panic!("no rate limit")
        };
        assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(7));
    }

    #[test]
    fn what_is_too_long_is_known_by_code_or_by_words() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 512 tokens.","code":400}"#,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            ),
            (
                500,
                r#"{"error":{"code":500,"message":"input is too large to process","type":"server_error"}}"#,
            ),
            (
                422,
                r#"{"error":"`inputs` must have less than 512 tokens. Given: 900","error_type":"Validation"}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Requested 300500 tokens, maximum 300000 tokens per request","code":"max_tokens_per_request"}}"#,
            ),
        ] {
            check(status, body, "TooLong");
        }
    }

    #[test]
    fn a_missing_model_is_told_from_a_wrong_path() {
        check(
            404,
            r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
            "UnknownModel",
        );
        check(
            404,
            r#"{"error":{"message":"model \"x\" not found, try pulling it first","code":null}}"#,
            "UnknownModel",
        );
        check(
            404,
            r#"{"error":{"message":"File Not Found","type":"not_found_error","code":404}}"#,
            "Refused",
        );
    }

    #[test]
    fn every_shape_of_an_error_is_read() {
        for body in [
            r#"{"error":{"message":"why","type":"t","code":"c"}}"#,
            r#"{"error":{"message":"why","code":404}}"#,
            r#"{"error":"why"}"#,
            r#"{"object":"error","message":"why","type":"t","param":null,"code":400}"#,
            r#"{"detail":"why"}"#,
            "why",
        ] {
            assert_eq!(Said::parse(body.as_bytes(), None).message, "why", "{body}");
        }
        assert_eq!(
            Said::parse(br#"{"error":{"message":null}}"#, None).message,
            r#"{"message":null}"#
        );
        assert_eq!(Said::parse(b"[1]", None).message, "[1]");
        assert_eq!(Said::parse(b"", None).message, "");
    }

    #[test]
    fn an_error_within_a_good_answer_has_its_meaning_too() {
        let check = |json: &str, expected: &str| {
            assert_eq!(
                name(&of_error(&serde_json::from_str(json).unwrap(), None)),
                expected,
                "{json}"
            );
        };
        check(r#"{"message":"m","code":503}"#, "Unavailable");
        check(r#"{"message":"m","code":429}"#, "RateLimited");
        check(r#"{"message":"m","code":"rate_limit_exceeded"}"#, "RateLimited");
        check(r#"{"message":"m","type":"insufficient_quota"}"#, "QuotaExceeded");
        check(
            r#"{"message":"maximum context length","type":"invalid_request_error"}"#,
            "TooLong",
        );
        check(
            r#"{"message":"m","type":"server_error","code":null}"#,
            "Unavailable",
        );
        check(r#""text""#, "Unavailable");
    }

    #[test]
    fn a_key_that_the_provider_repeats_is_taken_out() {
        let key = SecretString::from("sk-marker".to_owned());
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-marker.","code":"sk-marker"}}"#;
        let answer = Response {
            status: 401,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        let shown = format!("{:?}", of_answer(&answer, Some(&key)));
        assert!(
            shown.contains("Incorrect API key") && !shown.contains("sk-marker"),
            "{shown}"
        );
    }

    #[test]
    fn what_a_provider_says_stands_in_the_chain_alone() {
        let error = said(400, r#"{"error":{"message":"marker"}}"#);
        assert!(!error.to_string().contains("marker"));
        assert!(
            std::error::Error::source(&error)
                .unwrap()
                .to_string()
                .contains("marker")
        );
    }
}
