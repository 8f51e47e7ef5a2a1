use actix_web::get;
use actix_web::web::Json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::ApiError;
use crate::extract::{CurrentAdmin, Params, SuperUser};
use crate::offload::Class;

mod wire;

use wire::{UsageParams, UsageReportView};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_usage).service(show_all_usage);
}

/// Shows what the caller's own tenant spent on models.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(UsageParams),
    responses((status = 200, description = "The sums", body = UsageReportView))
)]
#[get("/tenant/usage")]
async fn show_usage(
    admin: CurrentAdmin,
    params: Params<UsageParams>,
) -> Result<Json<UsageReportView>, ApiError> {
    let query = params.0.query()?;
    let report = admin.run(Class::Store, move |app, admin| {
        Ok::<_, ApiError>(UsageReportView::of(app.usage.own(admin, &query)?, query.by))
    });
    Ok(Json(report.await?))
}

/// Shows what all tenants spent on models.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(UsageParams),
    responses((status = 200, description = "The sums", body = UsageReportView))
)]
#[get("/admin/usage")]
async fn show_all_usage(
    admin: SuperUser,
    params: Params<UsageParams>,
) -> Result<Json<UsageReportView>, ApiError> {
    let query = params.0.query()?;
    let report = admin.run(Class::Store, move |app, superuser| {
        Ok::<_, ApiError>(UsageReportView::of(app.usage.all(superuser, &query)?, query.by))
    });
    Ok(Json(report.await?))
}

#[cfg(test)]
mod tests;
