//! Connections: a pool for the tenants' work, and single ones for the work on the tables themselves.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, NopErrorHandler, Pool};
use diesel::{Connection, ConnectionError};

use super::options::PgVectorOptions;

pub(super) type PgPool = Pool<ConnectionManager<PgConnection>>;

/// Limits of one session, and English messages where the user may choose: diesel passes on no error code. Every statement here
/// finds its rows by a key, and the rest keeps the planner to that, which knows little of rows that are new: from reading
/// the tables of all tenants, joining all of an index to find a few of its rows, or compiling what takes milliseconds.
const SESSION: &str = "\
    SET statement_timeout = '10s'; \
    SET lock_timeout = '3s'; \
    SET idle_in_transaction_session_timeout = '30s'; \
    SET jit = off; \
    SET enable_seqscan = off; \
    SET enable_hashjoin = off; \
    SET enable_mergejoin = off; \
    SET max_parallel_workers_per_gather = 0; \
    DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;";

/// For work that takes as long as it takes.
const PATIENT: &str = "\
    SET statement_timeout = 0; \
    SET lock_timeout = 0; \
    DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;";

#[derive(Debug)]
struct Limits;

impl CustomizeConnection<PgConnection, PoolError> for Limits {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), PoolError> {
        conn.batch_execute(SESSION).map_err(PoolError::QueryError)
    }
}

/// A pool that opens connections when they are needed.
pub(super) fn pool(url: &str, options: &PgVectorOptions) -> PgPool {
    Pool::builder()
        .max_size(options.max_connections.get())
        .min_idle(Some(0))
        .connection_timeout(options.acquire_timeout.max(Duration::from_millis(1)))
        .connection_customizer(Box::new(Limits))
        // The last error comes with the answer to whoever waited; a library does not log it too.
        .error_handler(Box::new(NopErrorHandler))
        .build_unchecked(ConnectionManager::new(url))
}

/// A connection of its own, without limits.
pub(super) fn patient(url: &str) -> Result<PgConnection, ConnectionError> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute(PATIENT)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}
