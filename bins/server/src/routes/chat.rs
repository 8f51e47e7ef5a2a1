use actix_web::http::header;
use actix_web::web::Json;
use actix_web::{Either, HttpRequest, HttpResponse, post};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::ApiError;
use crate::extract::Body;
use crate::turn::Answering;

mod events;
pub(super) mod turn;
mod wire;

use events::NativeEvents;
use turn::ChatTurn;
use wire::{AnswerView, QuestionBody};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(chat);
}

/// Answers a question from the tenant's documents, as JSON or, when asked for, as a stream of events. Question and answer are kept in
/// a conversation of the caller's.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("chat"))),
    request_body = QuestionBody,
    responses((status = 200, description = "The answer", content(
        (AnswerView = "application/json"),
        (String = "text/event-stream")
    )))
)]
#[post("/chat")]
async fn chat(
    answering: Answering,
    request: HttpRequest,
    body: Body<QuestionBody>,
) -> Result<Either<Json<AnswerView>, HttpResponse>, ApiError> {
    let question = body.0;
    let streams = question.stream.unwrap_or_else(|| accepts_events(&request));
    let turn = ChatTurn::new(|tenant| question.into_question(tenant));
    if streams {
        let events = NativeEvents::default();
        return answering.stream(turn, events).await.map(Either::Right);
    }
    Ok(Either::Left(Json(answering.answer(turn).await?.into())))
}

/// Whether the client asks for events and does not rule them out with a weight of zero (RFC 9110, section 12.5.1).
fn accepts_events(request: &HttpRequest) -> bool {
    let ranges = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|range| range.eq_ignore_ascii_case("text/event-stream"));
        named && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests;
