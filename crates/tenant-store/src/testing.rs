//! Scripted failures, for the tests of what stands on a store.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tenantry_domain::{
    Dimension, Document, DocumentId, DocumentVersion, Email, EmbeddingModel, Generation, Index, Job, JobId,
    JobProgress, Page, Paged, Segment, SourceId, Tenant, TenantId, TenantScope, Timestamp, User, UserId,
};

use crate::{
    Access, Claim, ClaimedJob, DocumentFilter, DocumentStore, Held, IndexStore, JobFilter, JobQueue,
    JobStore, KeyState, KeyStateStore, Lease, Published, ReadyDocument, ReadyVersion, SecretSample,
    Settlement, SourceStore, StoreError, Submission, Submitted, TenantChange, TenantStore, TextRead,
    UserChange, UserFilter, UserStore,
};

/// Says whether the call of the method with that name fails, and how.
type Script = dyn Fn(&str) -> Option<StoreError> + Send + Sync;

/// A store that fails when the test says so and passes every other call on to `S`.
///
/// # Examples
/// ```
/// use tenantry_domain::TenantId;
/// use tenantry_tenant_store::testing::{FailingStore, unavailable};
/// use tenantry_tenant_store::{MemoryStore, TenantStore};
///
/// let store = FailingStore::new(MemoryStore::new());
/// let acme = TenantId::parse("acme")?;
/// store.fail_when(|method| (method == "tenant").then(unavailable));
/// assert!(store.tenant(&acme).is_err_and(|error| error.is_transient()));
/// store.heal();
/// assert!(store.tenant(&acme)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FailingStore<S> {
    inner: S,
    script: Mutex<Option<Arc<Script>>>,
}

/// The failure of a database that does not answer.
pub fn unavailable() -> StoreError {
    StoreError::Unavailable("a scripted outage".into())
}

/// The failure of a database that refuses a statement.
pub fn failed() -> StoreError {
    StoreError::Failed("a scripted failure".into())
}

impl<S> FailingStore<S> {
    /// A store that does not fail yet.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            script: Mutex::new(None),
        }
    }

    /// The store behind, which never fails on purpose.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// From now on asks `script` before each call, by the method's name as `create_tenant`; the error that it gives
    /// is the call's answer and the store behind is not reached.
    pub fn fail_when(&self, script: impl Fn(&str) -> Option<StoreError> + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(script));
    }

    /// Ends every failure.
    pub fn heal(&self) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn reach(&self, method: &str) -> Result<&S, StoreError> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match script.and_then(|script| script(method)) {
            Some(error) => Err(error),
            None => Ok(&self.inner),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for FailingStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingStore")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S: TenantStore> TenantStore for FailingStore<S> {
    fn create_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        self.reach("create_tenant")?.create_tenant(tenant)
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.reach("tenant")?.tenant(id)
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        self.reach("tenants")?.tenants(page)
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        self.reach("update_tenant")?.update_tenant(id, change, now)
    }
}

impl<S: UserStore> UserStore for FailingStore<S> {
    fn create_user(&self, user: &User) -> Result<(), StoreError> {
        self.reach("create_user")?.create_user(user)
    }

    fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.reach("user")?.user(id)
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.reach("user_by_email")?.user_by_email(email)
    }

    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError> {
        self.reach("users")?.users(filter, page)
    }

    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        self.reach("update_user")?.update_user(id, change, now)
    }

    fn access(&self, id: UserId) -> Result<Option<Access>, StoreError> {
        self.reach("access")?.access(id)
    }
}

impl<S: DocumentStore> DocumentStore for FailingStore<S> {
    fn submit(&self, scope: &TenantScope, submission: &Submission) -> Result<Submitted, StoreError> {
        self.reach("submit")?.submit(scope, submission)
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        self.reach("document")?.document(scope, id)
    }

    fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError> {
        self.reach("documents")?.documents(scope, filter, page)
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        self.reach("ready_documents")?.ready_documents(scope, ids)
    }

    fn ready_versions(
        &self,
        scope: &TenantScope,
        after: Option<DocumentId>,
        limit: u16,
    ) -> Result<Vec<ReadyVersion>, StoreError> {
        self.reach("ready_versions")?.ready_versions(scope, after, limit)
    }

    fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
        limit: u16,
    ) -> Result<Vec<Segment>, StoreError> {
        self.reach("segments")?.segments(scope, of, from, limit)
    }

    fn remove_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        job: JobId,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        self.reach("remove_document")?.remove_document(scope, id, job, at)
    }
}

impl<S: SourceStore> SourceStore for FailingStore<S> {
    fn add_part(
        &self,
        scope: &TenantScope,
        source: SourceId,
        place: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.reach("add_part")?.add_part(scope, source, place, bytes, at)
    }

    fn part(&self, scope: &TenantScope, source: SourceId, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.reach("part")?.part(scope, source, place)
    }

    fn remove_source(&self, scope: &TenantScope, source: SourceId) -> Result<(), StoreError> {
        self.reach("remove_source")?.remove_source(scope, source)
    }

    fn remove_abandoned(&self, scope: &TenantScope, before: Timestamp) -> Result<u64, StoreError> {
        self.reach("remove_abandoned")?.remove_abandoned(scope, before)
    }
}

impl<S: JobStore> JobStore for FailingStore<S> {
    fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        self.reach("job")?.job(scope, id)
    }

    fn jobs(&self, scope: &TenantScope, filter: &JobFilter, page: Page) -> Result<Paged<Job>, StoreError> {
        self.reach("jobs")?.jobs(scope, filter, page)
    }

    fn cancel_job(&self, scope: &TenantScope, id: JobId, at: Timestamp) -> Result<Option<Job>, StoreError> {
        self.reach("cancel_job")?.cancel_job(scope, id, at)
    }
}

impl<S: JobQueue> JobQueue for FailingStore<S> {
    fn claim(&self, claim: &Claim) -> Result<Option<ClaimedJob>, StoreError> {
        self.reach("claim")?.claim(claim)
    }

    fn add_segments(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        segments: &[Segment],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("add_segments")?
            .add_segments(scope, lease, segments, now, lease_until)
    }

    fn text_read(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        read: &TextRead,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("text_read")?.text_read(scope, lease, read, now)
    }

    fn report(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        progress: &JobProgress,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Held, StoreError> {
        self.reach("report")?
            .report(scope, lease, progress, now, lease_until)
    }

    fn publish(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        chunks: u32,
        written: &[Generation],
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.reach("publish")?.publish(scope, lease, chunks, written, now)
    }

    fn settle(
        &self,
        scope: &TenantScope,
        lease: &Lease,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.reach("settle")?.settle(scope, lease, settlement, now)
    }
}

impl<S: IndexStore> IndexStore for FailingStore<S> {
    fn indexes(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        self.reach("indexes")?.indexes(scope, model, at)
    }

    fn set_dimension(
        &self,
        scope: &TenantScope,
        generation: Generation,
        dimension: Dimension,
    ) -> Result<bool, StoreError> {
        self.reach("set_dimension")?
            .set_dimension(scope, generation, dimension)
    }

    fn begin_index(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError> {
        self.reach("begin_index")?.begin_index(scope, model, at)
    }

    fn reopen_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.reach("reopen_index")?.reopen_index(scope, generation)
    }

    fn switch_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.reach("switch_index")?.switch_index(scope, generation)
    }

    fn forget_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.reach("forget_index")?.forget_index(scope, generation)
    }

    fn indexes_in_use(&self) -> Result<Vec<(TenantId, Index)>, StoreError> {
        self.reach("indexes_in_use")?.indexes_in_use()
    }
}

impl<S: KeyStateStore> KeyStateStore for FailingStore<S> {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        self.reach("key_states")?.key_states()
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        self.reach("remember_key")?.remember_key(state)
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        self.reach("secrets_by_key")?.secrets_by_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    // A store that never fails keeps every obligation of the one behind.
    crate::conformance_tests!((FailingStore::new(MemoryStore::new()), ()));
}
