//! What surrounds every answer: its request id, its shape when it is an error, its security headers, its log line.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use crate::error::{ApiError, Code, Dialect};
use crate::extract::{LoggedTenant, RequestId};
use crate::http::unread::Unread;

/// What tells `OpenAI`'s clients whether to try again, whatever the status.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What is known of a request before it is routed.
#[derive(Clone)]
struct Arrival {
    id: RequestId,
    method: Method,
    dialect: Dialect,
    preflight: bool,
    at: Instant,
}

/// Names the request, has it answered, and gives the answer its shape and headers.
pub(super) async fn frame<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let arrival = Arrival {
        id: RequestId::of(&request),
        method: request.method().clone(),
        dialect: Dialect::of(request.match_info().as_str()),
        preflight: request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        at: Instant::now(),
    };
    request.extensions_mut().insert(arrival.id.clone());
    normalize(&mut request);
    let unread = Unread::keep(&mut request);
    match next.call(request).await {
        Ok(answer) => {
            let (request, response) = answer.map_into_boxed_body().into_parts();
            let response = arrival.settle(response, &request);
            Ok(ServiceResponse::new(request, unread.until_sent(response)))
        }
        // Only a panic comes this way. The request is lost with it.
        Err(mut error) => {
            if let Some(error) = error.as_error::<ApiError>() {
                error.report(arrival.id.as_str(), None);
            }
            let status = error.as_response_error().status_code();
            arrival.log("-", status, None);
            error.add_response_mapper(move |response| arrival.dress(arrival.shape(response)));
            Err(error)
        }
    }
}

/// Answers `HEAD` as `GET`, whose body is then not sent, and an address with one slash at its end as that without.
fn normalize(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    if let Some(uri) = without_slash(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri
        .path()
        .strip_suffix('/')
        .filter(|path| !path.is_empty() && !path.ends_with('/'))?;
    let shorter = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(shorter).ok()?);
    Uri::from_parts(parts).ok()
}

impl Arrival {
    fn settle(&self, response: HttpResponse, request: &HttpRequest) -> HttpResponse {
        let extensions = request.extensions();
        let tenant = extensions.get::<LoggedTenant>().map(|tenant| tenant.0.as_str());
        if let Some(error) = response.error().and_then(Error::as_error::<ApiError>) {
            error.report(self.id.as_str(), tenant);
        }
        let pattern = request.match_pattern();
        let response = self.shape(response);
        self.log(pattern.as_deref().unwrap_or("-"), response.status(), tenant);
        self.dress(response)
    }

    /// Gives an error answer our body, with the request's id, also one that the framework made.
    fn shape(&self, mut response: HttpResponse) -> HttpResponse {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return response;
        }
        let made = ApiError::new(self.code(status));
        let error = response.error().and_then(Error::as_error::<ApiError>);
        let told = self.dialect.tell(error.unwrap_or(&made), self.id.as_str());
        *response.status_mut() = told.status;
        let json = HeaderValue::from_static("application/json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, json);
        if told.is_lasting {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        response.set_body(BoxBody::new(told.body))
    }

    fn code(&self, status: StatusCode) -> Code {
        if self.preflight && self.method == Method::OPTIONS && status == StatusCode::BAD_REQUEST {
            Code::OriginNotAllowed
        } else {
            Code::of_status(status)
        }
    }

    fn dress(&self, mut response: HttpResponse) -> HttpResponse {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
            let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
            headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
        }
        if let Ok(id) = HeaderValue::from_str(self.id.as_str()) {
            headers.insert(RequestId::HEADER, id);
        }
        response
    }

    fn log(&self, route: &str, status: StatusCode, tenant: Option<&str>) {
        let (method, id, tenant) = (&self.method, &self.id, tenant.unwrap_or("-"));
        let ms = self.at.elapsed().as_secs_f64() * 1_000.0;
        let status = status.as_u16();
        log::info!(target: "tenantry::access", "{method} {route} {status} {ms:.1}ms request_id={id} tenant={tenant}");
    }
}
