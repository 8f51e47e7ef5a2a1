use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::{
    Chunk, ChunkHash, DocumentId, DocumentVersion, Embedding, Generation, IndexScope, Metadata,
};
use tenantry_http_client::Transport;

use super::filter::{Fields, push_down};
use super::index::{Index, embedding};
use super::metadata;
use super::nearest::{Near, Wanted};
use super::options::PineconeOptions;
use super::record::{self, RecordId};
use super::upstream::CALL_DEADLINES;
use crate::fusion::fuse;
use crate::records::passes;
use crate::store::index_dimension;
use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore};

/// The most records of a document whose embeddings are read for reuse: ten fetches.
const MAX_REUSED: usize = 1_000;

/// Keeps chunks in a Pinecone index and finds them by their embeddings alone: a tenant's first index in the namespace of the
/// tenant's id, a later one in `<tenant>.<generation>`.
///
/// Pinecone shows a write a few seconds late, in searches, listings and counts. The index must measure by cosine or dot
/// product; [`crate::IndexCatalog`] tells. Records in the namespace that were written by something else are not matched.
///
/// Filters are the service's own work, but for ranges of texts and their negations, which it does not know: for those the
/// nearest 1,000 chunks are looked through. Metadata is kept with each chunk, so that of a version that is written in
/// several calls, all must give the same. [`VectorStore::embeddings`] reads at most 1,000 records of the document,
/// [`VectorStore::contents`] at most two million of the index.
#[derive(Debug)]
pub struct PineconeStore {
    index: Index,
}

impl PineconeStore {
    /// A store in the index that is served at `host`, as the catalog or the operator names it: with or without a scheme.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`VectorError::Unauthorized`] when the key cannot be one, [`VectorError::Refused`] when the host cannot.
    pub fn connect(
        transport: Arc<dyn Transport>,
        options: &PineconeOptions,
        host: &str,
        api_key: SecretString,
    ) -> Result<Self, VectorError> {
        let index = Index::connect(transport, options, host, api_key)?;
        Ok(Self { index })
    }

    /// Every id of `document`'s records with what it says.
    fn ids(
        &self,
        namespace: &str,
        document: DocumentId,
        mut take: impl FnMut(String, Option<RecordId>) -> ControlFlow<()>,
    ) -> Result<(), VectorError> {
        self.index.list(namespace, &record::id_prefix(document), |id| {
            let parsed = id.parse().ok();
            take(id, parsed)
        })
    }
}

/// Where an index is kept. No tenant id has a dot, so no tenant's namespace is another's. Pinecone takes ASCII of 1 to 512
/// characters (<https://docs.pinecone.io/reference/api/database-limits/identifier-limits>).
fn namespace(index: IndexScope<'_>) -> String {
    let (tenant, generation) = (index.tenant().id(), index.generation());
    if generation == Generation::FIRST {
        tenant.to_string()
    } else {
        format!("{tenant}.{generation}")
    }
}

impl VectorStore for PineconeStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        let dimension = index_dimension(None, chunks)?;
        let fields = metadata::fields(metadata);
        let records = chunks.iter().map(|chunk| record::encode(of, &fields, chunk));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        self.index.upsert(&namespace(index), records, dimension)
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let wanted = Wanted {
            namespace: &namespace(index),
            embedding: query.embedding.ok_or(VectorError::EmbeddingRequired)?,
            pushdown: &push_down(query.filter, Fields::Ours),
            limit: query.limit,
            with_embeddings: query.with_embeddings,
        };
        let near = self.index.nearest(
            wanted,
            |id, fields| {
                let passes = passes(query.filter, &metadata::ours(&fields));
                passes.then(|| record::decode(id, fields)).flatten()
            },
            |near| place(&near.record),
        )?;
        Ok(scored(near, query))
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        let mut reusable = HashMap::new();
        if hashes.is_empty() {
            return Ok(reusable);
        }
        let namespace = namespace(index);
        let mut ids = Vec::new();
        self.ids(&namespace, document, |id, parsed| {
            ids.extend(parsed.map(|_| id));
            if ids.len() < MAX_REUSED {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let wanted: HashMap<_, _> = hashes
            .iter()
            .map(|hash| (record::hexadecimal(hash), *hash))
            .collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        self.index.fetch(&namespace, &ids, CALL_DEADLINES, |records| {
            let found = records.into_values().filter_map(|record| {
                let hash = wanted.get(record::hash(record.metadata.as_ref()?)?)?;
                Some((*hash, embedding(record.values)?))
            });
            reusable.extend(found);
            reusable.len() == wanted.len()
        })?;
        Ok(reusable)
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        let namespace = namespace(index);
        let mut ids = Vec::new();
        let listed = self.ids(&namespace, document, |id, parsed| {
            let is_kept = keep.is_some() && parsed.map(|id| id.of.version) == keep;
            ids.extend((!is_kept).then_some(id));
            ControlFlow::Continue(())
        });
        // What a listing that broke off did tell can go already.
        self.index.delete(&namespace, &ids)?;
        listed
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.index.delete_namespace(&namespace(index))
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        let stats = self.index.stats()?;
        let namespace = stats.namespaces.get(&namespace(index));
        Ok(namespace
            .and_then(|namespace| namespace.vector_count)
            .unwrap_or(0))
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        let mut ordinals: BTreeMap<DocumentVersion, HashSet<u32>> = BTreeMap::new();
        self.index.list(&namespace(index), "", |id| {
            if let Ok(RecordId { of, ordinal }) = id.parse() {
                ordinals.entry(of).or_default().insert(ordinal);
            }
            ControlFlow::Continue(())
        })?;
        let versions = ordinals.into_iter().map(|(of, ordinals)| {
            let chunks = u64::try_from(ordinals.len()).unwrap_or(u64::MAX);
            // Pinecone keeps no record without a vector.
            let embedded = chunks;
            StoredVersion { of, chunks, embedded }
        });
        Ok(versions.collect())
    }
}

fn place((of, chunk): &(DocumentVersion, Chunk)) -> (DocumentVersion, u32) {
    (*of, chunk.ordinal)
}

/// The matches of a dense ranking that is the only one.
fn scored(near: Vec<Near<(DocumentVersion, Chunk)>>, query: VectorQuery<'_>) -> Vec<Match> {
    let ranking: Vec<_> = near
        .iter()
        .map(|near| (place(&near.record), near.score))
        .collect();
    let mut by_place: HashMap<_, _> = near.into_iter().map(|near| (place(&near.record), near)).collect();
    let fused = fuse(query.fusion, Some(&ranking), None, query.limit);
    let matches = fused.into_iter().filter_map(|(place, score)| {
        let Near {
            embedding, record, ..
        } = by_place.remove(&place)?;
        let (of, chunk) = record;
        Some(Match {
            of,
            chunk,
            score,
            embedding: embedding.filter(|_| query.with_embeddings),
        })
    });
    matches.collect()
}
