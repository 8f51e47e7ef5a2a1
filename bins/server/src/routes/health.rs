use actix_web::get;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::{ApiError, Code};
use crate::offload::{Class, Offload};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(healthz).service(readyz);
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process answers; it asks nothing else.
#[utoipa::path(
    tag = "Service",
    extensions(("x-tenantry-access" = json!("public"))),
    responses((status = 200, description = "It is well", body = Health))
)]
#[get("/healthz")]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the server can serve: the database answers and has this version's tables.
#[utoipa::path(
    tag = "Service",
    extensions(("x-tenantry-access" = json!("public"))),
    responses((status = 200, description = "It is well", body = Health))
)]
#[get("/readyz")]
async fn readyz(bridge: Data<Offload>) -> Result<Json<Health>, ApiError> {
    let ready = bridge.run(Class::Store, |app| app.readiness.check()).await?;
    ready.map_err(|error| ApiError::new(Code::NotReady).because(error))?;
    Ok(Json(Health { status: "ok" }))
}

#[cfg(test)]
mod tests {
    use crate::http::testing::{Server, get};

    #[actix_web::test]
    async fn health_asks_nothing_and_readiness_asks_the_store() {
        let server = Server::new().await;
        server.fail_store();
        assert_eq!(server.call(get("/healthz")).await.status, 200);
        let answer = server.call(get("/readyz")).await;
        answer.is(503, "not_ready");
        assert!(answer.header("retry-after").is_some());
        assert!(!answer.text().contains("scripted"), "{}", answer.text());
        server.heal_store();
        assert_eq!(server.call(get("/readyz")).await.status, 200);
    }
}
