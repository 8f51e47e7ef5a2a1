use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, post};
use tenantry_retrieval::LoggedIn;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Anybody, Body, CurrentUser, Form};
use crate::offload::{Class, Offload};

pub(super) mod wire;

use wire::{Grant, Login, Refresh, Token, TokenForm};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(token)
        .service(login)
        .service(refresh)
        .service(logout);
}

/// Logs in, or gets the next tokens of a session, as OAuth 2 clients do.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens", body = Token),
        (status = 401, description = "The address or the password is wrong, or the refresh token is not good any more", body = ErrorBody),
        (status = 429, description = "Too many attempts have failed, `Retry-After` says when the next may be made", body = ErrorBody),
    )
)]
#[post("/token")]
async fn token(
    bridge: Data<Offload>,
    anybody: Anybody,
    form: Form<TokenForm>,
) -> Result<Json<Token>, ApiError> {
    match form.0.into_grant()? {
        Grant::Password(who) => begin(&bridge, anybody, who).await,
        Grant::Refresh(session) => go_on(&bridge, anybody, session).await,
    }
}

/// Logs in.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = Login,
    responses(
        (status = 200, description = "The tokens", body = Token),
        (status = 401, description = "The address or the password is wrong", body = ErrorBody),
        (status = 429, description = "Too many attempts have failed, `Retry-After` says when the next may be made", body = ErrorBody),
    )
)]
#[post("/login")]
async fn login(bridge: Data<Offload>, anybody: Anybody, body: Body<Login>) -> Result<Json<Token>, ApiError> {
    begin(&bridge, anybody, body.0).await
}

/// Gets the next tokens of a session. A refresh token is good once; used again, it ends its session.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = Refresh,
    responses(
        (status = 200, description = "The tokens", body = Token),
        (status = 401, description = "The refresh token is not good, or not any more", body = ErrorBody),
    )
)]
#[post("/refresh")]
async fn refresh(
    bridge: Data<Offload>,
    anybody: Anybody,
    body: Body<Refresh>,
) -> Result<Json<Token>, ApiError> {
    go_on(&bridge, anybody, body.0).await
}

/// Ends every session of the caller, on all devices.
#[utoipa::path(
    tag = "Accounts",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("user"))),
    responses((status = 204, description = "They have ended"))
)]
#[post("/logout")]
async fn logout(caller: CurrentUser) -> Result<HttpResponse, ApiError> {
    let ended = caller.run(Class::Store, |app, holder| app.sessions.end_all(holder));
    ended.await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn begin(bridge: &Offload, anybody: Anybody, who: Login) -> Result<Json<Token>, ApiError> {
    let work = move |app: &App| -> Result<Token, ApiError> {
        let Login { email, password } = who;
        let logged_in = app.log_ins.log_in(&email, &password.into_inner(), &anybody.0)?;
        issue(app, &logged_in)
    };
    Ok(Json(bridge.run(Class::Password, work).await??))
}

async fn go_on(bridge: &Offload, anybody: Anybody, session: Refresh) -> Result<Json<Token>, ApiError> {
    let work = move |app: &App| -> Result<Token, ApiError> {
        let presented = session.refresh_token.into_inner();
        let logged_in = app.sessions.refresh(&presented, &anybody.0)?;
        issue(app, &logged_in)
    };
    Ok(Json(bridge.run(Class::Store, work).await??))
}

/// The tokens of somebody who is logged in.
pub(super) fn issue(app: &App, logged_in: &LoggedIn) -> Result<Token, ApiError> {
    let issued = app.issuer.issue(&logged_in.claims())?;
    Ok(Token::new(&issued, logged_in))
}

#[cfg(test)]
mod tests;
