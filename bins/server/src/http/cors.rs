use actix_cors::Cors;
use actix_web::http::{Method, header};

/// What `OpenAI`'s JavaScript client sends with every request, also from a page. None of it is read.
const OPENAI_CLIENT: &[&str] = &[
    "openai-organization",
    "openai-project",
    "x-stainless-arch",
    "x-stainless-helper-method",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "x-stainless-timeout",
];

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
        .allowed_headers(OPENAI_CLIENT.iter().copied())
        .expose_headers([
            "x-request-id",
            "retry-after",
            "x-should-retry",
            "allow",
            "location",
        ])
        .max_age(MAX_AGE);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
