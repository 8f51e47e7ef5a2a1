use tenantry_tenant_store::{DatabaseUrl, Isolation, MigrateError, PoolOptions, SqlStore, StoreError};

/// What to do about migrations that are pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Refuse to start.
    Refuse,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It does not answer.
    #[error("cannot reach the database at {place}")]
    Unreachable {
        /// Where it should be, without a password.
        place: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Migrations are pending and were not to be applied.
    #[error("the database lacks {} that this version needs: {}; run `tenantry migrate`", count(.0), .0.join(", "))]
    Pending(Vec<String>),
    /// It cannot be migrated, or is newer than this version.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// It answered once and then failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

/// Opens the database.
///
/// # Errors
/// When it does not answer.
pub fn open_database(url: &DatabaseUrl) -> Result<SqlStore, DatabaseError> {
    SqlStore::connect(url, PoolOptions::default()).map_err(|source| DatabaseError::Unreachable {
        place: url.to_string(),
        source,
    })
}

/// Brings the tables to what this version needs or refuses to, and says what keeps tenants apart.
///
/// # Errors
/// When migrations are pending and refused, one fails, or the database is newer than this version.
pub fn prepare(store: &SqlStore, migrations: Migrations) -> Result<(), DatabaseError> {
    match migrations {
        Migrations::Apply => {
            for name in store.migrate()? {
                log::info!("applied migration {name}");
            }
        }
        Migrations::Refuse => {
            let pending = store.pending()?;
            if !pending.is_empty() {
                return Err(DatabaseError::Pending(pending));
            }
        }
    }
    warn_of_weak_isolation(&store.isolation()?);
    Ok(())
}

fn warn_of_weak_isolation(isolation: &Isolation) {
    if let Isolation::NotEnforced { reason } = isolation {
        log::warn!(
            "ROW-LEVEL SECURITY IS NOT ENFORCED: {reason}. Queries still name their tenant, but PostgreSQL does not \
             stand behind them; let the role of DATABASE_URL create roles, or have an administrator migrate once"
        );
    }
}

fn count(pending: &[String]) -> String {
    if pending.len() == 1 {
        "a migration".to_owned()
    } else {
        format!("{} migrations", pending.len())
    }
}
