//! Scripted failures, for the tests of what stands on a store.

mod access;
mod accounts;
mod archives;
mod audit;
mod conversations;
mod documents;
mod jobs;
mod sessions;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::StoreError;

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
    before: Mutex<Option<Arc<Script>>>,
    after: Mutex<Option<Arc<Script>>>,
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
            before: Mutex::new(None),
            after: Mutex::new(None),
        }
    }

    /// The store behind, which never fails on purpose.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// From now on asks `script` before each call, by the method's name as `create_tenant`; the error that it gives
    /// is the call's answer and the store behind is not reached.
    pub fn fail_when(&self, script: impl Fn(&str) -> Option<StoreError> + Send + Sync + 'static) {
        *lock(&self.before) = Some(Arc::new(script));
    }

    /// From now on asks `script` after each call that went well; the error that it gives is the call's answer although the store behind
    /// did as it was told, as when a connection breaks in between.
    pub fn lose_when(&self, script: impl Fn(&str) -> Option<StoreError> + Send + Sync + 'static) {
        *lock(&self.after) = Some(Arc::new(script));
    }

    /// Ends every failure.
    pub fn heal(&self) {
        *lock(&self.before) = None;
        *lock(&self.after) = None;
    }

    fn call<T>(&self, method: &str, work: impl FnOnce(&S) -> Result<T, StoreError>) -> Result<T, StoreError> {
        ask(&self.before, method)?;
        let answer = work(&self.inner)?;
        ask(&self.after, method)?;
        Ok(answer)
    }
}

fn lock(script: &Mutex<Option<Arc<Script>>>) -> MutexGuard<'_, Option<Arc<Script>>> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(script: &Mutex<Option<Arc<Script>>>, method: &str) -> Result<(), StoreError> {
    // Not asked under the lock: a script may use the store itself.
    let script = lock(script).clone();
    script.and_then(|script| script(method)).map_or(Ok(()), Err)
}

impl<S: fmt::Debug> fmt::Debug for FailingStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingStore")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Actor;

    use super::*;
    use crate::MemoryStore;

    #[test]
    fn a_call_whose_answer_is_lost_was_made_all_the_same() {
        use crate::TenantStore;
        let store = FailingStore::new(MemoryStore::new());
        let tenant = crate::conformance::samples::tenant("acme");
        store.lose_when(|method| (method == "create_tenant").then(unavailable));
        assert!(matches!(
            store.create_tenant(&tenant, &Actor::system()),
            Err(StoreError::Unavailable(_))
        ));
        assert_eq!(store.tenant(&tenant.id).unwrap(), Some(tenant));
        store.heal();
        store
            .create_tenant(&crate::conformance::samples::tenant("globex"), &Actor::system())
            .unwrap();
    }

    // A store that never fails keeps every obligation of the one behind.
    crate::conformance_tests!((FailingStore::new(MemoryStore::new()), ()));
}
