mod documents;
mod keys;
mod tenants;
mod users;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenantry_domain::{DocumentId, Page, Paged, Tenant, TenantId, User, UserId};

use crate::KeyState;

/// Keeps every record in memory and forgets it with the process: for tests and for trying things out.
///
/// # Examples
/// ```
/// use tenantry_domain::{Page, TenantId};
/// use tenantry_tenant_store::{MemoryStore, TenantStore};
///
/// let store = MemoryStore::new();
/// assert!(store.tenant(&TenantId::parse("acme")?)?.is_none());
/// assert_eq!(store.tenants(Page::default())?.total, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    tenants: BTreeMap<TenantId, Tenant>,
    users: BTreeMap<UserId, User>,
    documents: BTreeMap<(TenantId, DocumentId), documents::Kept>,
    keys: BTreeMap<String, KeyState>,
}

impl MemoryStore {
    /// A store without records.
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // No write is left half done by a panic, so a poisoned lock guards sound records.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window `page` on `all`, which is in order.
fn paged<T: Clone>(all: &[&T], page: Page) -> Paged<T> {
    let [skip, take] = [page.offset(), page.limit()].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    Paged {
        items: all
            .iter()
            .skip(skip)
            .take(take)
            .map(|&item| item.clone())
            .collect(),
        total: u64::try_from(all.len()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::conformance_tests!((MemoryStore::new(), ()));
}
