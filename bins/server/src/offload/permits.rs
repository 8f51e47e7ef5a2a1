use std::time::Duration;

#[cfg(doc)]
use super::Class;

/// How many pieces of each kind of work may be under way, and how many more may wait for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// Of [`Class::Store`]; about the number of database connections.
    pub store: usize,
    /// Of [`Class::Password`]; the number of cores.
    pub password: usize,
    /// Of [`Class::Upstream`]; the answers of one tenant, whose provider may be slow on purpose, may have half of them.
    pub upstream: usize,
    /// Of [`Class::Stream`]; every answer under way holds one, from before its first look at the database until it is settled.
    pub streams: usize,
    /// How many bytes of documents may be in memory at once, from the first byte received until it is stored; a tenant may have
    /// half of them.
    pub document_bytes: usize,
    /// How many jobs may be watched at once, by streams and by requests that wait for the end of one; a tenant may have half of
    /// them.
    pub watchers: usize,
    /// How many may wait for a permit of each kind; one more is refused at once.
    pub queue: usize,
    /// How long one waits before it is refused.
    pub wait: Duration,
}

impl Permits {
    /// The blocking threads that a worker must be able to start so that a permit never waits for a thread. Streams have others, which
    /// all workers share.
    pub fn threads(&self) -> usize {
        self.store
            .saturating_add(self.password)
            .saturating_add(self.upstream)
    }
}

impl Default for Permits {
    /// Sixteen for the store, one password a core, 192 upstream, 4,096 streams, 64 MiB of documents, 256 watchers; 256 may wait for
    /// two seconds.
    ///
    /// A worker of actix-web has 512 / cores blocking threads unless told otherwise: see [`Permits::threads`].
    fn default() -> Self {
        Self {
            store: 16,
            password: std::thread::available_parallelism().map_or(1, usize::from),
            upstream: 192,
            streams: 4_096,
            document_bytes: 64 << 20,
            watchers: 256,
            queue: 256,
            wait: Duration::from_secs(2),
        }
    }
}
