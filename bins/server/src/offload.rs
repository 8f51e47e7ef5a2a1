//! The one bridge from async to blocking: a permit first, then one hop around a whole use case.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::app::App;

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

/// How many pieces of each kind of work may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// Of [`Class::Store`].
    pub store: usize,
    /// Of [`Class::Password`].
    pub password: usize,
    /// Of [`Class::Upstream`].
    pub upstream: usize,
}

/// Runs use cases on blocking threads.
#[derive(Debug, Clone)]
pub struct Offload {
    app: Arc<App>,
    store: Arc<Semaphore>,
    password: Arc<Semaphore>,
    upstream: Arc<Semaphore>,
}

impl Offload {
    /// A bridge to `app`'s use cases.
    pub fn new(app: Arc<App>, permits: Permits) -> Self {
        Self {
            app,
            store: Arc::new(Semaphore::new(permits.store)),
            password: Arc::new(Semaphore::new(permits.password)),
            upstream: Arc::new(Semaphore::new(permits.upstream)),
        }
    }

    /// Runs `work` on a blocking thread once a permit of `class` is free.
    ///
    /// # Errors
    /// When no permit becomes free in time, or the work panics.
    #[expect(clippy::disallowed_methods, reason = "this is the one bridge")]
    pub async fn run<T: Send + 'static>(
        &self,
        class: Class,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let permits = match class {
            Class::Store => &self.store,
            Class::Password => &self.password,
            Class::Upstream => &self.upstream,
        };
        let permit = permits.clone().try_acquire_owned().map_err(|_| OffloadError::Busy)?;
        let app = self.app.clone();
        let work = move || {
            // The permit lives as long as the work, also when the caller has gone.
            let _permit = permit;
            work(&app)
        };
        actix_web::rt::task::spawn_blocking(work).await.map_err(|_| OffloadError::Panicked)
    }
}
