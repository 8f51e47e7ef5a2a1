//! Tenantry at work with nothing set up: two tenants, the same question, two answers.

mod fill;
mod folder;
mod report;
mod samples;

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tenantry_retrieval::{Asker, Question, Superuser};

use super::{Failure, QuickstartArgs, guard_failure, start_failure};
use crate::app::App;
use crate::config::variables::MODEL_DIR;
use crate::config::{Config, Environment};
use crate::startup::{self, Migrations, check_embeddings};
use crate::{logging, serve};
use folder::Folder;
use samples::{QUESTION, SAMPLES};

/// How many ports are tried when the first is taken.
const PORTS: u16 = 50;

/// Sets up the two tenants or finds them again, asks them the question, and serves.
///
/// The folder's file alone configures it, whatever the environment holds, so that it never calls a model or touches a
/// database that was meant for something else.
pub(super) fn run(env: &Environment, args: &QuickstartArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let folder = Folder::open(&args.dir)?;
    // Where the image keeps its model is no setting of anybody's.
    let model_dir = env.get(MODEL_DIR.name);
    let config = Config::from_lookup(|name| match name {
        _ if name == MODEL_DIR.name => model_dir.clone(),
        _ => folder.variable(name),
    })?;
    let filter = env.get("RUST_LOG").filter(|filter| !filter.is_empty());
    logging::init(config.settings.log.format, filter.as_deref().unwrap_or("warn"))?;
    writeln!(
        out,
        "{} {}",
        if folder.is_fresh() {
            "Setting up"
        } else {
            "Resuming"
        },
        folder.path().display()
    )?;
    let platform = startup::start(config, Migrations::Apply).map_err(start_failure)?;
    check_embeddings(platform.store.as_ref(), &platform.embedders, None).map_err(guard_failure)?;
    report::search(&platform.embedders, out)?;
    fill::fill(&platform, &folder, out)?;
    compare(&platform.app, out)?;
    if args.once {
        report::accounts(&folder, out)?;
        return Ok(writeln!(out, "\nRun the same command without --once to serve.")?);
    }
    let listener = bind(args.port)?;
    let address = listener.local_addr()?;
    if address.port() != args.port {
        writeln!(
            out,
            "\nPort {} is taken, so it is port {}.",
            args.port,
            address.port()
        )?;
    }
    report::accounts(&folder, out)?;
    report::calls(&folder, address, out)?;
    out.flush()?;
    Ok(serve::run(&platform, listener)?)
}

/// Asks both tenants the same question.
fn compare(app: &App, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "\nThe question to both: {QUESTION}")?;
    for sample in &SAMPLES {
        let scope = app
            .resolver
            .operator_scope(&Superuser::operator(), &sample.id()?)?;
        let answer = app
            .chat
            .answer(&scope, &Asker::operator(), Question::alone(QUESTION))?;
        report::answer(sample, &answer, out)?;
    }
    Ok(())
}

/// Listens on this machine alone, at the first free port.
fn bind(first: u16) -> Result<TcpListener, Failure> {
    let mut port = first;
    loop {
        match serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            Err(error)
                if error.source.kind() == ErrorKind::AddrInUse && port < first.saturating_add(PORTS) =>
            {
                port += 1;
            }
            bound => return Ok(bound?),
        }
    }
}
