//! The one bridge from async to blocking: a permit first, then one hop around a whole use case.

mod permits;
mod seats;
mod shares;
mod threads;
mod underway;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use permits::Permits;
pub use seats::StreamCaps;
pub(crate) use seats::{Full, Seat, Seats};
pub(crate) use shares::Share;
use shares::Shares;
use threads::StreamThreads;
pub(crate) use underway::{Presence, Underway};

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
    /// Calls of models and remote vector stores that are over soon.
    Upstream,
    /// An answer as it comes from a model, which may take minutes. It has threads of its own with small stacks, so the work must
    /// neither hash passwords nor call the record store.
    Stream,
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

/// Runs use cases on blocking threads.
#[derive(Debug, Clone)]
pub struct Offload {
    app: Arc<App>,
    store: Lane,
    password: Lane,
    upstream: Lane,
    streams: Lane,
    stream_threads: Arc<StreamThreads>,
    documents: Shares,
    watchers: Shares,
    upstreams: Shares,
    seats: Seats,
    underway: Underway,
}

/// The right to do one piece of work of a class; clones are one and the same, which is given back with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Permit {
    class: Class,
    #[expect(dead_code, reason = "it is given back when it is dropped")]
    of_class: Arc<OwnedSemaphorePermit>,
    /// What it takes of its tenant's half of the class.
    #[expect(dead_code, reason = "it is given back when it is dropped")]
    of_tenant: Option<Arc<OwnedSemaphorePermit>>,
}

impl Permit {
    fn new(class: Class, permit: OwnedSemaphorePermit) -> Self {
        Self {
            class,
            of_class: Arc::new(permit),
            of_tenant: None,
        }
    }
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
    ///
    /// # Errors
    /// When the machine refuses what the threads need.
    pub fn new(app: Arc<App>, permits: Permits) -> std::io::Result<Self> {
        let lane = |count| Lane::new(count, permits.queue, permits.wait);
        Ok(Self {
            app,
            store: lane(permits.store),
            password: lane(permits.password),
            upstream: lane(permits.upstream),
            streams: lane(permits.streams),
            stream_threads: Arc::new(StreamThreads::new(permits.streams)?),
            documents: Shares::new(permits.document_bytes / UNIT, permits.wait),
            watchers: Shares::new(permits.watchers, permits.wait),
            upstreams: Shares::new(permits.upstream, permits.wait),
            seats: Seats::default(),
            underway: Underway::default(),
        })
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
    pub async fn run<T: Send + 'static>(
        &self,
        class: Class,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let permit = self.permit(class).await?;
        self.run_with(permit, work).await
    }

    /// The right to do a piece of work of `class` later.
    ///
    /// # Errors
    /// When no permit becomes free in time.
    pub(crate) async fn permit(&self, class: Class) -> Result<Permit, OffloadError> {
        Ok(Permit::new(class, self.lane(class).permit().await?))
    }

    /// As [`Offload::permit`], for an answer under way: it waits for as long as it takes, outside of the queue, because those who
    /// wait like that have a permit of a stream and are as few as those.
    pub(crate) async fn permit_unqueued(&self, class: Class) -> Result<Permit, OffloadError> {
        let permit = self.lane(class).permits.clone().acquire_owned().await;
        Ok(Permit::new(class, permit.map_err(|_| OffloadError::Busy)?))
    }

    /// The same of [`Class::Upstream`], once the tenant's answers have less than half of it.
    pub(crate) async fn upstream_unqueued(&self, tenant: &TenantId) -> Result<Permit, OffloadError> {
        let of_tenant = self.upstreams.half(tenant).acquire_owned().await;
        let of_tenant = Arc::new(of_tenant.map_err(|_| OffloadError::Busy)?);
        Ok(Permit {
            of_tenant: Some(of_tenant),
            ..self.permit_unqueued(Class::Upstream).await?
        })
    }

    /// Runs `work` on a blocking thread of the permit's class.
    ///
    /// # Errors
    /// When the work panics, or the machine has no thread for it.
    #[expect(clippy::disallowed_methods, reason = "this is the one bridge")]
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let app = self.app.clone();
        let class = permit.class;
        let work = move || {
            // The permit lives as long as the work, also when the caller has gone.
            let _permit = permit;
            work(&app)
        };
        let hop = || match class {
            Class::Stream => self.stream_threads.handle().spawn_blocking(work),
            Class::Store | Class::Password | Class::Upstream => actix_web::rt::task::spawn_blocking(work),
        };
        // The runtime panics when there is no thread at all and none can be started.
        let hop = catch_unwind(AssertUnwindSafe(hop)).map_err(|_| OffloadError::Busy)?;
        hop.await.map_err(|_| OffloadError::Panicked)
    }

    /// The answers under way, counted for each user and tenant.
    pub(crate) fn seats(&self) -> &Seats {
        &self.seats
    }

    /// The answers under way.
    pub(crate) fn underway(&self) -> &Underway {
        &self.underway
    }

    fn lane(&self, class: Class) -> &Lane {
        match class {
            Class::Store => &self.store,
            Class::Password => &self.password,
            Class::Upstream => &self.upstream,
            Class::Stream => &self.streams,
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
