use actix_web::post;
use actix_web::web::{Data, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_auth::IssuedToken;
use tenantry_domain::AccessClaims;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Secret;
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::{Body, Form};
use crate::offload::{Class, Offload};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(token).service(login);
}

/// The password grant of OAuth 2 (RFC 6749, section 4.3.2).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"grant_type": "password", "username": "ada@example.org", "password": "correct horse battery"}))]
struct PasswordGrant {
    /// `password`; it may be left out.
    grant_type: Option<String>,
    /// The e-mail address.
    username: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: Secret,
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

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
struct Login {
    /// The e-mail address.
    email: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// An access token.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 6749")]
struct Token {
    /// To be sent as `Authorization: Bearer ...`.
    access_token: String,
    /// `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Its lifetime in seconds.
    #[schema(example = 1800)]
    expires_in: u32,
}

impl From<IssuedToken> for Token {
    fn from(issued: IssuedToken) -> Self {
        Self {
            access_token: issued.token.expose_secret().to_owned(),
            token_type: "bearer",
            expires_in: issued.expires_in,
        }
    }
}

/// Logs in as OAuth 2 clients do.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body(content = PasswordGrant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "A token", body = Token))
)]
#[post("/token")]
async fn token(bridge: Data<Offload>, form: Form<PasswordGrant>) -> Result<Json<Token>, ApiError> {
    let PasswordGrant {
        grant_type,
        username,
        password,
        ..
    } = form.0;
    if grant_type.is_some_and(|grant| grant != "password") {
        return Err(ApiError::new(Code::InvalidRequest).saying("`grant_type`: expected password"));
    }
    issue(&bridge, username, password.into_inner()).await
}

/// Logs in.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = Login,
    responses((status = 200, description = "A token", body = Token))
)]
#[post("/login")]
async fn login(bridge: Data<Offload>, body: Body<Login>) -> Result<Json<Token>, ApiError> {
    issue(&bridge, body.0.email, body.0.password.into_inner()).await
}

async fn issue(bridge: &Offload, email: String, password: SecretString) -> Result<Json<Token>, ApiError> {
    let work = move |app: &App| -> Result<IssuedToken, ApiError> {
        let user = app.accounts.authenticate(&email, &password)?;
        let claims = AccessClaims {
            user: user.id,
            tenant: user.tenant,
            token_version: user.token_version,
            session: None,
        };
        Ok(app.issuer.issue(&claims)?)
    };
    let issued = bridge.run(Class::Password, work).await??;
    Ok(Json(issued.into()))
}

#[cfg(test)]
mod tests;
