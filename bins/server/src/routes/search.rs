use actix_web::post;
use actix_web::web::{Json, ReqData};
use tenantry_retrieval::Reranking;
use utoipa_actix_web::service_config::ServiceConfig;

mod explanation;
mod wire;

use crate::error::ApiError;
use crate::extract::{Body, CurrentTenant, RequestId, Search};
use crate::offload::Class;
use wire::{SearchQuery, SearchResultView};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(search);
}

/// Finds passages in the tenant's documents.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("search"))),
    request_body = SearchQuery,
    responses((status = 200, description = "What was found", body = SearchResultView))
)]
#[post("/search")]
async fn search(
    tenant: CurrentTenant<Search>,
    id: ReqData<RequestId>,
    body: Body<SearchQuery>,
) -> Result<Json<SearchResultView>, ApiError> {
    let query = body.0;
    let found = tenant.run_own(Class::Upstream, move |app, scope, user| {
        let request = query.into_request(scope.tenant().search.fusion)?;
        Ok::<_, ApiError>(app.searcher.search_for(scope, user, &request)?)
    });
    let found = found.await?;
    if let Reranking::Failed(error) = &found.reranking {
        // The hits are good without it, so that it is no failure of the request.
        log::warn!("a search was not reranked: {error} request_id={id}", id = *id);
    }
    Ok(Json(found.into()))
}

#[cfg(test)]
mod tests;
