use std::io::Write;

use tenantry_tenant_store::{MigrateError, SqlStore};

use super::{Failure, MigrateArgs, log_quietly};
use crate::config::{Environment, database_settings};
use crate::startup::open_database;

/// Applies migrations, or tells what is applied and what is pending.
pub(super) fn run(env: &Environment, args: &MigrateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let (url, log) = database_settings(|name| env.get(name))?;
    log_quietly(env, &log)?;
    let store = open_database(&url)?;
    if args.status {
        status(&store, out)
    } else {
        apply(&store, out)
    }
}

fn apply(store: &SqlStore, out: &mut dyn Write) -> Result<(), Failure> {
    let applied = store.migrate()?;
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
    match store.pending() {
        Ok(pending) => {
            for name in pending {
                writeln!(out, "pending {name}")?;
            }
            Ok(())
        }
        Err(error @ MigrateError::DatabaseNewer { .. }) => {
            Err(Failure::from(error).hint("use the version of tenantry that migrated it, or a newer one"))
        }
        Err(error) => Err(error.into()),
    }
}
