//! From a configuration to a running set of use cases: database, migrations, keys, hardening.

mod database;
mod guard;
mod hardening;
mod keys;

use std::fmt;
use std::sync::Arc;

use tenantry_crypto::KeyRing;
use tenantry_domain::{Clock, SystemClock};
use tenantry_retrieval::{Collections, Embedders, Ingestor, Reconciler, Reindexer};
use tenantry_tenant_store::SqlStore;

pub use database::{DatabaseError, Migrations, open_database, prepare};
pub use guard::{EmbeddingGuard, check_embeddings};
pub use hardening::harden;
pub use keys::{KeyError, SALT_ROW, open_keys};

use crate::app::App;
use crate::config::{Config, Settings};
use crate::wiring::{self, Wired, WiringError};

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The keys do not fit the database.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A part could not be made.
    #[error(transparent)]
    Wiring(#[from] WiringError),
}

/// Everything that is made at start.
pub struct Platform {
    /// What was configured, without the keys.
    pub settings: Settings,
    /// The records.
    pub store: Arc<SqlStore>,
    /// The keys.
    pub keys: Arc<KeyRing>,
    /// The use cases of requests.
    pub app: Arc<App>,
    /// The models that embed.
    pub embedders: Arc<Embedders>,
    /// Does the jobs on documents.
    pub ingestor: Arc<Ingestor>,
    /// Makes indexes equal to the records.
    pub reconciler: Arc<Reconciler>,
    /// Builds indexes anew.
    pub reindexer: Reindexer,
    /// Finds what holds a tenant's chunks.
    pub collections: Arc<Collections>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("settings", &self.settings)
            .field("embedders", &self.embedders)
            .finish_non_exhaustive()
    }
}

/// Opens the database, checks migrations and keys, and wires the use cases.
///
/// # Errors
/// When the database cannot be used, the keys do not fit what it holds, or a part cannot be made.
pub fn start(config: Config, migrations: Migrations) -> Result<Platform, StartError> {
    let Config {
        secret_keys,
        settings,
    } = config;
    harden();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(open_database(&settings.database)?);
    prepare(&store, migrations)?;
    let keys = open_keys(store.as_ref(), secret_keys, clock.as_ref())?;
    let Wired {
        app,
        embedders,
        ingestor,
        reconciler,
        reindexer,
        collections,
    } = wiring::wire(&settings, &store, &keys, clock.clone())?;
    Ok(Platform {
        settings,
        store,
        keys,
        app: Arc::new(app),
        embedders,
        ingestor,
        reconciler,
        reindexer,
        collections,
        clock,
    })
}
