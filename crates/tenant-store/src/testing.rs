//! Scripted failures, for the tests of what stands on a store.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tenantry_domain::{
    Document, DocumentId, Email, Page, Paged, Tenant, TenantId, TenantScope, Timestamp, User, UserId,
};

use crate::{
    Access, Advance, DocumentStore, KeyState, KeyStateStore, NewDocument, ReadyDocument, SecretSample,
    StoreError, TenantChange, TenantStore, UserChange, UserFilter, UserStore,
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
    fn create_document(&self, scope: &TenantScope, document: &NewDocument) -> Result<(), StoreError> {
        self.reach("create_document")?.create_document(scope, document)
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        self.reach("document")?.document(scope, id)
    }

    fn document_text(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<String>, StoreError> {
        self.reach("document_text")?.document_text(scope, id)
    }

    fn documents(&self, scope: &TenantScope, page: Page) -> Result<Paged<Document>, StoreError> {
        self.reach("documents")?.documents(scope, page)
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        self.reach("ready_documents")?.ready_documents(scope, ids)
    }

    fn advance_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        advance: &Advance,
    ) -> Result<bool, StoreError> {
        self.reach("advance_document")?
            .advance_document(scope, id, advance)
    }

    fn remove_document(&self, scope: &TenantScope, id: DocumentId) -> Result<bool, StoreError> {
        self.reach("remove_document")?.remove_document(scope, id)
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
