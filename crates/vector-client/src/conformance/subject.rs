use tenantry_domain::{DocumentVersion, Embedding, Generation, IndexScope, Metadata, TenantScope, TopK};

use super::fixture::{embedding, scope};
use crate::{IndexedChunk, Match, StoredVersion, VectorQuery, VectorStore};

pub(super) const NORTH: [f32; 3] = [1.0, 0.0, 0.0];
pub(super) const EAST: [f32; 3] = [0.0, 1.0, 0.0];
pub(super) const UP: [f32; 3] = [0.0, 0.0, 1.0];

/// One index of the store that is checked.
pub(super) struct Subject<'s> {
    pub(super) store: &'s dyn VectorStore,
    tenant: TenantScope,
    generation: Generation,
}

impl<'s> Subject<'s> {
    /// The first index of the tenant with that id, without what an earlier check left in it.
    pub(super) fn emptied(store: &'s dyn VectorStore, tenant: &str) -> Self {
        Self::generation(store, tenant, 1)
    }

    /// As [`Subject::emptied`], of another generation.
    pub(super) fn generation(store: &'s dyn VectorStore, tenant: &str, generation: u32) -> Self {
        let subject = Self {
            store,
            tenant: scope(tenant),
            generation: Generation::new(generation).expect("generations count from 1"),
        };
        store.clear(subject.index()).expect("cleared");
        subject
    }

    pub(super) fn index(&self) -> IndexScope<'_> {
        self.tenant.index(self.generation)
    }

    pub(super) fn put(&self, of: DocumentVersion, chunks: &[IndexedChunk]) {
        self.put_with(of, &Metadata::default(), chunks);
    }

    pub(super) fn put_with(&self, of: DocumentVersion, metadata: &Metadata, chunks: &[IndexedChunk]) {
        self.store
            .upsert(self.index(), of, metadata, chunks)
            .unwrap_or_else(|error| panic!("{of:?} is not stored: {error:?}"));
    }

    pub(super) fn search(&self, query: VectorQuery<'_>) -> Vec<Match> {
        self.store
            .search(self.index(), query)
            .unwrap_or_else(|error| panic!("no answer to {query:.200?}: {error:?}"))
    }

    pub(super) fn by_embedding(&self, values: &[f32], limit: u16) -> Vec<Match> {
        self.search(dense(&embedding(values), limit))
    }

    pub(super) fn all(&self) -> Vec<Match> {
        self.by_embedding(&NORTH, TopK::MAX)
    }

    pub(super) fn remove(&self, of: DocumentVersion) {
        self.store
            .remove(self.index(), of.document, None)
            .expect("removed");
    }

    pub(super) fn count(&self) -> u64 {
        self.store.count(self.index()).expect("counted")
    }

    pub(super) fn contents(&self) -> Vec<StoredVersion> {
        self.store.contents(self.index()).expect("listed")
    }
}

pub(super) fn top(n: u16) -> TopK {
    TopK::new(n).expect("1 to 1,000")
}

/// A search by embedding alone.
pub(super) fn dense(wanted: &Embedding, limit: u16) -> VectorQuery<'_> {
    hybrid("", wanted, limit)
}

/// A search by words and embedding.
pub(super) fn hybrid<'a>(text: &'a str, wanted: &'a Embedding, limit: u16) -> VectorQuery<'a> {
    VectorQuery {
        embedding: Some(wanted),
        ..VectorQuery::words(text, top(limit))
    }
}

pub(super) fn texts(matches: &[Match]) -> Vec<&str> {
    matches.iter().map(|found| found.chunk.text.as_str()).collect()
}
