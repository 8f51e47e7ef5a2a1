use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{DocumentId, TenantScope};

use crate::{IndexedChunk, Match, VectorError, VectorQuery, VectorStore};

/// One method of [`VectorStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// [`VectorStore::upsert`]
    Upsert,
    /// [`VectorStore::search`]
    Search,
    /// [`VectorStore::remove_document`]
    RemoveDocument,
    /// [`VectorStore::clear`]
    Clear,
    /// [`VectorStore::count`]
    Count,
}

/// Passes calls on to another store, but for those that are scripted to fail.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_vector_client::conformance::scope;
/// use tenantry_vector_client::testing::{FailingVectorStore, Operation};
/// use tenantry_vector_client::{MemoryVectorStore, VectorError, VectorStore};
///
/// let store = FailingVectorStore::new(Arc::new(MemoryVectorStore::default()));
/// store.fail_next(Operation::Count, VectorError::Unavailable("on fire".into()));
/// assert!(store.count(&scope("acme")).is_err());
/// assert_eq!(store.count(&scope("acme"))?, 0);
/// assert_eq!(store.calls(), [Operation::Count, Operation::Count]);
/// # Ok::<(), VectorError>(())
/// ```
pub struct FailingVectorStore {
    inner: Arc<dyn VectorStore>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    failures: VecDeque<(Operation, VectorError)>,
    down: bool,
    calls: Vec<Operation>,
}

impl FailingVectorStore {
    /// A store that fails nothing until told to.
    pub fn new(inner: Arc<dyn VectorStore>) -> Self {
        Self {
            inner,
            script: Mutex::default(),
        }
    }

    /// Fails the next call of `operation` that no earlier script fails.
    pub fn fail_next(&self, operation: Operation, error: VectorError) {
        self.script().failures.push_back((operation, error));
    }

    /// From now on fails every unscripted call as [`VectorError::Unavailable`], or none.
    pub fn set_down(&self, down: bool) {
        self.script().down = down;
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Operation> {
        self.script().calls.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, operation: Operation) -> Result<(), VectorError> {
        let mut script = self.script();
        script.calls.push(operation);
        let scripted = script
            .failures
            .iter()
            .position(|(failing, _)| *failing == operation);
        match scripted.and_then(|at| script.failures.remove(at)) {
            Some((_, error)) => Err(error),
            None if script.down => Err(VectorError::Unavailable("scripted to be down".into())),
            None => Ok(()),
        }
    }
}

impl VectorStore for FailingVectorStore {
    fn upsert(&self, scope: &TenantScope, chunks: &[IndexedChunk]) -> Result<(), VectorError> {
        self.call(Operation::Upsert)?;
        self.inner.upsert(scope, chunks)
    }

    fn search(&self, scope: &TenantScope, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.call(Operation::Search)?;
        self.inner.search(scope, query)
    }

    fn remove_document(&self, scope: &TenantScope, document: DocumentId) -> Result<(), VectorError> {
        self.call(Operation::RemoveDocument)?;
        self.inner.remove_document(scope, document)
    }

    fn clear(&self, scope: &TenantScope) -> Result<(), VectorError> {
        self.call(Operation::Clear)?;
        self.inner.clear(scope)
    }

    fn count(&self, scope: &TenantScope) -> Result<u64, VectorError> {
        self.call(Operation::Count)?;
        self.inner.count(scope)
    }
}

impl fmt::Debug for FailingVectorStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingVectorStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryVectorStore;
    use crate::conformance::{self, Capabilities, scope};

    #[test]
    fn unscripted_it_is_the_store_behind_it() {
        let store = FailingVectorStore::new(Arc::new(MemoryVectorStore::default()));
        conformance::vector_store(&store, Capabilities { lexical: true });
    }

    #[test]
    fn while_down_every_call_fails() {
        let store = FailingVectorStore::new(Arc::new(MemoryVectorStore::default()));
        store.set_down(true);
        assert!(store.clear(&scope("acme")).is_err());
        store.set_down(false);
        assert!(store.clear(&scope("acme")).is_ok());
    }
}
