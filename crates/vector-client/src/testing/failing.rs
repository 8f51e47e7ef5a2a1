use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{ChunkHash, DocumentId, DocumentVersion, Embedding, IndexScope, Metadata};

use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore};

/// One method of [`VectorStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// [`VectorStore::upsert`]
    Upsert,
    /// [`VectorStore::search`]
    Search,
    /// [`VectorStore::embeddings`]
    Embeddings,
    /// [`VectorStore::remove`]
    Remove,
    /// [`VectorStore::clear`]
    Clear,
    /// [`VectorStore::count`]
    Count,
    /// [`VectorStore::contents`]
    Contents,
}

/// Whether a call that fails does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It fails before the store behind is called.
    Before,
    /// The store behind does what it was asked for, and the caller does not hear of it.
    After,
}

/// Passes calls on to another store, but for those that are scripted to fail.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_domain::Generation;
/// use tenantry_vector_client::conformance::scope;
/// use tenantry_vector_client::testing::{FailingVectorStore, Operation};
/// use tenantry_vector_client::{MemoryVectorStore, VectorError, VectorStore};
///
/// let store = FailingVectorStore::new(Arc::new(MemoryVectorStore::default()));
/// let tenant = scope("acme");
/// let index = tenant.index(Generation::FIRST);
/// store.fail_next(Operation::Count, VectorError::Unavailable("on fire".into()));
/// assert!(store.count(index).is_err());
/// assert_eq!(store.count(index)?, 0);
/// assert_eq!(store.calls(), [Operation::Count, Operation::Count]);
/// # Ok::<(), VectorError>(())
/// ```
pub struct FailingVectorStore {
    inner: Arc<dyn VectorStore>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    failures: Vec<Failure>,
    down: bool,
    calls: Vec<Operation>,
}

struct Failure {
    operation: Operation,
    /// How many calls of the operation come before.
    after_calls: usize,
    moment: Moment,
    error: VectorError,
}

impl FailingVectorStore {
    /// A store that fails nothing until told to.
    pub fn new(inner: Arc<dyn VectorStore>) -> Self {
        Self {
            inner,
            script: Mutex::default(),
        }
    }

    /// Fails the next call of `operation` that no earlier script fails, before it does anything.
    pub fn fail_next(&self, operation: Operation, error: VectorError) {
        let mut script = self.script();
        let earlier = script
            .failures
            .iter()
            .filter(|failure| failure.operation == operation);
        let n = earlier
            .map(|failure| failure.after_calls + 1)
            .max()
            .unwrap_or_default();
        script.schedule(operation, n, Moment::Before, error);
    }

    /// Fails the `n`-th call of `operation` from now on, counted from 1, before or after it does what it should.
    pub fn fail_nth(&self, operation: Operation, n: usize, moment: Moment, error: VectorError) {
        self.script()
            .schedule(operation, n.saturating_sub(1), moment, error);
    }

    /// From now on fails every unscripted call as [`VectorError::Unavailable`] before it does anything, or none.
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

    fn call<T>(
        &self,
        operation: Operation,
        pass: impl FnOnce(&dyn VectorStore) -> Result<T, VectorError>,
    ) -> Result<T, VectorError> {
        let failure = self.script().call(operation);
        match failure {
            None => pass(self.inner.as_ref()),
            Some((Moment::Before, error)) => Err(error),
            Some((Moment::After, error)) => pass(self.inner.as_ref()).and(Err(error)),
        }
    }
}

impl Script {
    fn schedule(&mut self, operation: Operation, after_calls: usize, moment: Moment, error: VectorError) {
        self.failures.push(Failure {
            operation,
            after_calls,
            moment,
            error,
        });
    }

    /// Notes the call; gives its failure where it has one.
    fn call(&mut self, operation: Operation) -> Option<(Moment, VectorError)> {
        self.calls.push(operation);
        let same = |failure: &Failure| failure.operation == operation;
        let due = self
            .failures
            .iter()
            .position(|failure| same(failure) && failure.after_calls == 0);
        let due = due.map(|at| self.failures.remove(at));
        for failure in self.failures.iter_mut().filter(|failure| same(failure)) {
            failure.after_calls = failure.after_calls.saturating_sub(1);
        }
        match due {
            Some(failure) => Some((failure.moment, failure.error)),
            None if self.down => Some((
                Moment::Before,
                VectorError::Unavailable("scripted to be down".into()),
            )),
            None => None,
        }
    }
}

impl VectorStore for FailingVectorStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        self.call(Operation::Upsert, |store| {
            store.upsert(index, of, metadata, chunks)
        })
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.call(Operation::Search, |store| store.search(index, query))
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.call(Operation::Embeddings, |store| {
            store.embeddings(index, document, hashes)
        })
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.call(Operation::Remove, |store| store.remove(index, document, keep))
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.call(Operation::Clear, |store| store.clear(index))
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        self.call(Operation::Count, |store| store.count(index))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        self.call(Operation::Contents, |store| store.contents(index))
    }
}

impl fmt::Debug for FailingVectorStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingVectorStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Generation;

    use super::*;
    use crate::MemoryVectorStore;
    use crate::conformance::{self, Capabilities, chunk, scope, version};

    fn store() -> FailingVectorStore {
        FailingVectorStore::new(Arc::new(MemoryVectorStore::default()))
    }

    fn failure() -> VectorError {
        VectorError::Unavailable("scripted".into())
    }

    #[test]
    fn unscripted_it_is_the_store_behind_it() {
        conformance::vector_store(&store(), Capabilities::HYBRID);
    }

    #[test]
    fn while_down_every_call_fails() {
        let (store, acme) = (store(), scope("acme"));
        let index = acme.index(Generation::FIRST);
        store.set_down(true);
        assert!(store.clear(index).is_err());
        store.set_down(false);
        assert!(store.clear(index).is_ok());
    }

    #[test]
    fn the_nth_call_fails_before_or_after_it_took_effect() {
        let (store, acme) = (store(), scope("acme"));
        let index = acme.index(Generation::FIRST);
        let put = |n: u8| {
            store.upsert(
                index,
                version(n, 1),
                &Metadata::default(),
                &[chunk(0, "apples", None)],
            )
        };
        store.fail_nth(Operation::Upsert, 2, Moment::Before, failure());
        store.fail_nth(Operation::Upsert, 3, Moment::After, failure());
        assert!(put(1).is_ok());
        assert!(put(2).is_err());
        assert!(store.count(index).is_ok());
        assert!(put(3).is_err());
        assert!(put(4).is_ok());
        let stored: Vec<_> = store
            .contents(index)
            .unwrap()
            .into_iter()
            .map(|stored| stored.of)
            .collect();
        assert_eq!(stored, [version(1, 1), version(3, 1), version(4, 1)]);
    }

    #[test]
    fn scripts_of_the_next_call_are_worked_off_in_order() {
        let (store, acme) = (store(), scope("acme"));
        let index = acme.index(Generation::FIRST);
        store.fail_next(Operation::Count, VectorError::EmbeddingRequired);
        store.fail_next(Operation::Count, failure());
        assert!(matches!(store.count(index), Err(VectorError::EmbeddingRequired)));
        assert!(matches!(store.count(index), Err(VectorError::Unavailable(_))));
        assert_eq!(store.count(index).unwrap(), 0);
    }
}
