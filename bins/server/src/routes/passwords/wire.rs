use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_retrieval::ResetLink;
use utoipa::ToSchema;

use crate::routes::wire::Secret;

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery", "new_password": "another horse battery"}))]
pub(super) struct PasswordChange {
    /// The password so far.
    #[schema(value_type = String, format = Password)]
    current_password: Secret,
    /// The password from now on: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    new_password: Secret,
}

impl PasswordChange {
    /// The current one and the new one.
    pub(super) fn into_parts(self) -> (SecretString, SecretString) {
        (self.current_password.into_inner(), self.new_password.into_inner())
    }
}

/// Somebody who does not know their password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org"}))]
pub(super) struct ForgottenPassword {
    /// The e-mail address of the account.
    pub(super) email: String,
}

/// A password by a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "tnp_GtVrlQ1vQXzZ0m8c1o5zq0aT7b3dR9kJt2uYwLxNf4E", "new_password": "another horse battery"
}))]
pub(super) struct NewPassword {
    /// The secret of the link.
    #[schema(value_type = String, format = Password)]
    token: Secret,
    /// The password from now on: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    new_password: Secret,
}

impl NewPassword {
    /// The secret and the password.
    pub(super) fn into_parts(self) -> (SecretString, SecretString) {
        (self.token.into_inner(), self.new_password.into_inner())
    }
}

/// A one-time link to set a password.
#[derive(Serialize, ToSchema)]
#[schema(as = ResetLink)]
pub(super) struct ResetLinkView {
    /// The page to open; only its path where the server does not know its own address.
    #[schema(example = "https://rag.example.org/password-reset#token=tnp_...")]
    url: String,
    /// The secret alone.
    #[schema(example = "tnp_GtVrlQ1vQXzZ0m8c1o5zq0aT7b3dR9kJt2uYwLxNf4E")]
    token: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&ResetLink> for ResetLinkView {
    fn from(link: &ResetLink) -> Self {
        Self {
            url: link.url.expose_secret().to_owned(),
            token: link.token.expose_secret().to_owned(),
            expires_at: link.expires_at.to_string(),
        }
    }
}
