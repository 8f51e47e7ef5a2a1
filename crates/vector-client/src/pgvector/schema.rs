//! Makes the tables, once, however many servers start at the same time.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::{Bool, Integer, Nullable, Text};

use super::fault::{Fault, SetupError, setup};
use crate::VectorError;

/// What makes each version of the tables from the one before.
const STEPS: [&str; 1] = [include_str!("tables.sql")];

/// The oldest pgvector whose searches go on while a filter lets too few through.
const OLDEST: (u32, u32) = (0, 8);

/// Held while tables are made. The number is this store's own: "pgvector" in ASCII.
const LOCK: &str = "SET LOCAL statement_timeout = '10min'; SELECT pg_advisory_xact_lock(8099006399174403954)";

#[derive(QueryableByName)]
struct Extension {
    #[diesel(sql_type = Nullable<Text>)]
    installed: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    offered: Option<String>,
}

/// Adds pgvector and the tables where they are missing.
pub(super) fn prepare(conn: &mut PgConnection) -> Result<(), VectorError> {
    let prepared = conn.transaction(|conn| {
        conn.batch_execute(LOCK)?;
        ensure_extension(conn)?;
        ensure_tables(conn)
    });
    prepared.map_err(VectorError::from)
}

fn ensure_extension(conn: &mut PgConnection) -> Result<(), Fault> {
    let extension = sql_query(
        "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed,
                (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS offered",
    )
    .get_result::<Extension>(conn)?;
    match (extension.installed, extension.offered) {
        (Some(installed), _) if is_recent(&installed) => Ok(()),
        (Some(found), Some(offered)) if is_recent(&offered) => {
            let remedy = "run `ALTER EXTENSION vector UPDATE`".into();
            Err(refused(SetupError::TooOld { found, remedy }))
        }
        (Some(found), _) => Err(too_old(found)),
        (None, Some(offered)) if is_recent(&offered) => conn
            .batch_execute("CREATE EXTENSION IF NOT EXISTS vector")
            .map_err(|error| Fault::Vector(setup(error, SetupError::MayNotCreate))),
        (None, Some(offered)) => Err(too_old(offered)),
        (None, None) => Err(refused(SetupError::Missing)),
    }
}

fn too_old(found: String) -> Fault {
    let remedy = "install a newer package of it".into();
    refused(SetupError::TooOld { found, remedy })
}

fn ensure_tables(conn: &mut PgConnection) -> Result<(), Fault> {
    let expected = i32::try_from(STEPS.len()).map_err(|_| Fault::out_of_range("schema version"))?;
    let found = version(conn)?;
    if found > expected {
        return Err(refused(SetupError::Newer { found, expected }));
    }
    let done = usize::try_from(found).map_err(|_| Fault::out_of_range("schema version"))?;
    let missing = STEPS.get(done..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let made = make(conn, missing, expected);
    made.map_err(|error| Fault::Vector(setup(error, SetupError::Tables)))
}

fn make(conn: &mut PgConnection, steps: &[&str], version: i32) -> Result<(), Error> {
    conn.batch_execute("CREATE TABLE IF NOT EXISTS tenantry_vector_schema (version INTEGER NOT NULL)")?;
    for step in steps {
        conn.batch_execute(step)?;
    }
    conn.batch_execute("DELETE FROM tenantry_vector_schema")?;
    sql_query("INSERT INTO tenantry_vector_schema (version) VALUES ($1)")
        .bind::<Integer, _>(version)
        .execute(conn)?;
    Ok(())
}

/// The version of the tables that are there; 0 for none.
fn version(conn: &mut PgConnection) -> Result<i32, Error> {
    let exists = sql::<Bool>("to_regclass('tenantry_vector_schema') IS NOT NULL");
    if !diesel::select(exists).get_result(conn)? {
        return Ok(0);
    }
    let version = sql::<Integer>("(SELECT coalesce(max(version), 0) FROM tenantry_vector_schema)");
    diesel::select(version).get_result(conn)
}

fn refused(error: SetupError) -> Fault {
    Fault::Vector(VectorError::Refused(error.into()))
}

fn is_recent(version: &str) -> bool {
    let mut numbers = version
        .split('.')
        .map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pgvector_is_recent_from_0_8_on() {
        for (version, recent) in [
            ("0.8.0", true),
            ("0.8.5", true),
            ("0.10.0", true),
            ("1.0", true),
            ("0.7.4", false),
            ("0.5", false),
            ("", false),
        ] {
            assert_eq!(is_recent(version), recent, "{version}");
        }
    }
}
