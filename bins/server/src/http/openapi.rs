//! The description of the API, collected from the handlers.

use actix_web::App;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{
    Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

use crate::error::{Dialect, ErrorBody, OpenAiErrorBody};
use crate::routes;

/// What goes after `Bearer`.
const BEARER: &str = "An access token of `/token` or `/login`, an API key of a tenant (`tnk_...`), or a token of a tenant's identity provider";

/// The description of every route that [`routes::configure`] registers.
pub(super) fn document() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .configure(routes::configure)
        .split_for_parts();
    document.info = InfoBuilder::new()
        .title("Tenantry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(env!("CARGO_PKG_DESCRIPTION")))
        .build();
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![
        (ErrorBody::name().into_owned(), ErrorBody::schema()),
        (OpenAiErrorBody::name().into_owned(), OpenAiErrorBody::schema()),
    ];
    ErrorBody::schemas(&mut schemas);
    OpenAiErrorBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let token = Flow::Password(Password::new("/token", Scopes::new()));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(BEARER))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([token])));
    for (path, item) in &mut document.paths.paths {
        let dialect = Dialect::of(path);
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        operations
            .into_iter()
            .flatten()
            .for_each(|operation| complete(operation, dialect));
    }
    document
}

/// What operations have in common: two ways to a token, and failures in the one shape.
fn complete(operation: &mut Operation, dialect: Dialect) {
    if let Some(ways) = &mut operation.security {
        ways.push(SecurityRequirement::new("password", [""; 0]));
    }
    for (status, description) in failures(operation, dialect) {
        let schema = Ref::from_schema_name(dialect.schema_name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content);
        let responses = &mut operation.responses.responses;
        responses.insert(status, response.build().into());
    }
}

/// The failures that an operation of this kind has, by their status; `default` stands for all others.
fn failures(operation: &Operation, dialect: Dialect) -> Vec<(String, &'static str)> {
    let parameters = operation.parameters.iter().flatten();
    let named = parameters.clone().any(|one| is_in(one, &ParameterIn::Path));
    let has_query = parameters.clone().any(|one| is_in(one, &ParameterIn::Query));
    let has_body = operation.request_body.is_some();
    let mut failures = vec![("default".to_owned(), "What went wrong")];
    if operation.security.is_some() {
        failures.push(("401".to_owned(), "The token is missing or not valid any more"));
        failures.push(("403".to_owned(), "The caller may not do this"));
    }
    if named {
        failures.push(("404".to_owned(), "There is nothing of that id"));
    }
    if has_body {
        failures.push(("413".to_owned(), "The body is too large"));
        failures.push(("415".to_owned(), "The body is of another type"));
    }
    if has_body || has_query {
        failures.push((dialect.invalid().as_str().to_owned(), "A value cannot be used"));
    }
    failures
}

fn is_in(parameter: &RefOr<Parameter>, place: &ParameterIn) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place)
}
