use actix_cors::Cors;
use actix_web::http::{Method, header};

/// How long a browser may keep a preflight's answer, in seconds.
const MAX_AGE: usize = 600;

/// Lets pages of exactly these origins read answers. There are no cookies, so credentials are not allowed for.
pub(super) fn cors(origins: &[String]) -> Cors {
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
    ];
    let cors = Cors::default()
        .allowed_methods(methods)
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .allowed_header("x-request-id")
        .expose_headers(["x-request-id", "retry-after", "allow", "location"])
        .max_age(MAX_AGE);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
