use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diesel::r2d2::{Error, ManageConnection, NopErrorHandler, Pool, R2D2Connection};

use super::connection::AnyConnection;
use super::dialect;
use super::url::DatabaseUrl;
use crate::StoreError;

/// How many connections a store keeps and how long a call waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// The most connections at once.
    pub max_size: NonZeroU32,
    /// How long a call waits for a connection before it is [`StoreError::Unavailable`]; at least one millisecond.
    pub acquire_timeout: Duration,
}

impl Default for PoolOptions {
    /// Ten connections, two seconds.
    fn default() -> Self {
        Self {
            max_size: NonZeroU32::MIN.saturating_add(9),
            acquire_timeout: Duration::from_secs(2),
        }
    }
}

/// Opens one connection, which tells at once whether the database is there, and a pool that grows from it on demand.
pub(super) fn open(url: &DatabaseUrl, options: PoolOptions) -> Result<Pool<Manager>, StoreError> {
    let first = dialect::open_first(url).map_err(|error| StoreError::Unavailable(error.into()))?;
    let manager = Manager {
        url: url.clone(),
        first: Mutex::new(Some(first)),
    };
    Ok(Pool::builder()
        .max_size(options.max_size.get())
        .min_idle(Some(1))
        .connection_timeout(options.acquire_timeout.max(Duration::from_millis(1)))
        // The last error comes with the answer to whoever waited; a library does not log it too.
        .error_handler(Box::new(NopErrorHandler))
        .build_unchecked(manager))
}

/// Opens the variant that the URL names; diesel's own manager would try each in turn.
pub(super) struct Manager {
    url: DatabaseUrl,
    first: Mutex<Option<AnyConnection>>,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = Error;

    fn connect(&self) -> Result<AnyConnection, Error> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.map_or_else(|| dialect::open(&self.url), Ok)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), Error> {
        conn.ping().map_err(Error::QueryError)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
