use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{CustomizeResponder, Responder, delete, get, post, put};
use tenantry_domain::UserId;
use tenantry_retrieval::TenantUserUpdate;
use utoipa_actix_web::service_config::ServiceConfig;

use super::users::wire::UserView;
use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{Body, CurrentAdmin, PageParams, Params, PathId};
use crate::offload::Class;

mod wire;

use wire::{NewTenantUserBody, TenantUserUpdateBody};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_tenant_user)
        .service(list_tenant_users)
        .service(show_tenant_user)
        .service(update_tenant_user)
        .service(deactivate_tenant_user);
}

/// Makes a user of the caller's own tenant, whose role may do no more than the caller.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    request_body = NewTenantUserBody,
    responses((status = 201, description = "The user", body = UserView))
)]
#[post("/tenant/users")]
async fn create_tenant_user(
    admin: CurrentAdmin,
    body: Body<NewTenantUserBody>,
) -> Result<CustomizeResponder<Json<UserView>>, ApiError> {
    let new = body.0.into_new()?;
    let user = admin.run(Class::Password, |app, admin| app.tenant_users.create(admin, new));
    let view = Json(UserView::from(user.await?));
    Ok(view.customize().with_status(StatusCode::CREATED))
}

/// Lists the users of the caller's own tenant by address; superusers are not among them.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(PageParams),
    responses((status = 200, description = "A page of the users", body = Listing<UserView>))
)]
#[get("/tenant/users")]
async fn list_tenant_users(
    admin: CurrentAdmin,
    params: Params<PageParams>,
) -> Result<Json<Listing<UserView>>, ApiError> {
    let page = params.0.page()?;
    let users = admin.run(Class::Store, move |app, admin| app.tenant_users.list(admin, page));
    Ok(Json(Listing::of(users.await?, UserView::from)))
}

/// Shows a user of the caller's own tenant.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserView))
)]
#[get("/tenant/users/{id}")]
async fn show_tenant_user(admin: CurrentAdmin, id: PathId) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(Class::Store, move |app, admin| {
        let user = app.tenant_users.user(admin, id.parse()?)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

/// Changes the role of a user of the caller's own tenant, or whether they may log in; either ends the user's sessions.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The user's id")),
    request_body = TenantUserUpdateBody,
    responses((status = 200, description = "The user", body = UserView))
)]
#[put("/tenant/users/{id}")]
async fn update_tenant_user(
    admin: CurrentAdmin,
    id: PathId,
    body: Body<TenantUserUpdateBody>,
) -> Result<Json<UserView>, ApiError> {
    change(admin, id, body.0.into_update()?).await
}

/// Deactivates a user of the caller's own tenant, which ends their sessions.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserView))
)]
#[delete("/tenant/users/{id}")]
async fn deactivate_tenant_user(admin: CurrentAdmin, id: PathId) -> Result<Json<UserView>, ApiError> {
    let off = TenantUserUpdate {
        is_active: Some(false),
        ..TenantUserUpdate::default()
    };
    change(admin, id, off).await
}

async fn change(
    admin: CurrentAdmin,
    id: PathId,
    wanted: TenantUserUpdate,
) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(Class::Store, move |app, admin| {
        let user = app.tenant_users.update(admin, id.parse::<UserId>()?, wanted)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

#[cfg(test)]
mod tests;
