use std::collections::HashMap;

use tenantry_domain::{
    Chunk, ChunkHash, Dimension, DocumentId, DocumentVersion, Embedding, Filter, Fusion, IndexScope,
    Metadata, ScoreParts, TopK,
};

use crate::VectorError;

/// A chunk on its way into the store.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedChunk {
    /// The chunk.
    pub chunk: Chunk,
    /// What stands above it, as the document's title and the headings: its words are searched like the chunk's own.
    pub context: String,
    /// What the embedding was made from.
    pub hash: ChunkHash,
    /// Its embedding; without one it is found by its words alone.
    pub embedding: Option<Embedding>,
}

impl IndexedChunk {
    /// The text whose words are searched: the context, and below it the chunk's text.
    pub fn searched_text(&self) -> String {
        if self.context.is_empty() {
            self.chunk.text.clone()
        } else {
            format!("{}\n{}", self.context, self.chunk.text)
        }
    }
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
    /// How the two rankings become one.
    pub fusion: Fusion,
    /// What the documents' metadata must be like; [`Filter::check`] has let it through.
    pub filter: Option<&'a Filter>,
    /// Whether matches bring their embeddings.
    pub with_embeddings: bool,
}

impl<'a> VectorQuery<'a> {
    /// A search for `text` by words, under the default fusion.
    pub fn words(text: &'a str, limit: TopK) -> Self {
        Self {
            text,
            embedding: None,
            limit,
            fusion: Fusion::default(),
            filter: None,
            with_embeddings: false,
        }
    }
}

/// A chunk that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The version that it stands in.
    pub of: DocumentVersion,
    /// The chunk.
    pub chunk: Chunk,
    /// Why it matches.
    pub score: ScoreParts,
    /// Its embedding, where the query asked for it and there is one; a store of two services has it only for what the dense
    /// search found.
    pub embedding: Option<Embedding>,
}

/// How much of a document's version is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredVersion {
    /// The version.
    pub of: DocumentVersion,
    /// Its chunks.
    pub chunks: u64,
    /// Of these, the ones with an embedding.
    pub embedded: u64,
}

/// Stores and searches the chunks of one tenant's indexes.
///
/// A chunk is known by its document's version and its ordinal. Every implementation keeps these promises, which
/// `conformance` checks: an index's chunks are seen in that tenant's index of that generation alone, also where ids are
/// equal; writing a chunk again replaces it; removing what is not there is no failure; matches come best first and at most
/// `limit`; an index without chunks has no matches; no text, whatever its characters, is taken for anything but words, and no
/// filter's key or value for anything but data; a filter lets through exactly the chunks whose version's metadata it
/// [matches](Filter::matches). An index's dimension is its first embedding's, until it is cleared, or the service's where that
/// fixes one.
///
/// Every version that was written is searched; which ones may be shown is the caller's to know.
pub trait VectorStore: Send + Sync {
    /// Stores `chunks` of a version, replacing those that are there already, with the version's `metadata`, which is the same
    /// in each call for it. Without chunks nothing changes.
    ///
    /// # Errors
    /// When an embedding's dimension is not the index's, or the store fails; then some chunks may be stored, and the
    /// same call again completes it.
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError>;

    /// Finds the best matches, best first; ties are broken by version and ordinal.
    ///
    /// # Errors
    /// When the query's dimension is not the index's, the store needs an embedding and has none, or the store fails.
    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError>;

    /// The embeddings that `document`'s versions have for those hashes. A store that would have to read more than it can
    /// hold may leave some out: they are made again then.
    ///
    /// # Errors
    /// When the store fails.
    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError>;

    /// Removes every chunk of `document`, but those of version `keep` when one is given.
    ///
    /// # Errors
    /// When the store fails; then some chunks may be left, and the same call again completes it.
    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError>;

    /// Removes the index with everything in it.
    ///
    /// # Errors
    /// When the store fails.
    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError>;

    /// How many chunks the index has; a remote store's count may lag behind its writes.
    ///
    /// # Errors
    /// When the store fails.
    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError>;

    /// Every version that has chunks in the index, ordered by document and version, for comparing the index with the records.
    ///
    /// # Errors
    /// When the store fails.
    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError>;
}

/// The dimension of an index of `known` dimension once `chunks` are in it.
///
/// # Errors
/// [`VectorError::DimensionMismatch`] when the embeddings do not all have one dimension.
pub(crate) fn index_dimension(
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
