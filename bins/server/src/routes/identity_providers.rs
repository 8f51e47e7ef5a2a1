use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{CustomizeResponder, HttpResponse, Responder, delete, get, post, put};
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{Body, CurrentAdmin, PageParams, Params, PathId};
use crate::offload::Class;

mod wire;

use wire::{IdentityProviderBody, IdentityProviderView, NewIdentityProviderBody};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_identity_provider)
        .service(list_identity_providers)
        .service(show_identity_provider)
        .service(update_identity_provider)
        .service(remove_identity_provider);
}

/// Adds an identity provider to the caller's own tenant: its tokens are accepted wherever ours are.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    request_body = NewIdentityProviderBody,
    responses((status = 201, description = "The provider", body = IdentityProviderView))
)]
#[post("/tenant/identity-providers")]
async fn create_identity_provider(
    admin: CurrentAdmin,
    body: Body<NewIdentityProviderBody>,
) -> Result<CustomizeResponder<Json<IdentityProviderView>>, ApiError> {
    let new = body.0.into_new()?;
    let provider = admin.run(Class::Store, move |app, admin| {
        app.identity_providers.create(admin, new)
    });
    let view = Json(IdentityProviderView::from(provider.await?));
    Ok(view.customize().with_status(StatusCode::CREATED))
}

/// Lists the identity providers of the caller's own tenant by id, the oldest first.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(PageParams),
    responses((status = 200, description = "A page of the providers", body = Listing<IdentityProviderView>))
)]
#[get("/tenant/identity-providers")]
async fn list_identity_providers(
    admin: CurrentAdmin,
    params: Params<PageParams>,
) -> Result<Json<Listing<IdentityProviderView>>, ApiError> {
    let page = params.0.page()?;
    let providers = admin.run(Class::Store, move |app, admin| {
        app.identity_providers.providers(admin, page)
    });
    Ok(Json(Listing::of(providers.await?, IdentityProviderView::from)))
}

/// Shows an identity provider of the caller's own tenant.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The provider's id")),
    responses((status = 200, description = "The provider", body = IdentityProviderView))
)]
#[get("/tenant/identity-providers/{id}")]
async fn show_identity_provider(
    admin: CurrentAdmin,
    id: PathId,
) -> Result<Json<IdentityProviderView>, ApiError> {
    let provider = admin.run(Class::Store, move |app, admin| {
        let provider = app.identity_providers.provider(admin, id.parse()?)?;
        provider.ok_or_else(ApiError::not_found)
    });
    Ok(Json(provider.await?.into()))
}

/// Changes an identity provider of the caller's own tenant; what is left out stays. The next token goes by it.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The provider's id")),
    request_body = IdentityProviderBody,
    responses((status = 200, description = "The provider", body = IdentityProviderView))
)]
#[put("/tenant/identity-providers/{id}")]
async fn update_identity_provider(
    admin: CurrentAdmin,
    id: PathId,
    body: Body<IdentityProviderBody>,
) -> Result<Json<IdentityProviderView>, ApiError> {
    let update = body.0.into_update()?;
    let provider = admin.run(Class::Store, move |app, admin| {
        let provider = app.identity_providers.update(admin, id.parse()?, update)?;
        provider.ok_or_else(ApiError::not_found)
    });
    Ok(Json(provider.await?.into()))
}

/// Removes an identity provider of the caller's own tenant. None of its tokens is accepted any more; the users that it made stay.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("id" = String, Path, description = "The provider's id")),
    responses((status = 204, description = "It is gone"))
)]
#[delete("/tenant/identity-providers/{id}")]
async fn remove_identity_provider(admin: CurrentAdmin, id: PathId) -> Result<HttpResponse, ApiError> {
    let removed = admin.run(Class::Store, move |app, admin| {
        let was_there = app.identity_providers.remove(admin, id.parse()?)?;
        was_there.then_some(()).ok_or_else(ApiError::not_found)
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
