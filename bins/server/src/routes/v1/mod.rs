//! The API of `OpenAI`, as far as it answers questions: with a tenant's knowledge, without knowing of it.

mod completions;
mod models;
#[cfg(test)]
mod testing;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(completions::configure)
        .configure(models::configure);
}
