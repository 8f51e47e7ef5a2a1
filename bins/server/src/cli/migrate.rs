use std::io::Write;

use tenantry_tenant_store::{MigrateError, SqlStore};

use super::{Failure, MigrateArgs, log_quietly, start_failure};
use crate::config::{Environment, database_settings};
use crate::startup::{DatabaseError, open_database};

/// Applies migrations, or tells what is applied and what is pending.
pub(super) fn run(env: &Environment, args: &MigrateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let (url, log) = database_settings(|name| env.get(name))?;
    log_quietly(env, &log)?;
    let store = open_database(&url).map_err(|error| start_failure(error.into()))?;
    if args.status {
        status(&store, out)
    } else {
        apply(&store, out)
    }
}

fn apply(store: &SqlStore, out: &mut dyn Write) -> Result<(), Failure> {
    let applied = store.migrate().map_err(explain)?;
    for name in &applied {
        writeln!(out, "applied {name}")?;
    }
    if applied.is_empty() {
        writeln!(
            out,
            "nothing to apply: the database has every migration of this version"
        )?;
    }
    Ok(())
}

fn status(store: &SqlStore, out: &mut dyn Write) -> Result<(), Failure> {
    for name in store.applied()? {
        writeln!(out, "applied {name}")?;
    }
    for name in store.pending().map_err(explain)? {
        writeln!(out, "pending {name}")?;
    }
    Ok(())
}

fn explain(error: MigrateError) -> Failure {
    start_failure(DatabaseError::from(error).into())
}
