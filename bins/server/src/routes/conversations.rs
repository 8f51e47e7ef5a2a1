use actix_web::http::header;
use actix_web::web::Json;
use actix_web::{HttpResponse, delete, get, post, put};
use tenantry_domain::ConversationId;
use utoipa_actix_web::service_config::ServiceConfig;

mod wire;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{Body, Chat, CurrentTenant, PageParams, Params, PathId};
use crate::offload::Class;
use wire::{ConversationChange, ConversationView, MessageView, NewConversation};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_conversation)
        .service(list_conversations)
        .service(show_conversation)
        .service(list_messages)
        .service(update_conversation)
        .service(remove_conversation);
}

/// Begins a conversation without messages, which questions may go on with.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    request_body = NewConversation,
    responses((status = 201, description = "The conversation", body = ConversationView))
)]
#[post("/conversations")]
async fn create_conversation(
    tenant: CurrentTenant<Chat>,
    body: Body<NewConversation>,
) -> Result<HttpResponse, ApiError> {
    let created = tenant.run_own(Class::Store, move |app, scope, owner| {
        app.conversations.create(scope, owner, body.0.title.as_deref())
    });
    let created = created.await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/conversations/{}", created.id)))
        .json(ConversationView::from(created)))
}

/// Lists the caller's own conversations, the one with the latest change first.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(PageParams),
    responses((status = 200, description = "A page of the conversations", body = Listing<ConversationView>))
)]
#[get("/conversations")]
async fn list_conversations(
    tenant: CurrentTenant<Chat>,
    params: Params<PageParams>,
) -> Result<Json<Listing<ConversationView>>, ApiError> {
    let page = params.0.page()?;
    let listed = tenant.run_own(Class::Store, move |app, scope, owner| {
        app.conversations.list(scope, owner, page)
    });
    Ok(Json(Listing::of(listed.await?, ConversationView::from)))
}

/// Shows a conversation of the caller's.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(("id" = String, Path, description = "The conversation's id")),
    responses((status = 200, description = "The conversation", body = ConversationView))
)]
#[get("/conversations/{id}")]
async fn show_conversation(
    tenant: CurrentTenant<Chat>,
    id: PathId,
) -> Result<Json<ConversationView>, ApiError> {
    let shown = tenant.run_own(Class::Store, move |app, scope, owner| {
        let shown = app.conversations.show(scope, owner, id.parse()?)?;
        shown.ok_or_else(ApiError::not_found)
    });
    Ok(Json(shown.await?.into()))
}

/// Lists the messages of a conversation of the caller's, the first first.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(("id" = String, Path, description = "The conversation's id"), PageParams),
    responses((status = 200, description = "A page of the messages", body = Listing<MessageView>))
)]
#[get("/conversations/{id}/messages")]
async fn list_messages(
    tenant: CurrentTenant<Chat>,
    id: PathId,
    params: Params<PageParams>,
) -> Result<Json<Listing<MessageView>>, ApiError> {
    let page = params.0.page()?;
    let listed = tenant.run_own(Class::Store, move |app, scope, owner| {
        let listed = app.conversations.messages(scope, owner, id.parse()?, page)?;
        listed.ok_or_else(ApiError::not_found)
    });
    Ok(Json(Listing::of(listed.await?, MessageView::from)))
}

/// Renames a conversation of the caller's; what is left out stays.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(("id" = String, Path, description = "The conversation's id")),
    request_body = ConversationChange,
    responses((status = 200, description = "The conversation", body = ConversationView))
)]
#[put("/conversations/{id}")]
async fn update_conversation(
    tenant: CurrentTenant<Chat>,
    id: PathId,
    body: Body<ConversationChange>,
) -> Result<Json<ConversationView>, ApiError> {
    let changed = tenant.run_own(Class::Store, move |app, scope, owner| {
        let (id, conversations) = (id.parse::<ConversationId>()?, &app.conversations);
        let changed = match body.0.title {
            Some(title) => conversations.rename(scope, owner, id, &title)?,
            None => conversations.show(scope, owner, id)?,
        };
        changed.ok_or_else(ApiError::not_found)
    });
    Ok(Json(changed.await?.into()))
}

/// Removes a conversation of the caller's with all its messages.
#[utoipa::path(
    tag = "Conversations",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    params(("id" = String, Path, description = "The conversation's id")),
    responses((status = 204, description = "It is gone"))
)]
#[delete("/conversations/{id}")]
async fn remove_conversation(tenant: CurrentTenant<Chat>, id: PathId) -> Result<HttpResponse, ApiError> {
    let removed = tenant.run_own(Class::Store, move |app, scope, owner| {
        let removed = app.conversations.remove(scope, owner, id.parse()?)?;
        removed.then_some(()).ok_or_else(ApiError::not_found)
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
