use std::num::NonZeroU32;
use std::time::Duration;

/// How a [`PgVectorStore`](super::PgVectorStore) works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PgVectorOptions {
    /// The most connections at once; one more is opened while a graph is built.
    pub max_connections: NonZeroU32,
    /// How long a call waits for a connection before the store is unavailable; at least one millisecond.
    pub acquire_timeout: Duration,
    /// Indexes of up to as many chunks are compared one by one, exactly; a larger one gets a graph (HNSW) of its own. With a
    /// filter, as many chunks as this may pass it and still be compared one by one.
    pub exact_up_to: u32,
    /// How much memory the server may use to build a graph, in megabytes; one that does not fit is built many times slower.
    pub build_memory_mb: u32,
}

impl Default for PgVectorOptions {
    /// Ten connections, 2 s, exact up to 10,000 chunks, 256 MB.
    fn default() -> Self {
        Self {
            max_connections: NonZeroU32::MIN.saturating_add(9),
            acquire_timeout: Duration::from_secs(2),
            exact_up_to: 10_000,
            build_memory_mb: 256,
        }
    }
}
