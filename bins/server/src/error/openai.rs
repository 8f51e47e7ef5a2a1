//! Errors as `OpenAI`'s API tells them, for the addresses below `/v1`.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, Code, ErrorBody};

/// In which shape an address tells errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Ours.
    Native,
    /// That of `OpenAI`'s API, whose clients read no other.
    OpenAi,
}

/// An error as its answer tells it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    /// JSON.
    pub(crate) body: Vec<u8>,
    /// Whether the client is told not to try again, as it else would.
    pub(crate) is_lasting: bool,
}

impl Dialect {
    /// That of the address with this path.
    pub(crate) fn of(path: &str) -> Self {
        match path.strip_prefix("/v1") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::OpenAi,
            _ => Self::Native,
        }
    }

    /// How an error is told to the client.
    pub(crate) fn tell(self, error: &ApiError, request_id: &str) -> Told {
        let code = error.code;
        match self {
            Self::Native => Told {
                status: code.status(),
                body: json(&error.body(request_id)),
                is_lasting: false,
            },
            Self::OpenAi => Told {
                status: status(code),
                body: json(&OpenAiErrorBody::from(error)),
                is_lasting: is_lasting(code),
            },
        }
    }

    /// The name of the schema of its errors.
    pub(crate) fn schema_name(self) -> String {
        match self {
            Self::Native => ErrorBody::name().into_owned(),
            Self::OpenAi => OpenAiErrorBody::name().into_owned(),
        }
    }

    /// The status of a value that cannot be used.
    pub(crate) fn invalid(self) -> StatusCode {
        match self {
            Self::Native => Code::InvalidRequest.status(),
            Self::OpenAi => status(Code::InvalidRequest),
        }
    }
}

/// Every error answer below `/v1`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAiError)]
pub(crate) struct OpenAiErrorBody {
    /// What went wrong.
    error: OpenAiErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct OpenAiErrorDetail {
    /// A sentence for people; it may change.
    #[schema(example = "`temperature` is not between 0 and 2")]
    message: String,
    /// The kind: `invalid_request_error`, `permission_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    #[schema(example = "invalid_request_error")]
    kind: &'static str,
    /// The parameter that it is about.
    #[schema(example = "temperature")]
    param: Option<String>,
    /// A stable name to match on.
    #[schema(example = "invalid_request")]
    code: &'static str,
}

impl From<&ApiError> for OpenAiErrorBody {
    fn from(error: &ApiError) -> Self {
        // What `/chat` takes as one message is the last of several here.
        let (param, place) = match (error.about(), error.code) {
            (Some("message"), _) => (Some("messages"), Some("the last of `messages`")),
            (Some("instruction"), _) => (Some("messages"), Some("what `messages` instruct")),
            (Some("limit"), _) => (Some("tenantry"), Some("`tenantry.retrieval.limit`")),
            (Some("min_score"), _) => (Some("tenantry"), Some("`tenantry.retrieval.min_score`")),
            (None, Code::InstructionsRefused) => (Some("messages"), None),
            (None, Code::UnknownModel) => (Some("model"), None),
            (about, _) => (about, None),
        };
        let sentence = error.to_string();
        let message = match (error.about(), place) {
            (Some(about), Some(place)) => sentence.replacen(&format!("`{about}`"), place, 1),
            _ => sentence,
        };
        Self {
            error: OpenAiErrorDetail {
                message,
                kind: kind(status(error.code)),
                param: param.map(str::to_owned),
                code: code(error.code),
            },
        }
    }
}

/// `OpenAI`'s status for it: that of a value which cannot be used is 400 there.
fn status(code: Code) -> StatusCode {
    match (code, code.status()) {
        (Code::UnknownModel, _) => StatusCode::NOT_FOUND,
        (_, StatusCode::UNPROCESSABLE_ENTITY) => StatusCode::BAD_REQUEST,
        (_, status) => status,
    }
}

fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    }
}

/// `OpenAI`'s name where it has one, else ours.
fn code(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "invalid_api_key",
        Code::UnknownModel => "model_not_found",
        Code::InputTooLong => "context_length_exceeded",
        Code::TooManyRequests | Code::TooManyStreams => "rate_limit_exceeded",
        code => code.as_str(),
    }
}

/// Whether trying again changes nothing; `OpenAI`'s clients do so after any 5xx.
fn is_lasting(code: Code) -> bool {
    matches!(
        code,
        Code::EmbeddingNotConfigured
            | Code::EmbeddingMismatch
            | Code::TenantSecretUnavailable
            | Code::LlmUnauthorized
            | Code::LlmUnknownModel
            | Code::LlmQuotaExceeded
            | Code::LlmRefused
            | Code::VectorStoreUnauthorized
            | Code::VectorStoreUnknownIndex
            | Code::VectorStoreMisconfigured
            | Code::VectorStoreRefused
    )
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &ApiError) -> (u16, serde_json::Value) {
        let told = Dialect::OpenAi.tell(error, "id");
        (told.status.as_u16(), serde_json::from_slice(&told.body).unwrap())
    }

    #[test]
    fn an_address_is_below_v1_or_not() {
        for path in ["/v1", "/v1/", "/v1/models", "/v1/nowhere"] {
            assert_eq!(Dialect::of(path), Dialect::OpenAi, "{path}");
        }
        for path in [
            "",
            "/",
            "/v",
            "/v10",
            "/v1models",
            "/chat",
            "/admin/v1/models",
            "v1/models",
        ] {
            assert_eq!(Dialect::of(path), Dialect::Native, "{path}");
        }
    }

    #[test]
    fn every_code_is_told_with_a_kind_that_its_status_has() {
        for code in Code::ALL {
            let (status, body) = told(&ApiError::new(*code));
            let kind = match status {
                400 | 401 | 404 | 405 | 408 | 409 | 413 | 415 => "invalid_request_error",
                403 => "permission_error",
                429 => "rate_limit_error",
                500..=504 => "server_error",
                _ => panic!("{code:?} is {status}"),
            };
            assert_eq!(body["error"]["type"], kind, "{code:?}");
            assert_eq!(body["error"]["message"], code.sentence());
            let native = Dialect::Native.tell(&ApiError::new(*code), "id");
            assert_eq!((native.status, native.is_lasting), (code.status(), false));
            assert!(!is_lasting(*code) || status >= 500, "{code:?}");
        }
    }

    #[test]
    fn a_parameter_is_called_as_the_client_calls_it() {
        for (about, param, said) in [
            ("message", "messages", "the last of `messages` is wrong"),
            ("instruction", "messages", "what `messages` instruct is wrong"),
            ("limit", "tenantry", "`tenantry.retrieval.limit` is wrong"),
            ("min_score", "tenantry", "`tenantry.retrieval.min_score` is wrong"),
            ("top_p", "top_p", "`top_p` is wrong"),
        ] {
            let error = ApiError::new(Code::InvalidRequest).with_about(about);
            let (_, body) = told(&error.saying(format!("`{about}` is wrong")));
            assert_eq!(body["error"]["param"], param);
            assert_eq!(body["error"]["message"], said);
        }
        assert_eq!(
            told(&ApiError::new(Code::UnknownModel)).1["error"]["param"],
            "model"
        );
        assert!(told(&ApiError::not_found()).1["error"]["param"].is_null());
    }
}
