use super::{Failure, ServeArgs, guard_failure, start_failure};
use crate::config::{Config, Environment};
use crate::startup::{self, Migrations, check_embeddings};
use crate::{logging, serve};

/// Serves until told to stop.
pub(super) fn run(env: &Environment, args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_lookup(|name| env.get(name)).map_err(|error| {
        Failure::from(error)
            .hint("docs/configuration.md lists every variable; `tenantry quickstart` needs none")
    })?;
    logging::init(config.settings.log.format, &config.settings.log.filter)?;
    log::info!("tenantry {} starts", env!("CARGO_PKG_VERSION"));
    let migrations = if args.no_migrate {
        Migrations::Refuse
    } else {
        Migrations::Apply
    };
    let platform = startup::start(config, migrations).map_err(start_failure)?;
    platform.settings.log_summary();
    match platform.embedders.current_model() {
        Some(model) => log::info!("embeddings: {model}"),
        None => log::warn!("embeddings: none, search goes by words alone"),
    }
    check_embeddings(platform.store.as_ref(), &platform.embedders, None).map_err(guard_failure)?;
    let listener = serve::bind(platform.settings.address)?;
    Ok(serve::run(&platform, listener)?)
}
