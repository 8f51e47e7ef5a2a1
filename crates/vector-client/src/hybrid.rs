use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tenantry_domain::{ChunkHash, DocumentId, DocumentVersion, Embedding, IndexScope, Metadata, TopK};

use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore, fusion};

/// Searches by embedding in one store and by words in another one, as one store: for a service that knows no words.
///
/// Both stores get every chunk, the lexical one without its embedding. A crash between the two leaves a version that is
/// short in one of them: [`VectorStore::contents`] and [`VectorStore::count`] tell what both have, so that comparing them
/// with the records shows it, and writing or removing it again repairs it. A match that only its words found brings no
/// embedding, though the query asks for one.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_vector_client::{HybridStore, MemoryVectorStore, VectorStore};
///
/// let (service, words) = (MemoryVectorStore::default(), MemoryVectorStore::default());
/// let store: Arc<dyn VectorStore> = Arc::new(HybridStore::new(Arc::new(service), Arc::new(words)));
/// ```
pub struct HybridStore {
    dense: Arc<dyn VectorStore>,
    lexical: Arc<dyn VectorStore>,
}

type Key = (DocumentVersion, u32);

impl HybridStore {
    /// One store of the two: `dense` is searched by embeddings only, `lexical` by words only.
    pub fn new(dense: Arc<dyn VectorStore>, lexical: Arc<dyn VectorStore>) -> Self {
        Self { dense, lexical }
    }

    fn by_embedding(
        &self,
        index: IndexScope<'_>,
        query: VectorQuery<'_>,
    ) -> Result<Option<Vec<Match>>, VectorError> {
        if query.embedding.is_none() {
            return Ok(None);
        }
        let found = self.dense.search(index, VectorQuery { text: "", ..query })?;
        Ok(Some(found))
    }

    fn by_words(
        &self,
        index: IndexScope<'_>,
        query: VectorQuery<'_>,
    ) -> Result<Option<Vec<Match>>, VectorError> {
        if crate::terms::query_terms(query.text).is_empty() {
            return Ok(None);
        }
        let query = VectorQuery {
            embedding: None,
            with_embeddings: false,
            ..query
        };
        self.lexical.search(index, query).map(Some)
    }
}

/// The places of a store's matches with the score that they have there, best first.
fn ranking(found: &[Match], score: impl Fn(&Match) -> Option<f32>) -> Vec<(Key, f32)> {
    let scored = found.iter().filter_map(|found| Some((key(found), score(found)?)));
    let mut ranking: Vec<_> = scored.collect();
    fusion::rank(&mut ranking);
    ranking
}

fn key(found: &Match) -> Key {
    (found.of, found.chunk.ordinal)
}

impl VectorStore for HybridStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        // The dense store is the one that refuses: of another dimension, or without an embedding.
        self.dense.upsert(index, of, metadata, chunks)?;
        let words: Vec<_> = chunks
            .iter()
            .map(|chunk| IndexedChunk {
                embedding: None,
                ..chunk.clone()
            })
            .collect();
        self.lexical.upsert(index, of, metadata, &words)
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let wide = VectorQuery {
            limit: TopK::clamp(fusion::candidates(query.limit)),
            ..query
        };
        let dense = self.by_embedding(index, wide)?;
        let lexical = self.by_words(index, wide)?;
        let by_embedding = dense
            .as_deref()
            .map(|found| ranking(found, |found| found.score.dense));
        let by_words = lexical
            .as_deref()
            .map(|found| ranking(found, |found| found.score.lexical));
        let fused = fusion::fuse(
            query.fusion,
            by_embedding.as_deref(),
            by_words.as_deref(),
            query.limit,
        );
        // The dense store's matches come last, because they bring the embeddings.
        let found = lexical.into_iter().chain(dense).flatten();
        let mut found: HashMap<Key, Match> = found.map(|found| (key(&found), found)).collect();
        let matches = fused.into_iter().filter_map(|(key, score)| {
            let found = found.remove(&key)?;
            Some(Match { score, ..found })
        });
        Ok(matches.collect())
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.dense.embeddings(index, document, hashes)
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.dense.remove(index, document, keep)?;
        self.lexical.remove(index, document, keep)
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.dense.clear(index)?;
        self.lexical.clear(index)
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        Ok(self.dense.count(index)?.min(self.lexical.count(index)?))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        let by_version = |stored: Vec<StoredVersion>| -> BTreeMap<_, _> {
            stored.into_iter().map(|stored| (stored.of, stored)).collect()
        };
        let dense = by_version(self.dense.contents(index)?);
        let lexical = by_version(self.lexical.contents(index)?);
        let versions: std::collections::BTreeSet<_> = dense.keys().chain(lexical.keys()).copied().collect();
        let in_both = |of| {
            let (dense, lexical) = (dense.get(&of), lexical.get(&of));
            let chunks = dense
                .zip(lexical)
                .map_or(0, |(dense, lexical)| dense.chunks.min(lexical.chunks));
            let embedded = dense.map_or(0, |dense| dense.embedded).min(chunks);
            StoredVersion { of, chunks, embedded }
        };
        Ok(versions.into_iter().map(in_both).collect())
    }
}

impl std::fmt::Debug for HybridStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HybridStore").finish_non_exhaustive()
    }
}
