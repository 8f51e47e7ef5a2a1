use actix_web::web::Json;
use actix_web::{HttpResponse, delete, get};
use serde::Serialize;
use tenantry_domain::{Paged, Session, SessionId};
use tenantry_retrieval::WhichSession;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{CurrentUser, PathId};
use crate::offload::Class;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_sessions).service(end_session);
}

/// A log-in that has not ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    /// The session's id.
    id: String,
    /// Whether this request's token is of it.
    current: bool,
    /// How the user logged in: `password` or `identity`.
    #[schema(example = "password")]
    method: &'static str,
    /// What the program calls itself, as it logged in.
    client: Option<String>,
    /// The address that it logged in from.
    address: Option<String>,
    /// When the user logged in.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last got an access token.
    #[schema(format = DateTime)]
    used_at: String,
    /// When it ends at the latest.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl SessionView {
    fn new(session: Session, current: Option<SessionId>) -> Self {
        Self {
            current: current == Some(session.id),
            id: session.id.to_string(),
            method: session.method.as_str(),
            client: session.client,
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at.to_string(),
            used_at: session.used_at.to_string(),
            expires_at: session.expires_at.to_string(),
        }
    }
}

/// Lists the caller's live sessions, the most recently used first.
#[utoipa::path(
    tag = "Accounts",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("user"))),
    responses((status = 200, description = "The sessions", body = Listing<SessionView>))
)]
#[get("/sessions")]
async fn list_sessions(caller: CurrentUser) -> Result<Json<Listing<SessionView>>, ApiError> {
    let sessions = caller.run(Class::Store, |app, holder| {
        let sessions = app.sessions.list(holder)?;
        Ok::<_, ApiError>((sessions, holder.session()))
    });
    let (items, current) = sessions.await?;
    let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
    Ok(Json(Listing::of(Paged { items, total }, |session| {
        SessionView::new(session, current)
    })))
}

/// Ends one of the caller's sessions; `current` names the one that the request's token is of.
#[utoipa::path(
    tag = "Accounts",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("user"))),
    params(("id" = String, Path, description = "The session's id, or `current`")),
    responses((status = 204, description = "It has ended"))
)]
#[delete("/sessions/{id}")]
async fn end_session(caller: CurrentUser, id: PathId) -> Result<HttpResponse, ApiError> {
    let ended = caller.run(Class::Store, move |app, holder| {
        let which = match id.as_str() {
            "current" => WhichSession::Current,
            _ => WhichSession::Id(id.parse()?),
        };
        Ok::<_, ApiError>(app.sessions.end(holder, which)?)
    });
    if ended.await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::not_found())
    }
}

#[cfg(test)]
mod tests;
