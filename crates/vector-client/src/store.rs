use tenantry_domain::{Chunk, Dimension, DocumentId, Embedding, ScoreParts, TenantScope, TopK};

use crate::VectorError;

/// A chunk on its way into the store.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedChunk {
    /// The document it stands in.
    pub document: DocumentId,
    /// The chunk.
    pub chunk: Chunk,
    /// Its embedding; without one it is found by its words alone.
    pub embedding: Option<Embedding>,
}

/// What to search for.
#[derive(Debug, Clone, Copy)]
pub struct VectorQuery<'a> {
    /// The query's words.
    pub text: &'a str,
    /// The query's embedding, by the model that embedded the chunks; without one only words are matched.
    pub embedding: Option<&'a Embedding>,
    /// How many matches at most.
    pub limit: TopK,
}

/// A chunk that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The document it stands in.
    pub document: DocumentId,
    /// The chunk.
    pub chunk: Chunk,
    /// Why it matches.
    pub score: ScoreParts,
}

/// Stores and searches the chunks of one tenant at a time.
///
/// A chunk is known by its document and ordinal. Every implementation keeps these promises, which `conformance` checks:
/// a tenant's chunks are seen by that tenant alone, also where ids are equal; writing a chunk again replaces it; removing
/// what is not there is no failure; matches come best first and at most `limit`; a tenant without chunks has no matches;
/// no text, whatever its characters, is taken for anything but words. A collection's dimension is its first embedding's,
/// until it is cleared, or the service's where that fixes one.
pub trait VectorStore: Send + Sync {
    /// Stores `chunks`, replacing those that are there already.
    ///
    /// # Errors
    /// When an embedding's dimension is not the collection's, or the store fails; then some chunks may be stored, and the
    /// same call again completes it.
    fn upsert(&self, scope: &TenantScope, chunks: &[IndexedChunk]) -> Result<(), VectorError>;

    /// Finds the best matches, best first; ties are broken by document and ordinal.
    ///
    /// # Errors
    /// When the query's dimension is not the collection's, the store needs an embedding and has none, or the store fails.
    fn search(&self, scope: &TenantScope, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError>;

    /// Removes every chunk of `document`.
    ///
    /// # Errors
    /// When the store fails; then some chunks may be left, and the same call again completes it.
    fn remove_document(&self, scope: &TenantScope, document: DocumentId) -> Result<(), VectorError>;

    /// Removes everything that the tenant has in this store.
    ///
    /// # Errors
    /// When the store fails.
    fn clear(&self, scope: &TenantScope) -> Result<(), VectorError>;

    /// How many chunks the tenant has; a remote store's count may lag behind its writes.
    ///
    /// # Errors
    /// When the store fails.
    fn count(&self, scope: &TenantScope) -> Result<u64, VectorError>;
}

/// The dimension of a collection of `known` dimension once `chunks` are in it.
///
/// # Errors
/// [`VectorError::DimensionMismatch`] when the embeddings do not all have one dimension.
pub(crate) fn collection_dimension(
    known: Option<Dimension>,
    chunks: &[IndexedChunk],
) -> Result<Option<Dimension>, VectorError> {
    let embeddings = chunks.iter().filter_map(|chunk| chunk.embedding.as_ref());
    embeddings
        .map(Embedding::dimension)
        .try_fold(known, |known, actual| match known {
            Some(expected) if expected != actual => Err(VectorError::DimensionMismatch { expected, actual }),
            _ => Ok(Some(actual)),
        })
}
