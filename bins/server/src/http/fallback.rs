//! What no route takes: an unknown address, or a known one with a method that it does not have.

use actix_web::dev::ResourceDef;
use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use crate::error::{ApiError, allow};

/// The methods of every address, as the document tells them.
pub(super) struct Methods(Vec<(ResourceDef, Vec<Method>)>);

impl Methods {
    pub(super) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(
            paths
                .map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item)))
                .collect(),
        )
    }

    /// The methods of the address of that path; `None` when there is none.
    fn at(&self, path: &str) -> Option<&[Method]> {
        let found = self.0.iter().find(|(address, _)| address.is_match(path));
        found.map(|(_, methods)| methods.as_slice())
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    let documented = [
        (&item.get, [Method::GET, Method::HEAD].as_slice()),
        (&item.post, &[Method::POST]),
        (&item.put, &[Method::PUT]),
        (&item.delete, &[Method::DELETE]),
    ];
    let taken = documented
        .into_iter()
        .filter(|(operation, _)| operation.is_some());
    taken
        .flat_map(|(_, methods)| methods.iter().cloned())
        .chain([Method::OPTIONS])
        .collect()
}

/// Says which methods an address has, or that there is nothing at it.
pub(super) async fn answer(request: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse, ApiError> {
    let allowed = methods
        .at(request.match_info().as_str())
        .map(allow)
        .ok_or_else(ApiError::not_found)?;
    if request.method() == Method::OPTIONS {
        let answer = HttpResponse::NoContent()
            .insert_header((header::ALLOW, allowed))
            .finish();
        Ok(answer)
    } else {
        Err(ApiError::method_not_allowed(allowed))
    }
}
