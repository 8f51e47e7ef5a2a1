use actix_web::web::Json;
use actix_web::{Either, HttpResponse, post};
use serde_json::{Map, Value};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::ApiError;
use crate::extract::Body;
use crate::routes::chat::turn::ChatTurn;
use crate::turn::Answering;

mod events;
mod messages;
mod request;
mod wire;

use events::CompletionEvents;
use request::CompletionRequest;
use wire::{CompletionView, Head};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(create_completion);
}

/// Answers the last message of a conversation that the client keeps, from the documents of its tenant, in one piece or as a stream
/// of chunks. Nothing is kept of it but its usage.
#[utoipa::path(
    tag = "OpenAI",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    request_body = CompletionRequest,
    responses((status = 200, description = "The answer", content(
        (CompletionView = "application/json"),
        (String = "text/event-stream")
    )))
)]
#[post("/v1/chat/completions")]
async fn create_completion(
    answering: Answering,
    body: Body<Map<String, Value>>,
) -> Result<Either<Json<CompletionView>, HttpResponse>, ApiError> {
    let request = CompletionRequest::read(body.0)?;
    let (head, streams, counts) = (Head::new(), request.is_streamed(), request.wants_usage());
    let turn = ChatTurn::new(|tenant| request.into_question(tenant));
    if streams {
        let events = CompletionEvents::new(head, counts);
        return answering.stream(turn, events).await.map(Either::Right);
    }
    let answer = answering.answer(turn).await?;
    Ok(Either::Left(Json(CompletionView::of(head, answer))))
}

#[cfg(test)]
mod tests;
