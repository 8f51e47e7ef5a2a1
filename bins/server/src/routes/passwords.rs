use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{CustomizeResponder, HttpResponse, Responder, get, post};
use tenantry_retrieval::{Client, ResetLink};
use utoipa_actix_web::service_config::ServiceConfig;

use super::page::page;
use super::tokens::{issue, wire::Token};
use crate::error::ApiError;
use crate::extract::{Anybody, Body, CurrentAdmin, CurrentUser, PathId, SuperUser};
use crate::logging::chain;
use crate::offload::{Class, Offload};

mod wire;

use wire::{ForgottenPassword, NewPassword, PasswordChange, ResetLinkView};

/// The page that a link leads to.
const PAGE: &str = include_str!("passwords/page.html");

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(change_password)
        .service(password_reset_page)
        .service(request_password_reset)
        .service(reset_password)
        .service(issue_password_reset)
        .service(issue_tenant_password_reset);
}

/// Changes the caller's password, which ends every session of theirs, and begins a new one.
#[utoipa::path(
    tag = "Accounts",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("user"))),
    request_body = PasswordChange,
    responses((status = 200, description = "The tokens of the new session", body = Token))
)]
#[post("/users/me/password")]
async fn change_password(
    caller: CurrentUser,
    anybody: Anybody,
    body: Body<PasswordChange>,
) -> Result<Json<Token>, ApiError> {
    let changed = caller.run(Class::Password, move |app, holder| {
        let (current, new) = body.0.into_parts();
        let logged_in = app.passwords.change(holder, &current, &new, &anybody.0)?;
        issue(app, &logged_in)
    });
    Ok(Json(changed.await?))
}

/// The page that a link to set a password leads to.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
#[get("/password-reset")]
async fn password_reset_page() -> HttpResponse {
    page(PAGE)
}

/// Has a link to set a password sent to that address, where the server sends mails and there is such an account. Either way the answer
/// is the same, and as soon.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = ForgottenPassword,
    responses((status = 202, description = "A link was sent, if there is somebody to send it to"))
)]
#[post("/password-reset/request")]
async fn request_password_reset(
    bridge: Data<Offload>,
    anybody: Anybody,
    body: Body<ForgottenPassword>,
) -> Result<HttpResponse, ApiError> {
    let (email, client) = (body.0.email, anybody.0);
    let asked = (email.clone(), client.clone());
    let asking = bridge.run(Class::Store, move |app| app.resets.ask(&asked.0, &asked.1));
    asking.await??;
    // Nobody waits for it, so that nobody learns by the time that it takes whether there is such an account.
    actix_web::rt::spawn(deliver(bridge, email, client));
    Ok(HttpResponse::Accepted().finish())
}

async fn deliver(bridge: Data<Offload>, email: String, client: Client) {
    let request = client.origin.request.clone().unwrap_or_default();
    let work = bridge.run(Class::Upstream, move |app| app.resets.deliver(&email, &client));
    let told = match work.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => chain(&error),
        Err(error) => chain(&error),
    };
    log::error!("a mail with a link to set a password was not sent: {told} request_id={request}");
}

/// Sets the password that a link is for. It ends the link and every session of the user.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = NewPassword,
    responses((status = 204, description = "It is set"))
)]
#[post("/password-reset")]
async fn reset_password(
    bridge: Data<Offload>,
    anybody: Anybody,
    body: Body<NewPassword>,
) -> Result<HttpResponse, ApiError> {
    let work = move |app: &crate::app::App| {
        let (token, password) = body.0.into_parts();
        app.resets.redeem(&token, &password, &anybody.0)
    };
    bridge.run(Class::Password, work).await??;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a one-time link with which a user's password may be set, in place of any earlier one.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 201, description = "The link, shown once", body = ResetLinkView))
)]
#[post("/admin/users/{id}/password-reset")]
async fn issue_password_reset(
    admin: SuperUser,
    id: PathId,
) -> Result<CustomizeResponder<Json<ResetLinkView>>, ApiError> {
    let link = admin.run(Class::Store, move |app, superuser| {
        let link = app.resets.issue(superuser, id.parse()?)?;
        link.ok_or_else(ApiError::not_found)
    });
    Ok(created(&link.await?))
}

/// Makes a one-time link with which the password of a user of the caller's own tenant may be set, in place of any earlier one.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 201, description = "The link, shown once", body = ResetLinkView))
)]
#[post("/tenant/users/{id}/password-reset")]
async fn issue_tenant_password_reset(
    admin: CurrentAdmin,
    id: PathId,
) -> Result<CustomizeResponder<Json<ResetLinkView>>, ApiError> {
    let link = admin.run(Class::Store, move |app, admin| {
        let link = app.resets.issue_in_tenant(admin, id.parse()?)?;
        link.ok_or_else(ApiError::not_found)
    });
    Ok(created(&link.await?))
}

fn created(link: &ResetLink) -> CustomizeResponder<Json<ResetLinkView>> {
    Json(ResetLinkView::from(link))
        .customize()
        .with_status(StatusCode::CREATED)
}

#[cfg(test)]
mod tests;
