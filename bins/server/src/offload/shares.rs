use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tenantry_domain::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::OffloadError;

/// Something that there is a bounded amount of, of which one tenant gets at most half.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    all: Arc<Semaphore>,
    half: u32,
    tenants: Arc<Mutex<HashMap<TenantId, Weak<Semaphore>>>>,
    wait: Duration,
}

/// A piece of it, which may be used until this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    #[expect(dead_code, reason = "it gives the piece back when it is dropped")]
    of_tenant: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "it gives the piece back when it is dropped")]
    of_all: OwnedSemaphorePermit,
}

impl Shares {
    /// `units` in all; whoever finds none waits that long.
    pub(super) fn new(units: usize, wait: Duration) -> Self {
        let units = u32::try_from(units).unwrap_or(u32::MAX).max(1);
        Self {
            all: Arc::new(semaphore(units)),
            half: units.div_ceil(2),
            tenants: Arc::default(),
            wait,
        }
    }

    /// That many units; more than a tenant may have are as many as it may have.
    pub(super) async fn take(&self, tenant: &TenantId, units: u32) -> Result<Share, OffloadError> {
        let units = units.clamp(1, self.half);
        let until = Instant::now() + self.wait;
        // Its own half first, so that one who waits for that takes nothing from the others.
        Ok(Share {
            of_tenant: acquire(self.half(tenant), units, until).await?,
            of_all: acquire(self.all.clone(), units, until).await?,
        })
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.all.available_permits()
    }

    /// The half of a tenant; it is there as long as somebody has a piece of it.
    pub(super) fn half(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(half) = tenants.get(tenant).and_then(Weak::upgrade) {
            return half;
        }
        tenants.retain(|_, half| half.strong_count() > 0);
        let half = Arc::new(semaphore(self.half));
        tenants.insert(tenant.clone(), Arc::downgrade(&half));
        half
    }
}

fn semaphore(units: u32) -> Semaphore {
    let units = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
    Semaphore::new(units.min(Semaphore::MAX_PERMITS))
}

async fn acquire(
    from: Arc<Semaphore>,
    units: u32,
    until: Instant,
) -> Result<OwnedSemaphorePermit, OffloadError> {
    match timeout_at(until, from.acquire_many_owned(units)).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(OffloadError::Busy),
    }
}
