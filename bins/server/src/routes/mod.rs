//! One file for each resource: its shapes on the wire, its handlers, its tests.

mod audit;
mod chat;
mod conversations;
mod docs;
mod documents;
mod health;
mod identity_providers;
mod jobs;
mod keys;
mod page;
mod passwords;
mod prompts;
mod search;
mod sessions;
mod settings;
mod tenant_users;
mod tenants;
mod tokens;
mod usage;
mod users;
mod v1;
mod wire;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use audit::AuditEntryView;
pub(crate) use docs::OpenApiJson;

/// Registers every route; only what is documented can be registered here.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(health::configure)
        .configure(docs::configure)
        .configure(tokens::configure)
        .configure(sessions::configure)
        .configure(passwords::configure)
        .configure(users::configure)
        .configure(tenants::configure)
        .configure(settings::configure)
        .configure(tenant_users::configure)
        .configure(keys::configure)
        .configure(identity_providers::configure)
        .configure(prompts::configure)
        .configure(usage::configure)
        .configure(audit::configure)
        .configure(documents::configure)
        .configure(jobs::configure)
        .configure(search::configure)
        .configure(chat::configure)
        .configure(v1::configure)
        .configure(conversations::configure);
}
