//! Looks at a deployment part by part, changes nothing, and says what to do.

mod embedding;
mod exposure;
mod files;
mod probe;
mod records;
mod report;
mod sealing;
mod upstreams;

use std::io::Write;
use std::sync::Arc;

use tenantry_domain::{Clock, SystemClock};
use tenantry_tenant_store::{DatabaseUrl, SqlStore};

use self::report::{Report, Verdict};
use super::{DoctorArgs, Failure, log_quietly};
use crate::config::{Config, ConfigError, Environment, database_settings};
use crate::startup::harden;

/// Checks the deployment that the environment describes.
pub(super) fn run(env: &Environment, args: &DoctorArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let mut report = Report::default();
    match Config::from_lookup(|name| env.get(name)) {
        Ok(config) => examine(env, args, config, &mut report)?,
        Err(error) => make_the_best_of(env, &error, &mut report),
    }
    report.write(args.json, out)?;
    if report.verdict() == Verdict::Problem {
        Err(Failure::told())
    } else {
        Ok(())
    }
}

fn examine(env: &Environment, args: &DoctorArgs, config: Config, report: &mut Report) -> Result<(), Failure> {
    let Config {
        secret_keys,
        settings,
    } = config;
    log_quietly(env, &settings.log)?;
    report.ok("configuration", "every variable can be used");
    exposure::check(env, &settings, report);
    files::check(env, &settings, report);
    // Keys lie open in the memory from here on.
    harden();
    let store = database(&settings.database, report);
    let keys = store
        .as_ref()
        .and_then(|store| sealing::check(store, secret_keys, env, report));
    upstreams::check(&settings, report);
    embedding::check(&settings, store.as_deref(), report);
    if let Some(store) = &store {
        upstreams::check_pinecone(env, store.as_ref(), report)?;
    }
    if let (true, Some(store), Some(keys)) = (args.tenants, &store, &keys) {
        upstreams::check_tenants(&settings, store.as_ref(), keys.as_ref(), report)?;
    }
    Ok(())
}

/// Without a configuration, all that is wrong with it, and what its database alone shows.
fn make_the_best_of(env: &Environment, error: &ConfigError, report: &mut Report) {
    for problem in error.problems() {
        report.problem(
            "configuration",
            format_args!("{} {}", problem.variable, problem.reason),
            format_args!(
                "expected {}; docs/configuration.md lists every variable",
                problem.expected
            ),
        );
    }
    if let Ok((url, _)) = database_settings(|name| env.get(name)) {
        database(&url, report);
    }
}

fn database(url: &DatabaseUrl, report: &mut Report) -> Option<Arc<SqlStore>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    records::check(url, clock.as_ref(), report)
}
