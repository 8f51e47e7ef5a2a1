use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tenantry_domain::{
    Chunk, ChunkHash, Dimension, DocumentId, DocumentVersion, Embedding, Generation, IndexScope, Metadata,
    TenantId,
};

use super::bm25::{self, TermCounts};
use crate::store::index_dimension;
use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore, fusion, terms};

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
/// #     system_prompt: None, search: SearchSettings::default(), chat: ChatSettings::default(), llm: None, ingesters: Ingesters::default(), is_active: true, created_at: at, updated_at: at });
/// # let scope = tenant.activate(Actor::system())?;
/// let store = MemoryVectorStore::default();
/// let index = scope.index(Generation::FIRST);
/// let text = "Refunds take five days.".to_owned();
/// let chunk = IndexedChunk {
///     chunk: Chunk { ordinal: 0, span: Span { start: 0, end: 23 }, text, headings: vec![], page: None },
///     context: "Terms of sale".into(),
///     hash: ChunkHash::from_bytes([7; 16]),
///     embedding: None,
/// };
/// let of = DocumentVersion { document: DocumentId::generate(at), version: 1 };
/// store.upsert(index, of, &Metadata::default(), &[chunk])?;
///
/// let query = VectorQuery::words("How long do refunds take?", TopK::new(3)?);
/// assert_eq!(store.search(index, query)?[0].chunk.text, "Refunds take five days.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryVectorStore {
    indexes: RwLock<HashMap<(TenantId, Generation), Index>>,
}

type Key = (DocumentVersion, u32);

#[derive(Debug, Default)]
struct Index {
    dimension: Option<Dimension>,
    metadata: BTreeMap<DocumentVersion, Metadata>,
    chunks: BTreeMap<Key, Entry>,
}

#[derive(Debug)]
struct Entry {
    chunk: Chunk,
    hash: ChunkHash,
    embedding: Option<Embedding>,
    terms: TermCounts,
}

fn key(index: IndexScope<'_>) -> (TenantId, Generation) {
    (index.tenant().id().clone(), index.generation())
}

impl MemoryVectorStore {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<(TenantId, Generation), Index>> {
        self.indexes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<(TenantId, Generation), Index>> {
        self.indexes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn search(&self, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let dense = match (query.embedding, self.dimension) {
            (Some(embedding), Some(expected)) if embedding.dimension() != expected => {
                let actual = embedding.dimension();
                return Err(VectorError::DimensionMismatch { expected, actual });
            }
            (Some(embedding), Some(_)) => Some(self.dense(embedding, query)),
            _ => None,
        };
        let terms = terms::query_terms(query.text);
        let lexical = (!terms.is_empty()).then(|| self.lexical(&terms, query));
        let fused = fusion::fuse(query.fusion, dense.as_deref(), lexical.as_deref(), query.limit);
        let matches = fused.into_iter().filter_map(|(key, score)| {
            let entry = self.chunks.get(&key)?;
            let embedding = entry.embedding.as_ref().filter(|_| query.with_embeddings);
            Some(Match {
                of: key.0,
                chunk: entry.chunk.clone(),
                score,
                embedding: embedding.cloned(),
            })
        });
        Ok(matches.collect())
    }

    fn dense(&self, wanted: &Embedding, query: VectorQuery<'_>) -> Vec<(Key, f32)> {
        let passing = self.chunks.iter().filter(|(key, _)| self.passes(**key, query));
        let cosine = |(key, entry): (&Key, &Entry)| Some((*key, entry.embedding.as_ref()?.cosine(wanted)?));
        best(passing.filter_map(cosine).collect(), query)
    }

    fn lexical(&self, terms: &[terms::Term], query: VectorQuery<'_>) -> Vec<(Key, f32)> {
        let counts = self.chunks.iter().map(|(key, entry)| (*key, &entry.terms));
        best(
            bm25::relevance(counts, terms, |key| self.passes(key, query)),
            query,
        )
    }

    fn passes(&self, (of, _): Key, query: VectorQuery<'_>) -> bool {
        query.filter.is_none_or(|filter| {
            let metadata = self.metadata.get(&of);
            metadata.is_some_and(|metadata| filter.matches(metadata))
        })
    }

    fn contents(&self) -> Vec<StoredVersion> {
        let mut versions: BTreeMap<DocumentVersion, StoredVersion> = BTreeMap::new();
        for ((of, _), entry) in &self.chunks {
            let stored = versions.entry(*of).or_insert(StoredVersion {
                of: *of,
                chunks: 0,
                embedded: 0,
            });
            stored.chunks += 1;
            stored.embedded += u64::from(entry.embedding.is_some());
        }
        versions.into_values().collect()
    }
}

fn best(mut ranking: Vec<(Key, f32)>, query: VectorQuery<'_>) -> Vec<(Key, f32)> {
    fusion::rank(&mut ranking);
    ranking.truncate(fusion::candidates(query.limit));
    ranking
}

impl VectorStore for MemoryVectorStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let mut indexes = self.write();
        let known = indexes.get(&key(index)).and_then(|index| index.dimension);
        let dimension = index_dimension(known, chunks)?;
        let index = indexes.entry(key(index)).or_default();
        index.dimension = dimension;
        index.metadata.insert(of, metadata.clone());
        for indexed in chunks {
            let entry = Entry {
                chunk: indexed.chunk.clone(),
                hash: indexed.hash,
                embedding: indexed.embedding.clone(),
                terms: TermCounts::of(&indexed.searched_text()),
            };
            index.chunks.insert((of, indexed.chunk.ordinal), entry);
        }
        Ok(())
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        match self.read().get(&key(index)) {
            Some(index) => index.search(query),
            None => Ok(Vec::new()),
        }
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        let indexes = self.read();
        let Some(index) = indexes.get(&key(index)) else {
            return Ok(HashMap::new());
        };
        let own = index.chunks.iter().filter(|((of, _), _)| of.document == document);
        let asked = own.filter(|(_, entry)| hashes.contains(&entry.hash));
        Ok(asked
            .filter_map(|(_, entry)| Some((entry.hash, entry.embedding.clone()?)))
            .collect())
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        if let Some(index) = self.write().get_mut(&key(index)) {
            let stays = |of: &DocumentVersion| of.document != document || Some(of.version) == keep;
            index.chunks.retain(|(of, _), _| stays(of));
            index.metadata.retain(|of, _| stays(of));
        }
        Ok(())
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.write().remove(&key(index));
        Ok(())
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        let indexes = self.read();
        let chunks = indexes.get(&key(index)).map_or(0, |index| index.chunks.len());
        Ok(u64::try_from(chunks).unwrap_or(u64::MAX))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        Ok(self
            .read()
            .get(&key(index))
            .map(Index::contents)
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, Capabilities};

    #[test]
    fn it_keeps_the_promises_of_a_vector_store() {
        conformance::vector_store(&MemoryVectorStore::default(), Capabilities::HYBRID);
    }

    #[test]
    fn no_tenant_sees_another_one_s() {
        for seed in 1..=5 {
            conformance::isolation(&MemoryVectorStore::default(), Capabilities::HYBRID, seed, 300);
        }
    }
}
