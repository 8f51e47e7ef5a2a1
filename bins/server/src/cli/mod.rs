//! The command line: what `tenantry` does and how it answers.

mod args;
mod ask;
mod audit;
mod doctor;
mod extract;
mod failure;
mod health;
mod ingest;
mod input;
mod jobs;
mod key;
mod migrate;
mod quickstart;
mod reconcile;
mod reindex;
mod secrets;
mod serve;
mod sources;
mod tenant;
mod user;

use std::io::{self, Write};
use std::process::ExitCode;

pub use args::{
    AskArgs, AuditCommand, Cli, Command, CreateKey, CreateTenant, CreateUser, DoctorArgs, EraseTenant,
    ExportAudit, ExportTenant, ImportTenant, IngestArgs, JobsArgs, KeyCommand, MigrateArgs, NamedKey,
    NamedTenant, NamedUser, NotedEnd, OfTenant, ParseNotedEndError, QuickstartArgs, ReconcileArgs,
    ReindexArgs, RotateArgs, SecretsCommand, ServeArgs, TenantCommand, UserCommand, UserRole, VerifyAudit,
    VerifyReceipt, WhichTenants,
};
pub use failure::Failure;
use failure::{guard_failure, start_failure};

use crate::config::{Config, EnvFile, Environment, LogSettings};
use crate::logging::{self, chain};
use crate::startup::{self, Migrations, Platform};

/// Runs one command: 0 when it succeeded, 1 when it failed. A wrong command line is 2, which its parser says.
pub fn run(cli: Cli, environment: Environment) -> ExitCode {
    match dispatch(cli, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: Cli, environment: Environment) -> Result<(), Failure> {
    if matches!(cli.command, Some(Command::Extract)) {
        return extract::run();
    }
    let env = match &cli.env_file {
        Some(path) => environment.with_file(EnvFile::read(path)?),
        None => environment,
    };
    let out = &mut io::stdout().lock();
    match cli.command.unwrap_or(Command::Serve(ServeArgs::default())) {
        Command::Serve(args) => serve::run(&env, &args),
        Command::Migrate(args) => migrate::run(&env, &args, out),
        Command::Quickstart(args) => quickstart::run(&env, &args, out),
        Command::User(command) => user::run(&env, command, out),
        Command::Tenant(command) => tenant::run(&env, command, out),
        Command::Key(command) => key::run(&env, &command, out),
        Command::Ingest(args) => ingest::run(&env, &args, out),
        Command::Jobs(args) => jobs::run(&env, &args, out),
        Command::Reconcile(args) => reconcile::run(&env, &args, out),
        Command::Reindex(args) => reindex::run(&env, &args, out),
        Command::Ask(args) => ask::run(&env, &args, out),
        Command::Audit(command) => audit::run(&env, command, out),
        Command::Secrets(command) => secrets::run(&env, &command, out),
        Command::Doctor(args) => doctor::run(&env, &args, out),
        Command::Health => health::run(&env, out),
        Command::Extract => extract::run(),
    }
}

/// The use cases for a command that ends when it is done: warnings alone are logged, and nothing is migrated.
fn open(env: &Environment) -> Result<Platform, Failure> {
    let config = Config::from_lookup(|name| env.get(name))?;
    log_quietly(env, &config.settings.log)?;
    startup::start(config, Migrations::Refuse).map_err(start_failure)
}

/// Logs warnings on standard error, or what `RUST_LOG` asks for.
fn log_quietly(env: &Environment, log: &LogSettings) -> Result<(), Failure> {
    let filter = if env.get("RUST_LOG").is_some() {
        log.filter.as_str()
    } else {
        "warn"
    };
    Ok(logging::init(log.format, filter)?)
}

/// One line of a list of names and values.
fn field(out: &mut dyn Write, name: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "{:<22} {value}", format!("{name}:"))
}
