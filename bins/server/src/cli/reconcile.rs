use std::io::Write;

use tenantry_domain::TenantScope;
use tenantry_retrieval::{Differences, IndexDifferences};

use super::ask::scope;
use super::{Failure, ReconcileArgs, chain, open, tenant};
use crate::config::Environment;
use crate::startup::Platform;

/// Compares indexes with the records, and makes them equal where that is asked for; fails when differences are left.
pub(super) fn run(env: &Environment, args: &ReconcileArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let platform = open(env)?;
    let scopes = match &args.which.tenant {
        Some(id) => vec![scope(&platform.app, id)?],
        None => tenant::own_scopes(&platform.app)?,
    };
    let mut equal = true;
    for scope in &scopes {
        // One tenant's fault is no reason to leave out the others.
        equal &= match reconcile(&platform, scope, args.repair, out) {
            Ok(equal) => equal,
            Err(failure) if args.which.tenant.is_some() => return Err(failure),
            Err(failure) => {
                writeln!(out, "{}: {}", scope.id(), failure.message())?;
                false
            }
        };
    }
    if equal { Ok(()) } else { Err(Failure::told()) }
}

fn reconcile(
    platform: &Platform,
    scope: &TenantScope,
    repair: bool,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    let found = platform
        .reconciler
        .compare(scope)
        .map_err(|error| Failure::new(chain(&error)))?;
    report(scope, &found, out)?;
    if !repair {
        return Ok(found.is_none());
    }
    let bar = super::reindex::bar();
    let repaired = platform.reconciler.repair(scope, &mut |progress| {
        super::reindex::show(&bar, progress);
    });
    bar.finish_and_clear();
    let repaired = repaired.map_err(|error| Failure::new(chain(&error)))?;
    if repaired.passes > 0 || repaired.abandoned_files > 0 {
        writeln!(
            out,
            "{}: repaired: {} versions written, {} documents cleaned, {} abandoned files removed",
            scope.id(),
            repaired.written,
            repaired.cleaned,
            repaired.abandoned_files
        )?;
    }
    if !repaired.left.is_none() {
        report(scope, &repaired.left, out)?;
    }
    Ok(repaired.left.is_none())
}

fn report(scope: &TenantScope, differences: &Differences, out: &mut dyn Write) -> Result<(), Failure> {
    for found in &differences.indexes {
        let IndexDifferences {
            index,
            documents,
            chunks,
            missing,
            partial,
            orphans,
            busy,
        } = found;
        let (tenant, generation, state) = (scope.id(), index.generation, index.state.as_str());
        write!(
            out,
            "{tenant}: index {generation} ({state}): {documents} documents, {chunks} chunks: "
        )?;
        if found.total() == 0 {
            write!(out, "no difference")?;
        } else {
            let (missing, partial, orphans) = (missing.len(), partial.len(), orphans.len());
            write!(out, "{missing} missing, {partial} partial, {orphans} orphaned")?;
        }
        if *busy > 0 {
            write!(out, ", {busy} being worked on")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
