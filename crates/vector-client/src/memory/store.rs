use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tenantry_domain::{Chunk, Dimension, DocumentId, Embedding, TenantId, TenantScope};

use super::bm25::{self, TermCounts};
use crate::fusion::{self, Fusion};
use crate::store::collection_dimension;
use crate::{IndexedChunk, Match, VectorError, VectorQuery, VectorStore, terms};

/// Keeps chunks in memory and searches them all, by embedding and by words; loses everything when dropped.
///
/// # Examples
/// ```
/// # use std::sync::Arc;
/// # use tenantry_domain::*;
/// use tenantry_vector_client::{IndexedChunk, MemoryVectorStore, VectorQuery, VectorStore};
///
/// # let at = Timestamp::from_unix_micros(0)?;
/// # let tenant = Arc::new(Tenant { id: "acme".parse()?, name: "Acme".into(), pinecone: PineconeSettings::default(),
/// #     system_prompt: None, is_active: true, created_at: at, updated_at: at });
/// # let scope = tenant.activate()?;
/// let store = MemoryVectorStore::default();
/// let text = "Refunds take five days.".to_owned();
/// let chunk = Chunk { ordinal: 0, span: Span { start: 0, end: 23 }, text };
/// store.upsert(&scope, &[IndexedChunk { document: DocumentId::generate(at), chunk, embedding: None }])?;
///
/// let query = VectorQuery { text: "How long do refunds take?", embedding: None, limit: TopK::new(3)? };
/// assert_eq!(store.search(&scope, query)?[0].chunk.text, "Refunds take five days.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryVectorStore {
    fusion: Fusion,
    collections: RwLock<HashMap<TenantId, Collection>>,
}

type Key = (DocumentId, u32);

#[derive(Debug, Default)]
struct Collection {
    dimension: Option<Dimension>,
    chunks: BTreeMap<Key, Entry>,
}

#[derive(Debug)]
struct Entry {
    chunk: Chunk,
    embedding: Option<Embedding>,
    terms: TermCounts,
}

impl MemoryVectorStore {
    /// An empty store that fuses its rankings by `fusion`.
    pub fn new(fusion: Fusion) -> Self {
        Self {
            fusion,
            collections: RwLock::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<TenantId, Collection>> {
        self.collections.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TenantId, Collection>> {
        self.collections.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collection {
    fn dense(&self, wanted: &Embedding, candidates: usize) -> Vec<(Key, f32)> {
        let cosine = |(key, entry): (&Key, &Entry)| Some((*key, entry.embedding.as_ref()?.cosine(wanted)?));
        best(self.chunks.iter().filter_map(cosine).collect(), candidates)
    }

    fn lexical(&self, text: &str, candidates: usize) -> Vec<(Key, f32)> {
        let counts = self.chunks.iter().map(|(key, entry)| (*key, &entry.terms));
        best(bm25::relevance(counts, &terms::query_terms(text)), candidates)
    }
}

fn best(mut ranking: Vec<(Key, f32)>, candidates: usize) -> Vec<(Key, f32)> {
    fusion::rank(&mut ranking);
    ranking.truncate(candidates);
    ranking
}

impl VectorStore for MemoryVectorStore {
    fn upsert(&self, scope: &TenantScope, chunks: &[IndexedChunk]) -> Result<(), VectorError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let mut collections = self.write();
        let known = collections
            .get(scope.id())
            .and_then(|collection| collection.dimension);
        let dimension = collection_dimension(known, chunks)?;
        let collection = collections.entry(scope.id().clone()).or_default();
        collection.dimension = dimension;
        for IndexedChunk {
            document,
            chunk,
            embedding,
        } in chunks
        {
            let terms = TermCounts::of(&chunk.text);
            let entry = Entry {
                chunk: chunk.clone(),
                embedding: embedding.clone(),
                terms,
            };
            collection.chunks.insert((*document, chunk.ordinal), entry);
        }
        Ok(())
    }

    fn search(&self, scope: &TenantScope, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let collections = self.read();
        let Some(collection) = collections.get(scope.id()) else {
            return Ok(Vec::new());
        };
        let candidates = fusion::candidates(query.limit);
        let dense = match (query.embedding, collection.dimension) {
            (Some(embedding), Some(expected)) if embedding.dimension() != expected => {
                return Err(VectorError::DimensionMismatch {
                    expected,
                    actual: embedding.dimension(),
                });
            }
            (Some(embedding), Some(_)) => collection.dense(embedding, candidates),
            _ => Vec::new(),
        };
        let lexical = collection.lexical(query.text, candidates);
        let found = fusion::fuse(&self.fusion, &dense, &lexical, query.limit).into_iter();
        let matches = found.filter_map(|(key, score)| {
            let entry = collection.chunks.get(&key)?;
            Some(Match {
                document: key.0,
                chunk: entry.chunk.clone(),
                score,
            })
        });
        Ok(matches.collect())
    }

    fn remove_document(&self, scope: &TenantScope, document: DocumentId) -> Result<(), VectorError> {
        if let Some(collection) = self.write().get_mut(scope.id()) {
            collection.chunks.retain(|(owner, _), _| *owner != document);
        }
        Ok(())
    }

    fn clear(&self, scope: &TenantScope) -> Result<(), VectorError> {
        self.write().remove(scope.id());
        Ok(())
    }

    fn count(&self, scope: &TenantScope) -> Result<u64, VectorError> {
        let chunks = self
            .read()
            .get(scope.id())
            .map_or(0, |collection| collection.chunks.len());
        Ok(u64::try_from(chunks).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, Capabilities};

    #[test]
    fn it_keeps_the_promises_of_a_vector_store() {
        conformance::vector_store(&MemoryVectorStore::default(), Capabilities { lexical: true });
    }
}
