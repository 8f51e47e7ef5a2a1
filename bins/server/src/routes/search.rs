use actix_web::post;
use actix_web::web::Json;
use serde::{Deserialize, Serialize};
use tenantry_domain::TopK;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Passage;
use crate::error::ApiError;
use crate::extract::{Body, CurrentTenant};
use crate::offload::Class;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(search);
}

/// What to search for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"query": "how long can goods be returned?", "limit": 5}))]
struct SearchQuery {
    /// The words: 1 to 16,000 characters.
    query: String,
    /// How many passages at most: 1 to 100, else 10.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 100)]
    limit: u16,
}

fn ten() -> u16 {
    10
}

/// What was found, best first.
#[derive(Debug, Serialize, ToSchema)]
struct SearchResult {
    /// The passages.
    items: Vec<Passage>,
}

/// Finds passages in the tenant's documents.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    request_body = SearchQuery,
    responses((status = 200, description = "What was found", body = SearchResult))
)]
#[post("/search")]
async fn search(tenant: CurrentTenant, body: Body<SearchQuery>) -> Result<Json<SearchResult>, ApiError> {
    let SearchQuery { query, limit } = body.0;
    let limit = TopK::new(limit)?;
    let hits = tenant.run(Class::Upstream, move |app, scope| {
        app.searcher.search(scope, &query, limit)
    });
    let items = hits.await?.into_iter().map(Passage::from).collect();
    Ok(Json(SearchResult { items }))
}

#[cfg(test)]
mod tests;
