use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{CustomizeResponder, Responder, delete, get, post};
use tenantry_retrieval::{ApiKeys, IssuedApiKey, KeyRights};
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{Body, CurrentAdmin, PageParams, Params, PathId};
use crate::offload::Class;

mod wire;

use wire::{ApiKeyView, NewApiKeyBody, RotationBody};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_key)
        .service(list_keys)
        .service(show_key)
        .service(revoke_key)
        .service(rotate_key);
}

/// Makes an API key for the caller's own tenant; the answer shows it, and no other does.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    request_body = NewApiKeyBody,
    responses((status = 201, description = "The key, with its text", body = ApiKeyView))
)]
#[post("/tenant/keys")]
async fn create_key(
    admin: CurrentAdmin,
    body: Body<NewApiKeyBody>,
) -> Result<CustomizeResponder<Json<ApiKeyView>>, ApiError> {
    let new = body.0.into_new()?;
    let issued = admin.run(Class::Store, move |app, admin| {
        app.api_keys.create(&KeyRights::own(admin), &new)
    });
    Ok(created(issued.await?))
}

/// Lists the API keys of the caller's own tenant, live or not, the newest first.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(PageParams),
    responses((status = 200, description = "A page of the keys", body = Listing<ApiKeyView>))
)]
#[get("/tenant/keys")]
async fn list_keys(
    admin: CurrentAdmin,
    params: Params<PageParams>,
) -> Result<Json<Listing<ApiKeyView>>, ApiError> {
    let page = params.0.page()?;
    let keys = admin.run(Class::Store, move |app, admin| {
        app.api_keys.list(&KeyRights::own(admin), page)
    });
    Ok(Json(Listing::of(keys.await?, ApiKeyView::from)))
}

/// Shows an API key of the caller's own tenant.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key", body = ApiKeyView))
)]
#[get("/tenant/keys/{id}")]
async fn show_key(admin: CurrentAdmin, id: PathId) -> Result<Json<ApiKeyView>, ApiError> {
    let key = admin.run(Class::Store, move |app, admin| {
        found(app.api_keys.show(&KeyRights::own(admin), id.parse()?)?)
    });
    Ok(Json(key.await?.into()))
}

/// Revokes an API key of the caller's own tenant, for good.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key", body = ApiKeyView))
)]
#[delete("/tenant/keys/{id}")]
async fn revoke_key(admin: CurrentAdmin, id: PathId) -> Result<Json<ApiKeyView>, ApiError> {
    let key = admin.run(Class::Store, move |app, admin| {
        found(app.api_keys.revoke(&KeyRights::own(admin), id.parse()?)?)
    });
    Ok(Json(key.await?.into()))
}

/// Makes a successor of an API key of the caller's own tenant, beside which the key lives on for a while; the answer shows the new
/// key, and no other does.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The id of the key to replace")),
    request_body = RotationBody,
    responses((status = 201, description = "The new key, with its text", body = ApiKeyView))
)]
#[post("/tenant/keys/{id}/rotate")]
async fn rotate_key(
    admin: CurrentAdmin,
    id: PathId,
    body: Body<RotationBody>,
) -> Result<CustomizeResponder<Json<ApiKeyView>>, ApiError> {
    let overlap = body.0.overlap_seconds.unwrap_or(ApiKeys::OVERLAP_SECONDS);
    let issued = admin.run(Class::Store, move |app, admin| {
        found(
            app.api_keys
                .rotate(&KeyRights::own(admin), id.parse()?, overlap)?,
        )
    });
    Ok(created(issued.await?))
}

fn found<T>(key: Option<T>) -> Result<T, ApiError> {
    key.ok_or_else(ApiError::not_found)
}

/// The answer with a key that nobody is shown again; that no cache keeps it, is said of every answer.
fn created(issued: IssuedApiKey) -> CustomizeResponder<Json<ApiKeyView>> {
    Json(ApiKeyView::from(issued))
        .customize()
        .with_status(StatusCode::CREATED)
}

#[cfg(test)]
mod tests;
