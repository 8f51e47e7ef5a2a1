use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenantry_domain::{Index, TenantScope};
use tenantry_retrieval::{ReindexError, ReindexProgress, Reindexed, RepairProgress};

use super::ask::scope;
use super::{Failure, ReindexArgs, chain, open, tenant};
use crate::config::Environment;
use crate::startup::Platform;

/// Builds indexes anew by the model that each tenant wants, goes back to the ones before, or removes what is kept of them.
pub(super) fn run(env: &Environment, args: &ReindexArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let platform = open(env)?;
    let scopes = match &args.which.tenant {
        Some(id) => vec![scope(&platform.app, id)?],
        None => outdated(&platform)?,
    };
    if scopes.is_empty() {
        writeln!(
            out,
            "every index was built by the model that its tenant is set to"
        )?;
    }
    for scope in &scopes {
        reindex(&platform, scope, args, out)?;
    }
    Ok(())
}

/// The tenants whose live index is not of the model that they, or else the server, are set to.
fn outdated(platform: &Platform) -> Result<Vec<TenantScope>, Failure> {
    let mut scopes = Vec::new();
    for scope in tenant::own_scopes(&platform.app)? {
        let outdated = platform.reindexer.is_outdated(&scope);
        if outdated.map_err(|error| failure(&scope, &error))? {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

fn reindex(
    platform: &Platform,
    scope: &TenantScope,
    args: &ReindexArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (reindexer, tenant) = (&platform.reindexer, scope.id());
    if args.abandon {
        let was_there = reindexer.abandon(scope).map_err(|error| failure(scope, &error))?;
        let told = if was_there {
            "the unfinished index was removed"
        } else {
            "no index is being built"
        };
        return Ok(writeln!(out, "{tenant}: {told}")?);
    }
    if args.forget {
        let removed = reindexer
            .drop_retired(scope)
            .map_err(|error| failure(scope, &error))?;
        return Ok(writeln!(out, "{tenant}: earlier indexes removed: {removed}")?);
    }
    let bar = bar();
    let on_progress = &mut |progress: ReindexProgress| show(&bar, progress.repair);
    let switched = if args.back {
        reindexer.back(scope, on_progress)
    } else {
        reindexer.build(scope, on_progress)
    };
    bar.finish_and_clear();
    let Reindexed {
        live,
        retired,
        written,
    } = switched.map_err(|error| failure(scope, &error))?;
    writeln!(
        out,
        "{tenant}: {} is searched now, {written} documents were written; {} is kept, `tenantry reindex --tenant {tenant} --back` \
         goes back to it",
        named(&live),
        named(&retired)
    )?;
    Ok(())
}

fn failure(scope: &TenantScope, error: &ReindexError) -> Failure {
    let failure = Failure::new(format!("{}: {}", scope.id(), chain(error)));
    match error {
        ReindexError::OtherBuilding(_) => failure.hint(format!(
            "`tenantry reindex --tenant {} --abandon` removes what was built of it",
            scope.id()
        )),
        ReindexError::UnknownModel(_) => failure.hint(
            "configure the model (OPENAI_EMBEDDING_MODEL_PREVIOUS takes further ones), or name another in the tenant's \
             `chat.embedding_model`",
        ),
        _ => {
            failure.hint("the same command goes on where this one stopped; answers come from the live index")
        }
    }
}

fn named(index: &Index) -> String {
    match &index.model {
        Some(model) => format!("index {} ({model})", index.generation),
        None => format!("index {} (words alone)", index.generation),
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} documents") {
        bar.set_style(style);
    }
    bar
}

pub(super) fn show(bar: &ProgressBar, progress: RepairProgress) {
    bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
    bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
}
