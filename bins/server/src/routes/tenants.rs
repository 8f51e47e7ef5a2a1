use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{CustomizeResponder, Responder, delete, get, post, put};
use tenantry_domain::TenantId;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{Body, PageParams, Params, PathId, SuperUser};
use crate::offload::Class;

mod wire;

use wire::{NewTenantBody, SavedTenantView, TenantUpdateBody, TenantView};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_tenant)
        .service(list_tenants)
        .service(show_tenant)
        .service(update_tenant)
        .service(deactivate_tenant);
}

/// Makes a tenant. Its Pinecone settings are checked first; an unreachable Pinecone leaves the check pending.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    request_body = NewTenantBody,
    responses((status = 201, description = "The tenant", body = SavedTenantView))
)]
#[post("/admin/tenants")]
async fn create_tenant(
    admin: SuperUser,
    body: Body<NewTenantBody>,
) -> Result<CustomizeResponder<Json<SavedTenantView>>, ApiError> {
    let new = body.0.into_new()?;
    let saved = admin.run(Class::Upstream, |app, superuser| {
        app.tenants.create(superuser, new)
    });
    let view = Json(SavedTenantView::from(saved.await?));
    Ok(view.customize().with_status(StatusCode::CREATED))
}

/// Lists tenants by id, the deactivated among them.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(PageParams),
    responses((status = 200, description = "A page of the tenants", body = Listing<TenantView>))
)]
#[get("/admin/tenants")]
async fn list_tenants(
    admin: SuperUser,
    params: Params<PageParams>,
) -> Result<Json<Listing<TenantView>>, ApiError> {
    let page = params.0.page()?;
    let tenants = admin.run(Class::Store, move |app, superuser| {
        app.tenants.tenants(superuser, page)
    });
    Ok(Json(Listing::of(tenants.await?, TenantView::from)))
}

/// Shows a tenant.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("tenant_id" = String, Path, description = "The tenant's id")),
    responses((status = 200, description = "The tenant", body = TenantView))
)]
#[get("/admin/tenants/{tenant_id}")]
async fn show_tenant(admin: SuperUser, id: PathId) -> Result<Json<TenantView>, ApiError> {
    let tenant = admin.run(Class::Store, move |app, superuser| {
        let tenant = app.tenants.tenant(superuser, &id.parse()?)?;
        tenant.ok_or_else(ApiError::not_found)
    });
    Ok(Json(tenant.await?.into()))
}

/// Changes a tenant; what is left out stays. New Pinecone settings are checked as a whole.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("tenant_id" = String, Path, description = "The tenant's id")),
    request_body = TenantUpdateBody,
    responses((status = 200, description = "The tenant", body = SavedTenantView))
)]
#[put("/admin/tenants/{tenant_id}")]
async fn update_tenant(
    admin: SuperUser,
    id: PathId,
    body: Body<TenantUpdateBody>,
) -> Result<Json<SavedTenantView>, ApiError> {
    let wanted = body.0.try_into()?;
    let saved = admin.run(Class::Upstream, move |app, superuser| {
        let saved = app.tenants.update(superuser, &id.parse::<TenantId>()?, &wanted)?;
        saved.ok_or_else(ApiError::not_found)
    });
    Ok(Json(saved.await?.into()))
}

/// Deactivates a tenant, which ends every use of it at once. Its id stays taken.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("tenant_id" = String, Path, description = "The tenant's id")),
    responses((status = 200, description = "The tenant", body = TenantView))
)]
#[delete("/admin/tenants/{tenant_id}")]
async fn deactivate_tenant(admin: SuperUser, id: PathId) -> Result<Json<TenantView>, ApiError> {
    let tenant = admin.run(Class::Store, move |app, superuser| {
        let tenant = app.tenants.deactivate(superuser, &id.parse()?)?;
        tenant.ok_or_else(ApiError::not_found)
    });
    Ok(Json(tenant.await?.into()))
}

#[cfg(test)]
mod tests;
