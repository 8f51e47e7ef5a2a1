use actix_web::web::Json;
use actix_web::{get, put};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::ApiError;
use crate::extract::{Body, CurrentAdmin};
use crate::offload::Class;

mod wire;

use wire::{SettingsBody, SettingsView};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_settings).service(update_settings);
}

/// Shows the settings of the caller's own tenant.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    responses((status = 200, description = "The settings", body = SettingsView))
)]
#[get("/tenant/settings")]
async fn show_settings(admin: CurrentAdmin) -> Result<Json<SettingsView>, ApiError> {
    let settings = admin.run(Class::Store, |app, admin| {
        Ok::<_, ApiError>(app.tenants.settings(admin))
    });
    Ok(Json(settings.await?.into()))
}

/// Changes the settings of the caller's own tenant; what is left out stays. The next request goes by them.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    request_body = SettingsBody,
    responses((status = 200, description = "The settings", body = SettingsView))
)]
#[put("/tenant/settings")]
async fn update_settings(
    admin: CurrentAdmin,
    body: Body<SettingsBody>,
) -> Result<Json<SettingsView>, ApiError> {
    let update = body.0.try_into()?;
    let settings = admin.run(Class::Store, |app, admin| {
        let settings = app.tenants.update_settings(admin, update)?;
        settings.ok_or_else(ApiError::not_found)
    });
    Ok(Json(settings.await?.into()))
}

#[cfg(test)]
mod tests;
