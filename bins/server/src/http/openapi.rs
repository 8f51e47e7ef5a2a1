//! The description of the API, collected from the handlers.

use actix_web::App;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{
    Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

use crate::error::ErrorBody;
use crate::routes;

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
    components
        .schemas
        .insert(ErrorBody::name().into_owned(), ErrorBody::schema());
    let mut nested = Vec::new();
    ErrorBody::schemas(&mut nested);
    components.schemas.extend(nested);
    let token = Flow::Password(Password::new("/token", Scopes::new()));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([token])));
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    document
}

/// What operations have in common: two ways to a token, and failures in the one shape.
fn complete(operation: &mut Operation) {
    if let Some(ways) = &mut operation.security {
        ways.push(SecurityRequirement::new("password", [""; 0]));
    }
    for (status, description) in failures(operation) {
        let schema = Ref::from_schema_name(ErrorBody::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content);
        let responses = &mut operation.responses.responses;
        responses.insert(status.to_owned(), response.build().into());
    }
}

/// The failures that an operation of this kind has, by their status; `default` stands for all others.
fn failures(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let parameters = operation.parameters.iter().flatten();
    let named = parameters.clone().any(|one| is_in(one, &ParameterIn::Path));
    let has_query = parameters.clone().any(|one| is_in(one, &ParameterIn::Query));
    let has_body = operation.request_body.is_some();
    let mut failures = vec![("default", "What went wrong")];
    if operation.security.is_some() {
        failures.push(("401", "The token is missing or not valid any more"));
        failures.push(("403", "The caller may not do this"));
    }
    if named {
        failures.push(("404", "There is nothing of that id"));
    }
    if has_body {
        failures.push(("413", "The body is too large"));
        failures.push(("415", "The body is of another type"));
    }
    if has_body || has_query {
        failures.push(("422", "A value cannot be used"));
    }
    failures
}

fn is_in(parameter: &RefOr<Parameter>, place: &ParameterIn) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place)
}
