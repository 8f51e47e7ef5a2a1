use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tenantry_auth::IssuedToken;
use tenantry_retrieval::LoggedIn;
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::routes::wire::Secret;

/// The password grant of OAuth 2 (RFC 6749, section 4.3.2), or its refresh (section 6).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"grant_type": "password", "username": "ada@example.org", "password": "correct horse battery"}))]
pub(super) struct TokenForm {
    /// `password`, also when it is left out, or `refresh_token`.
    grant_type: Option<String>,
    /// The e-mail address, with a password.
    username: Option<String>,
    /// The password.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Secret>,
    /// The latest refresh token of the session, for `refresh_token`.
    #[schema(value_type = Option<String>, format = Password)]
    refresh_token: Option<Secret>,
    /// Ignored, as are the two below: clients send them along.
    #[expect(dead_code, reason = "clients send it along")]
    scope: Option<String>,
    /// Ignored.
    #[expect(dead_code, reason = "clients send it along")]
    client_id: Option<String>,
    /// Ignored.
    #[schema(value_type = Option<String>)]
    #[expect(dead_code, reason = "clients send it along")]
    client_secret: Option<Secret>,
}

/// What a token is asked for with.
pub(super) enum Grant {
    Password(Login),
    Refresh(Refresh),
}

impl TokenForm {
    pub(super) fn into_grant(self) -> Result<Grant, ApiError> {
        let wrong = |sentence: &'static str| Err(ApiError::new(Code::InvalidRequest).saying(sentence));
        match self.grant_type.as_deref() {
            None | Some("password") => match (self.username, self.password, self.refresh_token) {
                (Some(email), Some(password), None) => Ok(Grant::Password(Login { email, password })),
                (None, ..) => wrong("`username` is missing"),
                (_, None, _) => wrong("`password` is missing"),
                _ => wrong("`refresh_token` goes with the grant of that name"),
            },
            Some("refresh_token") => match (self.refresh_token, self.username, self.password) {
                (Some(refresh_token), None, None) => Ok(Grant::Refresh(Refresh { refresh_token })),
                (None, ..) => wrong("`refresh_token` is missing"),
                _ => wrong("`username` and `password` go with the grant `password`"),
            },
            Some(_) => wrong("`grant_type`: expected password or refresh_token"),
        }
    }
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
pub(super) struct Login {
    /// The e-mail address.
    pub(super) email: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    pub(super) password: Secret,
}

/// A session that goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "tnr_GtVrlQ1vQXzZ0m8c1o5zq0aT7b3dR9kJt2uYwLxNf4E"}))]
pub(super) struct Refresh {
    /// The latest refresh token of the session.
    #[schema(value_type = String, format = Password)]
    pub(super) refresh_token: Secret,
}

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 6749")]
pub(in crate::routes) struct Token {
    /// To be sent as `Authorization: Bearer ...`.
    access_token: String,
    /// `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// The access token's lifetime in seconds.
    #[schema(example = 1800)]
    expires_in: u32,
    /// Gives the next tokens, once.
    #[schema(example = "tnr_GtVrlQ1vQXzZ0m8c1o5zq0aT7b3dR9kJt2uYwLxNf4E")]
    refresh_token: String,
    /// In how many seconds the session ends at the latest.
    #[schema(example = 2_592_000)]
    refresh_expires_in: i64,
}

impl Token {
    pub(super) fn new(issued: &IssuedToken, logged_in: &LoggedIn) -> Self {
        let session = &logged_in.session;
        Self {
            access_token: issued.token.expose_secret().to_owned(),
            token_type: "bearer",
            expires_in: issued.expires_in,
            refresh_token: logged_in.refresh_token.expose_secret().to_owned(),
            // It was used just now.
            refresh_expires_in: session.expires_at.unix_seconds() - session.used_at.unix_seconds(),
        }
    }
}
