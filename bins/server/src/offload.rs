//! The one bridge from async to blocking: a permit first, then one hop around a whole use case.

mod shares;

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use shares::Share;
use shares::Shares;

use crate::app::App;

/// Memory is shared out in units of that many bytes.
const UNIT: usize = 1_024;

/// What kind of work a hop does; each kind has its own permits, so that one cannot starve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reads and writes of the record store.
    Store,
    /// Password hashing, as many at once as there are cores.
    Password,
    /// Calls of models and remote vector stores.
    Upstream,
}

/// No permit was free, or the work panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffloadError {
    /// Every permit of the class is taken and its queue is full; try again a moment later.
    #[error("too much of this work is under way")]
    Busy,
    /// The work panicked.
    #[error("the work panicked")]
    Panicked,
}

/// How many pieces of each kind of work may be under way, and how many more may wait for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// Of [`Class::Store`]; about the number of database connections.
    pub store: usize,
    /// Of [`Class::Password`]; the number of cores.
    pub password: usize,
    /// Of [`Class::Upstream`]; every open answer stream holds one.
    pub upstream: usize,
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
    /// The blocking threads that a worker must be able to start so that a permit never waits for a thread.
    pub fn threads(&self) -> usize {
        self.store
            .saturating_add(self.password)
            .saturating_add(self.upstream)
    }
}

impl Default for Permits {
    /// Sixteen for the store, one password a core, 192 upstream, 64 MiB of documents, 256 watchers; 256 may wait for two seconds.
    ///
    /// A worker of actix-web has 512 / cores blocking threads unless told otherwise: see [`Permits::threads`].
    fn default() -> Self {
        Self {
            store: 16,
            password: std::thread::available_parallelism().map_or(1, usize::from),
            upstream: 192,
            document_bytes: 64 << 20,
            watchers: 256,
            queue: 256,
            wait: Duration::from_secs(2),
        }
    }
}

/// Runs use cases on blocking threads.
#[derive(Debug, Clone)]
pub struct Offload {
    app: Arc<App>,
    store: Lane,
    password: Lane,
    upstream: Lane,
    documents: Shares,
    watchers: Shares,
}

/// The permits of one class, and the places to wait for them.
#[derive(Debug, Clone)]
struct Lane {
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    wait: Duration,
}

impl Lane {
    fn new(permits: usize, queue: usize, wait: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            queue: Arc::new(Semaphore::new(queue)),
            wait,
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, OffloadError> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue.try_acquire().map_err(|_| OffloadError::Busy)?;
        let permit = tokio::time::timeout(self.wait, self.permits.clone().acquire_owned()).await;
        permit
            .map_err(|_| OffloadError::Busy)?
            .map_err(|_| OffloadError::Busy)
    }
}

impl Offload {
    /// A bridge to `app`'s use cases.
    pub fn new(app: Arc<App>, permits: Permits) -> Self {
        let lane = |count| Lane::new(count, permits.queue, permits.wait);
        Self {
            app,
            store: lane(permits.store),
            password: lane(permits.password),
            upstream: lane(permits.upstream),
            documents: Shares::new(permits.document_bytes / UNIT, permits.wait),
            watchers: Shares::new(permits.watchers, permits.wait),
        }
    }

    /// Memory for that many bytes of a tenant's document, for as long as the share is kept.
    ///
    /// # Errors
    /// When there is not as much in time, or the tenant has its half.
    pub(crate) async fn room(&self, tenant: &TenantId, bytes: usize) -> Result<Share, OffloadError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        self.documents.take(tenant, units).await
    }

    /// The right to watch one of the tenant's jobs, for as long as the share is kept.
    ///
    /// # Errors
    /// When too many watch already.
    pub(crate) async fn watcher(&self, tenant: &TenantId) -> Result<Share, OffloadError> {
        self.watchers.take(tenant, 1).await
    }

    /// Runs `work` on a blocking thread once a permit of `class` is free. Dropping the future gives up the wait, but
    /// work that has begun runs to its end.
    ///
    /// # Errors
    /// When no permit becomes free in time, or the work panics.
    #[expect(clippy::disallowed_methods, reason = "this is the one bridge")]
    pub async fn run<T: Send + 'static>(
        &self,
        class: Class,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let permit = self.lane(class).permit().await?;
        let app = self.app.clone();
        let work = move || {
            // The permit lives as long as the work, also when the caller has gone.
            let _permit = permit;
            work(&app)
        };
        actix_web::rt::task::spawn_blocking(work)
            .await
            .map_err(|_| OffloadError::Panicked)
    }

    fn lane(&self, class: Class) -> &Lane {
        match class {
            Class::Store => &self.store,
            Class::Password => &self.password,
            Class::Upstream => &self.upstream,
        }
    }

    /// Waits until none of the class's `permits` is taken.
    #[cfg(test)]
    pub(crate) async fn drain(&self, class: Class, permits: usize) {
        let all = u32::try_from(permits).unwrap();
        drop(self.lane(class).permits.acquire_many(all).await.unwrap());
    }

    /// How many of `watchers` are taken.
    #[cfg(test)]
    pub(crate) fn watching(&self, watchers: usize) -> usize {
        watchers - self.watchers.free()
    }

    /// What may be done without leaving the async side, because it neither waits nor takes long.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }
}

#[cfg(test)]
mod tests;
