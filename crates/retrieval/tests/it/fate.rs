//! Ends a worker at a chosen call of any of its parts, or lets that call alone fail.

use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tenantry_domain::{
    ChunkHash, DocumentId, DocumentVersion, Embedding, EmbeddingModel, IndexScope, Metadata,
};
use tenantry_extraction::{ExtractError, Extracted, Extractor, FileHint, Sink};
use tenantry_llm_client::{Embedded, Embedder, LlmError};
use tenantry_tenant_store::MemoryStore;
use tenantry_tenant_store::testing::{FailingStore, unavailable};
use tenantry_vector_client::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It fails, and with it every call after it, as far as anybody hears of a process that was killed.
    Death,
    /// It fails, and what comes after it does not.
    Fault,
    /// It does what it should, but its caller hears of a failure, as when a connection breaks in between.
    LostAnswer,
}

/// Counts the calls of all parts.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    calls: AtomicUsize,
    end: Mutex<Option<(End, usize)>>,
}

impl Fate {
    /// Counts from now on, and lets `end` come at call `n`, counted from 0.
    pub(crate) fn choose(self: &Arc<Self>, store: &FailingStore<MemoryStore>, end: End, n: usize) {
        self.calls.store(0, Ordering::SeqCst);
        *self.end.lock().unwrap() = Some((end, n));
        let fate = self.clone();
        let script = move |_: &str| (!fate.spares()).then(unavailable);
        match end {
            End::Death | End::Fault => store.fail_when(script),
            End::LostAnswer => store.lose_when(script),
        }
    }

    /// Lets everything live again, and tells whether the chosen call was made.
    pub(crate) fn lift(&self, store: &FailingStore<MemoryStore>) -> bool {
        store.heal();
        let chosen = self.end.lock().unwrap().take();
        chosen.is_some_and(|(_, n)| self.calls.load(Ordering::SeqCst) > n)
    }

    fn spares(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match *self.end.lock().unwrap() {
            None => true,
            Some((End::Death, n)) => call < n,
            Some((End::Fault | End::LostAnswer, n)) => call != n,
        }
    }

    /// The answer of a call, or the failure that its caller hears of instead.
    fn answer<R, E>(&self, call: impl FnOnce() -> Result<R, E>, failure: impl FnOnce() -> E) -> Result<R, E> {
        if matches!(*self.end.lock().unwrap(), Some((End::LostAnswer, _))) {
            let answer = call()?;
            return if self.spares() { Ok(answer) } else { Err(failure()) };
        }
        if self.spares() { call() } else { Err(failure()) }
    }
}

/// A part under that fate.
pub(crate) struct Fated<T: ?Sized> {
    inner: Arc<T>,
    fate: Arc<Fate>,
}

impl<T: ?Sized> Fated<T> {
    pub(crate) fn new(inner: Arc<T>, fate: Arc<Fate>) -> Self {
        Self { inner, fate }
    }

    fn vectors<R>(&self, call: impl FnOnce(&T) -> Result<R, VectorError>) -> Result<R, VectorError> {
        let failure = || VectorError::Unavailable("a scripted end".into());
        self.fate.answer(|| call(&self.inner), failure)
    }
}

impl<T: VectorStore + ?Sized> VectorStore for Fated<T> {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        self.vectors(|inner| inner.upsert(index, of, metadata, chunks))
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.vectors(|inner| inner.search(index, query))
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.vectors(|inner| inner.embeddings(index, document, hashes))
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.vectors(|inner| inner.remove(index, document, keep))
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.vectors(|inner| inner.clear(index))
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        self.vectors(|inner| inner.count(index))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        self.vectors(|inner| inner.contents(index))
    }
}

impl<T: Extractor + ?Sized> Extractor for Fated<T> {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let failure = || ExtractError::Unavailable("a scripted end".into());
        self.fate.answer(|| self.inner.extract(file, hint, sink), failure)
    }
}

impl<T: Embedder + ?Sized> Embedder for Fated<T> {
    fn identity(&self) -> EmbeddingModel {
        self.inner.identity()
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        let failure = || LlmError::Unavailable("a scripted end".into());
        self.fate.answer(|| self.inner.embed(texts), failure)
    }
}

/// Places texts by their words, under a name of its own, and counts them.
pub(crate) struct Counting {
    name: &'static str,
    texts: AtomicUsize,
    fails: Mutex<Vec<LlmError>>,
}

impl Counting {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            texts: AtomicUsize::new(0),
            fails: Mutex::default(),
        })
    }

    /// How many texts were embedded since the last time that this was asked.
    pub(crate) fn texts(&self) -> usize {
        self.texts.swap(0, Ordering::SeqCst)
    }

    /// Fails the next call.
    pub(crate) fn fail_next(&self, error: LlmError) {
        self.fails.lock().unwrap().push(error);
    }
}

impl Embedder for Counting {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "test".into(),
            name: self.name.into(),
            // Learned from the first answer, as with a compatible server.
            dimension: None,
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        if let Some(error) = self.fails.lock().unwrap().pop() {
            return Err(error);
        }
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        tenantry_llm_client::MemoryEmbedder.embed(texts)
    }
}
