mod api_keys;
mod archive;
mod audit;
mod conversations;
mod documents;
mod erasure;
mod identities;
mod indexes;
mod jobs;
mod keys;
mod ledger;
mod messages;
mod prompts;
mod sessions;
mod sources;
mod tenants;
mod throttle;
mod usage;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenantry_domain::{
    ApiKeyId, ConversationId, DocumentId, DocumentVersion, IdentityProvider, IdentityProviderId, JobId,
    MessageId, Page, Paged, PromptVersion, Segment, SourceId, Tenant, TenantId, Timestamp, TokenHash,
    UsageTotals, User, UserId,
};

use crate::ledger::throttle::Failures;
use crate::ledger::usage::Account;
use crate::ledger::{DocumentRecord, Indexes, JobRecord};
use crate::{ErasedTenant, KeyState, StoreError};

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
    prompts: BTreeMap<(TenantId, u32), PromptVersion>,
    usage: BTreeMap<(TenantId, Account), UsageTotals>,
    audit: audit::Logs,
    users: BTreeMap<UserId, User>,
    documents: BTreeMap<(TenantId, DocumentId), DocumentRecord>,
    segments: BTreeMap<(TenantId, DocumentVersion, u32), Segment>,
    jobs: BTreeMap<(TenantId, JobId), JobRecord>,
    queue: BTreeMap<TenantId, Turn>,
    parts: BTreeMap<(TenantId, SourceId, u32), sources::Part>,
    indexes: BTreeMap<TenantId, Indexes>,
    keys: BTreeMap<String, KeyState>,
    sessions: sessions::Sessions,
    failures: BTreeMap<TokenHash, Failures>,
    threads: BTreeMap<(TenantId, ConversationId), conversations::Thread>,
    /// The ids of the messages in `threads`.
    messages: BTreeSet<(TenantId, MessageId)>,
    api_keys: BTreeMap<(TenantId, ApiKeyId), api_keys::KeptKey>,
    providers: BTreeMap<(TenantId, IdentityProviderId), IdentityProvider>,
    /// Tenants that are being made from an archive.
    imports: BTreeSet<TenantId>,
    /// How many records of tenants that are being erased have gone, by table.
    erasures: BTreeMap<TenantId, BTreeMap<String, u64>>,
    /// By the hash of their id.
    erased: BTreeMap<[u8; 32], ErasedTenant>,
    /// Who the subjects of the providers are.
    identities: BTreeMap<(TenantId, IdentityProviderId, String), UserId>,
}

/// When a tenant is to be looked at for work.
#[derive(Debug, Default)]
struct Turn {
    /// When it last had a turn.
    served: Option<Timestamp>,
    /// When it may have something to do; `None` while it has not.
    due: Option<Timestamp>,
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

impl Records {
    fn ledger<'r>(&'r mut self, tenant: &'r TenantId) -> ledger::MemoryLedger<'r> {
        ledger::MemoryLedger {
            records: self,
            tenant,
        }
    }

    fn refuse_unknown(&self, tenant: &TenantId) -> Result<(), StoreError> {
        if self.tenants.contains_key(tenant) {
            Ok(())
        } else {
            Err(StoreError::UnknownTenant)
        }
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
