use actix_web::web::Json;
use actix_web::{get, post};
use tenantry_domain::{Page, TenantId};
use tenantry_retrieval::PromptAccess;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{CurrentAdmin, PageParams, Params, PathId, PathIds, SuperUser};
use crate::offload::Class;

mod wire;

use wire::{DiffParams, DiffView, PromptView, ShowParams};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_prompts)
        .service(show_prompt)
        .service(compare_prompts)
        .service(restore_prompt)
        .service(list_tenant_prompts)
        .service(show_tenant_prompt)
        .service(compare_tenant_prompts)
        .service(restore_tenant_prompt);
}

/// Lists what the system prompt of the caller's own tenant was, the latest first.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(PageParams),
    responses((status = 200, description = "A page of the versions", body = Listing<PromptView>))
)]
#[get("/tenant/prompts")]
async fn list_prompts(
    admin: CurrentAdmin,
    params: Params<PageParams>,
) -> Result<Json<Listing<PromptView>>, ApiError> {
    let page = params.0.page()?;
    let listing = admin.run(Class::Store, move |app, admin| {
        list(app, &PromptAccess::own(admin), page)
    });
    Ok(Json(listing.await?))
}

/// Shows a version of the system prompt of the caller's own tenant.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("number" = u32, Path, description = "The version's number"), ShowParams),
    responses((status = 200, description = "The version", body = PromptView))
)]
#[get("/tenant/prompts/{number}")]
async fn show_prompt(
    admin: CurrentAdmin,
    number: PathId,
    params: Params<ShowParams>,
) -> Result<Json<PromptView>, ApiError> {
    let view = admin.run(Class::Store, move |app, admin| {
        show(app, &PromptAccess::own(admin), &number, &params.0)
    });
    Ok(Json(view.await?))
}

/// Shows what changed from one version of the system prompt of the caller's own tenant to another.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("number" = u32, Path, description = "The number of the version to begin with"), DiffParams),
    responses((status = 200, description = "What changed", body = DiffView))
)]
#[get("/tenant/prompts/{number}/diff")]
async fn compare_prompts(
    admin: CurrentAdmin,
    number: PathId,
    params: Params<DiffParams>,
) -> Result<Json<DiffView>, ApiError> {
    let view = admin.run(Class::Store, move |app, admin| {
        compare(app, &PromptAccess::own(admin), &number, &params.0)
    });
    Ok(Json(view.await?))
}

/// Makes a version the system prompt of the caller's own tenant again, as a new version.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(("number" = u32, Path, description = "The number of the version to go back to")),
    responses((status = 200, description = "The version that now holds", body = PromptView))
)]
#[post("/tenant/prompts/{number}/restore")]
async fn restore_prompt(admin: CurrentAdmin, number: PathId) -> Result<Json<PromptView>, ApiError> {
    let view = admin.run(Class::Store, move |app, admin| {
        restore(app, &PromptAccess::own(admin), &number)
    });
    Ok(Json(view.await?))
}

/// Lists what a tenant's system prompt was, the latest first.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(("tenant_id" = String, Path, description = "The tenant's id"), PageParams),
    responses((status = 200, description = "A page of the versions", body = Listing<PromptView>))
)]
#[get("/admin/tenants/{tenant_id}/prompts")]
async fn list_tenant_prompts(
    admin: SuperUser,
    id: PathId,
    params: Params<PageParams>,
) -> Result<Json<Listing<PromptView>>, ApiError> {
    let page = params.0.page()?;
    let listing = admin.run(Class::Store, move |app, superuser| {
        list(app, &PromptAccess::any(superuser, id.parse()?), page)
    });
    Ok(Json(listing.await?))
}

/// Shows a version of a tenant's system prompt.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(
        ("tenant_id" = String, Path, description = "The tenant's id"),
        ("number" = u32, Path, description = "The version's number"),
        ShowParams
    ),
    responses((status = 200, description = "The version", body = PromptView))
)]
#[get("/admin/tenants/{tenant_id}/prompts/{number}")]
async fn show_tenant_prompt(
    admin: SuperUser,
    ids: PathIds,
    params: Params<ShowParams>,
) -> Result<Json<PromptView>, ApiError> {
    let PathIds(id, number) = ids;
    let view = admin.run(Class::Store, move |app, superuser| {
        let access = PromptAccess::any(superuser, id.parse::<TenantId>()?);
        show(app, &access, &number, &params.0)
    });
    Ok(Json(view.await?))
}

/// Shows what changed from one version of a tenant's system prompt to another.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(
        ("tenant_id" = String, Path, description = "The tenant's id"),
        ("number" = u32, Path, description = "The number of the version to begin with"),
        DiffParams
    ),
    responses((status = 200, description = "What changed", body = DiffView))
)]
#[get("/admin/tenants/{tenant_id}/prompts/{number}/diff")]
async fn compare_tenant_prompts(
    admin: SuperUser,
    ids: PathIds,
    params: Params<DiffParams>,
) -> Result<Json<DiffView>, ApiError> {
    let PathIds(id, number) = ids;
    let view = admin.run(Class::Store, move |app, superuser| {
        let access = PromptAccess::any(superuser, id.parse::<TenantId>()?);
        compare(app, &access, &number, &params.0)
    });
    Ok(Json(view.await?))
}

/// Makes a version a tenant's system prompt again, as a new version.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(
        ("tenant_id" = String, Path, description = "The tenant's id"),
        ("number" = u32, Path, description = "The number of the version to go back to")
    ),
    responses((status = 200, description = "The version that now holds", body = PromptView))
)]
#[post("/admin/tenants/{tenant_id}/prompts/{number}/restore")]
async fn restore_tenant_prompt(admin: SuperUser, ids: PathIds) -> Result<Json<PromptView>, ApiError> {
    let PathIds(id, number) = ids;
    let view = admin.run(Class::Store, move |app, superuser| {
        let access = PromptAccess::any(superuser, id.parse::<TenantId>()?);
        restore(app, &access, &number)
    });
    Ok(Json(view.await?))
}

fn list(app: &App, access: &PromptAccess, page: Page) -> Result<Listing<PromptView>, ApiError> {
    let versions = app.prompts.versions(access, page)?;
    let versions = versions.ok_or_else(ApiError::not_found)?;
    Ok(Listing::of(versions, PromptView::from))
}

fn show(
    app: &App,
    access: &PromptAccess,
    number: &PathId,
    params: &ShowParams,
) -> Result<PromptView, ApiError> {
    let number = number.parse()?;
    let version = if params.renders() {
        app.prompts.rendered(access, number)
    } else {
        app.prompts.version(access, number)
    };
    version?.map(PromptView::from).ok_or_else(ApiError::not_found)
}

fn compare(
    app: &App,
    access: &PromptAccess,
    number: &PathId,
    params: &DiffParams,
) -> Result<DiffView, ApiError> {
    let diff = app.prompts.diff(access, number.parse()?, params.to)?;
    diff.map(DiffView::from).ok_or_else(ApiError::not_found)
}

fn restore(app: &App, access: &PromptAccess, number: &PathId) -> Result<PromptView, ApiError> {
    let version = app.prompts.restore(access, number.parse()?)?;
    version.map(PromptView::from).ok_or_else(ApiError::not_found)
}

#[cfg(test)]
mod tests;
