use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

use super::page::page;

/// The page.
const PAGE: &str = include_str!("docs.html");

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(openapi).service(docs);
}

/// The description as it is served.
pub(crate) struct OpenApiJson(Bytes);

impl OpenApiJson {
    pub(crate) fn new(document: &OpenApi) -> Self {
        Self(document.to_json().unwrap_or_default().into())
    }
}

/// This description.
#[utoipa::path(
    tag = "Service",
    extensions(("x-tenantry-access" = json!("public"))),
    operation_id = "openapi",
    responses((status = 200, description = "An OpenAPI document", body = Object))
)]
#[get("/openapi.json")]
async fn openapi(document: Data<OpenApiJson>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

/// This description as a page to read and to try.
#[utoipa::path(
    tag = "Service",
    extensions(("x-tenantry-access" = json!("public"))),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
#[get("/docs")]
async fn docs() -> HttpResponse {
    page(PAGE)
}

#[cfg(test)]
mod tests;
