use actix_web::http::header;
use actix_web::web::{Bytes, Data, Json, ReqData};
use actix_web::{Either, HttpRequest, HttpResponse, post};
use tenantry_domain::TenantScope;
use tenantry_retrieval::{AnswerEvent, Answers};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Body, CurrentTenant, RequestId};
use crate::limits::HttpSettings;
use crate::offload::Class;
use crate::sse::{Outlet, event, respond};

mod wire;

use wire::{AnswerView, DeltaView, DoneView, Question, SourcesView};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(chat);
}

/// Answers a question from the tenant's documents, as JSON or, when asked for, as a stream of events.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    request_body = Question,
    responses((status = 200, description = "The answer", content(
        (AnswerView = "application/json"),
        (String = "text/event-stream")
    )))
)]
#[post("/chat")]
async fn chat(
    tenant: CurrentTenant,
    request: HttpRequest,
    settings: Data<HttpSettings>,
    id: ReqData<RequestId>,
    body: Body<Question>,
) -> Result<Either<Json<AnswerView>, HttpResponse>, ApiError> {
    let Question { message, stream } = body.0;
    if stream.unwrap_or_else(|| accepts_events(&request)) {
        let work = move |app: &App, scope: &TenantScope, outlet: &mut Outlet| {
            answer_in(outlet, app, scope, &message)
        };
        return respond(tenant, &settings, &id, work).await.map(Either::Right);
    }
    let answer = tenant.run(Class::Upstream, move |app, scope| {
        app.answers.answer(scope, &message)
    });
    Ok(Either::Left(Json(answer.await?.into())))
}

/// Sends the answer as it comes, and gives the event that ends it.
fn answer_in(outlet: &mut Outlet, app: &App, scope: &TenantScope, message: &str) -> Result<Bytes, ApiError> {
    Answers::check(message)?;
    outlet.open();
    let cancellation = outlet.cancellation().clone();
    let answer = app.answers.stream(scope, message, &cancellation, &mut |part| {
        outlet.send(part_event(part))
    })?;
    Ok(event("done", &DoneView::from(answer)))
}

fn part_event(part: AnswerEvent<'_>) -> Bytes {
    match part {
        AnswerEvent::Sources(sources) => event("sources", &SourcesView::from(sources)),
        AnswerEvent::Delta(text) => event("delta", &DeltaView { text }),
    }
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
