use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{CustomizeResponder, Responder, delete, get, post, put};
use tenantry_domain::{User, UserId};
use tenantry_retrieval::UserUpdate;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::{ApiError, Code};
use crate::extract::{Anybody, Body, CurrentUser, PageParams, Params, PathId, SuperUser};
use crate::offload::{Class, Offload};

pub(super) mod wire;

use wire::{NewUserBody, Registration, UserParams, UserUpdateBody, UserView, tenant};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(register)
        .service(me)
        .service(create_user)
        .service(list_users)
        .service(show_user)
        .service(update_user)
        .service(deactivate_user);
}

/// Makes an account without a tenant, where the server is open to that.
#[utoipa::path(
    tag = "Accounts",
    extensions(("x-tenantry-access" = json!("public"))),
    request_body = Registration,
    responses((status = 201, description = "The user", body = UserView))
)]
#[post("/register")]
async fn register(
    bridge: Data<Offload>,
    anybody: Anybody,
    body: Body<Registration>,
) -> Result<CustomizeResponder<Json<UserView>>, ApiError> {
    let Registration { email, password } = body.0;
    let work = bridge.run(Class::Password, move |app| {
        if !app.registration_open {
            return Err(ApiError::new(Code::RegistrationClosed));
        }
        Ok(app.accounts.register(&email, password.into_inner(), &anybody.0)?)
    });
    Ok(created(work.await??))
}

/// The caller.
#[utoipa::path(
    tag = "Accounts",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("user"))),
    responses((status = 200, description = "The user", body = UserView))
)]
#[get("/users/me")]
async fn me(caller: CurrentUser) -> Result<Json<UserView>, ApiError> {
    let user = caller.run(Class::Store, |_, holder| Ok::<_, ApiError>(holder.user().clone()));
    Ok(Json(user.await?.into()))
}

/// Makes a user.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    request_body = NewUserBody,
    responses((status = 201, description = "The user", body = UserView))
)]
#[post("/admin/users")]
async fn create_user(
    admin: SuperUser,
    body: Body<NewUserBody>,
) -> Result<CustomizeResponder<Json<UserView>>, ApiError> {
    let new = body.0.into_new()?;
    let user = admin.run(Class::Password, |app, superuser| {
        app.accounts.create(superuser, new)
    });
    Ok(created(user.await?))
}

/// Lists users by address.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(UserParams),
    responses((status = 200, description = "A page of the users", body = Listing<UserView>))
)]
#[get("/admin/users")]
async fn list_users(
    admin: SuperUser,
    params: Params<UserParams>,
) -> Result<Json<Listing<UserView>>, ApiError> {
    let UserParams {
        tenant_id,
        limit,
        offset,
    } = params.0;
    let page = PageParams::new(limit, offset).page()?;
    let tenant = tenant(tenant_id)?;
    let users = admin.run(Class::Store, move |app, superuser| {
        app.accounts.users(superuser, tenant, page)
    });
    Ok(Json(Listing::of(users.await?, UserView::from)))
}

/// Shows a user.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserView))
)]
#[get("/admin/users/{id}")]
async fn show_user(admin: SuperUser, id: PathId) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(Class::Store, move |app, superuser| {
        let user = app.accounts.user(superuser, id.parse()?)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

/// Changes a user: assigns it to a tenant, deactivates it, promotes it, sets its password.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("id" = String, Path, description = "The user's id")),
    request_body = UserUpdateBody,
    responses((status = 200, description = "The user", body = UserView))
)]
#[put("/admin/users/{id}")]
async fn update_user(
    admin: SuperUser,
    id: PathId,
    body: Body<UserUpdateBody>,
) -> Result<Json<UserView>, ApiError> {
    change(admin, Class::Password, id, body.0.into_update()?).await
}

/// Deactivates a user, which ends their sessions.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserView))
)]
#[delete("/admin/users/{id}")]
async fn deactivate_user(admin: SuperUser, id: PathId) -> Result<Json<UserView>, ApiError> {
    let off = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    change(admin, Class::Store, id, off).await
}

async fn change(
    admin: SuperUser,
    class: Class,
    id: PathId,
    wanted: UserUpdate,
) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(class, move |app, superuser| {
        let user = app.accounts.update(superuser, id.parse::<UserId>()?, wanted)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

fn created(user: User) -> CustomizeResponder<Json<UserView>> {
    Json(UserView::from(user))
        .customize()
        .with_status(StatusCode::CREATED)
}

#[cfg(test)]
mod tests;
