use actix_web::get;
use actix_web::web::Json;
use serde::Serialize;
use tenantry_domain::TenantScope;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::{Chat, CurrentTenant, PathId};
use crate::offload::Class;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_models).service(show_model);
}

/// Lists the models that the caller's tenant may ask, the one that answers unasked first.
#[utoipa::path(
    tag = "OpenAI",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    responses((status = 200, description = "The models", body = ModelListView))
)]
#[get("/v1/models")]
async fn list_models(tenant: CurrentTenant<Chat>) -> Result<Json<ModelListView>, ApiError> {
    let listed = tenant.run(Class::Store, |app, scope| -> Result<_, ApiError> {
        Ok(models(app, scope).collect())
    });
    Ok(Json(ModelListView {
        object: "list",
        data: listed.await?,
    }))
}

/// Shows a model that the caller's tenant may ask.
#[utoipa::path(
    tag = "OpenAI",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(("id" = String, Path, description = "The model's name, which may have slashes")),
    responses((status = 200, description = "The model", body = ModelView))
)]
#[get("/v1/models/{id:.+}")]
async fn show_model(tenant: CurrentTenant<Chat>, id: PathId) -> Result<Json<ModelView>, ApiError> {
    let id: String = id.parse()?;
    let shown = tenant.run(Class::Store, move |app, scope| {
        let mut models = models(app, scope);
        models
            .find(|model| model.id == id)
            .ok_or_else(|| ApiError::new(Code::UnknownModel))
    });
    Ok(Json(shown.await?))
}

fn models(app: &App, scope: &TenantScope) -> impl Iterator<Item = ModelView> + use<> {
    // When a model was made is known to its provider alone.
    let created = scope.tenant().created_at.unix_seconds();
    let names = app.chat.models(scope).into_iter();
    names.map(move |id| ModelView {
        id,
        object: "model",
        created,
        owned_by: "tenantry",
    })
}

/// Models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelList)]
struct ModelListView {
    /// `list`.
    #[schema(example = "list")]
    object: &'static str,
    /// The models.
    data: Vec<ModelView>,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
struct ModelView {
    /// Its name.
    #[schema(example = "gpt-4o-mini")]
    id: String,
    /// `model`.
    #[schema(example = "model")]
    object: &'static str,
    /// When the tenant was made, in seconds of Unix time.
    created: i64,
    /// `tenantry`.
    #[schema(example = "tenantry")]
    owned_by: &'static str,
}

#[cfg(test)]
mod tests;
