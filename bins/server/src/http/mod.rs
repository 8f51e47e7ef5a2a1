//! The HTTP side: one stack of middleware around one set of routes, the same for the server and the tests.

mod cors;
mod fallback;
mod frame;
mod openapi;
mod panics;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unread;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as WebApp, Error};
use utoipa_actix_web::service_config::ServiceConfig as DocumentedConfig;

pub use crate::limits::HttpSettings;
use crate::offload::Offload;
use crate::routes::{self, OpenApiJson};

/// The routes with everything that they need; clones share it, one for each worker.
pub fn service(
    offload: &Offload,
    settings: &HttpSettings,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync + use<> {
    let offload = Data::new(offload.clone());
    let settings = Data::new(settings.clone());
    let document = openapi::document();
    let methods = Data::new(fallback::Methods::of(&document));
    let document = Data::new(OpenApiJson::new(&document));
    move |config| {
        config
            .app_data(offload.clone())
            .app_data(settings.clone())
            .app_data(methods.clone())
            .app_data(document.clone())
            .default_service(web::to(fallback::answer));
        routes::configure(&mut DocumentedConfig::new(config));
    }
}

/// The whole application for one worker.
///
/// From the outside in: the frame, which names, logs and shapes every answer and gives none itself; CORS, so that every
/// answer carries its headers; the catch for panics; the routes.
pub fn app<S: Fn(&mut ServiceConfig)>(
    service: S,
    settings: &HttpSettings,
) -> WebApp<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<S>,
> {
    WebApp::new()
        .configure(service)
        .wrap(from_fn(panics::catch))
        .wrap(cors::cors(&settings.cors_origins))
        .wrap(from_fn(frame::frame))
}
