use super::{Failure, ServeArgs, start_failure};
use crate::config::{Config, Environment};
use crate::startup::{self, Migrations};
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
    let listener = serve::bind(platform.settings.address)?;
    Ok(serve::run(platform.app, &platform.settings, listener)?)
}
