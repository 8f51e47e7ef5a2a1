use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tenantry_domain::{
    BoxError, Chunk, ChunkHash, DocumentVersion, Embedding, Index, Metadata, Segment, TenantScope, TextFormat,
};
use tenantry_llm_client::{Embedder, LlmError};
use tenantry_tenant_store::DocumentStore;
use tenantry_vector_client::IndexedChunk;

use super::context::{context, embedded_text, hash, line};
use super::error::IndexError;
use crate::meter::Meter;
use crate::{Collections, Embedders, OwnCollection, Splitter};

/// How many chunks are embedded and stored at a time.
const BATCH: usize = 64;
/// How many segments are read at a time.
const SEGMENTS: u16 = 8;

/// Splits, embeds and stores the text of documents.
pub(crate) struct ChunkWriter {
    documents: Arc<dyn DocumentStore>,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    meter: Meter,
    splitter: Splitter,
}

/// The version whose text is written.
pub(crate) struct Version<'v> {
    pub(crate) of: DocumentVersion,
    pub(crate) title: &'v str,
    pub(crate) metadata: &'v Metadata,
    pub(crate) format: TextFormat,
    /// Whether the index may have embeddings of this text already.
    pub(crate) reuse: bool,
}

/// What was written of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) chunks: u32,
    /// Of those, the ones whose embedding was there already, in the first of the indexes.
    pub(crate) reused: u32,
}

impl ChunkWriter {
    pub(crate) fn new(
        documents: Arc<dyn DocumentStore>,
        collections: Arc<Collections>,
        embedders: Arc<Embedders>,
        meter: Meter,
    ) -> Self {
        Self {
            documents,
            collections,
            embedders,
            meter,
            splitter: Splitter::new(),
        }
    }

    pub(crate) fn collections(&self) -> &Collections {
        &self.collections
    }

    /// Writes the chunks of a segment, counted from `first`, to each of `indexes`.
    pub(crate) fn write(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        indexes: &[Index],
        version: &Version<'_>,
        segment: &Segment,
        first: u32,
    ) -> Result<Written, IndexError> {
        let chunks = self.splitter.split(version.format, segment, first);
        let mut written = Written::default();
        for (place, index) in indexes.iter().enumerate() {
            let embedder = self.embedders.of(index)?;
            for batch in chunks.chunks(BATCH) {
                let to = Target {
                    scope,
                    collection,
                    index,
                    embedder,
                };
                let reused = self.write_batch(to, version, batch)?;
                if place == 0 {
                    written.reused = written.reused.saturating_add(reused);
                }
            }
        }
        written.chunks = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        Ok(written)
    }

    /// Writes all chunks of a version to `index`, calling `step` after each segment with the number of chunks so far, which
    /// is given in the end.
    pub(crate) fn write_all<E: From<IndexError>>(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        index: &Index,
        version: &Version<'_>,
        step: &mut dyn FnMut(u32) -> Result<(), E>,
    ) -> Result<u32, E> {
        let indexes = std::slice::from_ref(index);
        let mut chunks = 0;
        self.each_segment(scope, version.of, &mut |segment| {
            let written = self.write(scope, collection, indexes, version, segment, chunks)?;
            chunks = chunks.saturating_add(written.chunks);
            step(chunks)
        })?;
        Ok(chunks)
    }

    /// How many chunks the text of a version has.
    pub(crate) fn count(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        format: TextFormat,
    ) -> Result<u32, IndexError> {
        let mut chunks = 0;
        self.each_segment::<IndexError>(scope, of, &mut |segment| {
            let more = self.splitter.split(format, segment, 0).len();
            chunks += u32::try_from(more).unwrap_or(u32::MAX);
            Ok(())
        })?;
        Ok(chunks)
    }

    fn each_segment<E: From<IndexError>>(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        each: &mut dyn FnMut(&Segment) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = 0;
        loop {
            let segments = self
                .documents
                .segments(scope, of, next, SEGMENTS)
                .map_err(IndexError::from)?;
            let Some(last) = segments.last() else {
                return Ok(());
            };
            next = last.ordinal.saturating_add(1);
            segments.iter().try_for_each(&mut *each)?;
        }
    }

    fn write_batch(
        &self,
        to: Target<'_>,
        version: &Version<'_>,
        chunks: &[Chunk],
    ) -> Result<u32, IndexError> {
        let model = to.index.model.as_ref();
        let prepared: Vec<Prepared<'_>> = chunks
            .iter()
            .map(|chunk| {
                let context = context(version.title, chunk);
                let embedded = embedded_text(&context, chunk);
                Prepared {
                    chunk,
                    context: line(&context),
                    hash: hash(model, &embedded),
                    embedded,
                }
            })
            .collect();
        let (embeddings, reused) = match to.embedder {
            Some(embedder) => self.embeddings(to, embedder.as_ref(), version, &prepared)?,
            None => (HashMap::new(), 0),
        };
        let indexed: Vec<IndexedChunk> = prepared
            .into_iter()
            .map(|prepared| IndexedChunk {
                chunk: prepared.chunk.clone(),
                context: prepared.context,
                hash: prepared.hash,
                embedding: embeddings.get(&prepared.hash).cloned(),
            })
            .collect();
        let index = to.scope.index(to.index.generation);
        to.collection
            .store
            .upsert(index, version.of, version.metadata, &indexed)?;
        Ok(reused)
    }

    /// The embedding of every chunk, and how many of the chunks had theirs already.
    fn embeddings(
        &self,
        to: Target<'_>,
        embedder: &dyn Embedder,
        version: &Version<'_>,
        prepared: &[Prepared<'_>],
    ) -> Result<(HashMap<ChunkHash, Embedding>, u32), IndexError> {
        let mut known = if version.reuse {
            let hashes: Vec<ChunkHash> = prepared.iter().map(|chunk| chunk.hash).collect();
            let index = to.scope.index(to.index.generation);
            to.collection
                .store
                .embeddings(index, version.of.document, &hashes)?
        } else {
            HashMap::new()
        };
        let reused = prepared
            .iter()
            .filter(|chunk| known.contains_key(&chunk.hash))
            .count();
        let missing = without_embedding(prepared, &known);
        if !missing.is_empty() {
            let texts: Vec<&str> = missing.iter().map(|chunk| chunk.embedded.as_str()).collect();
            let answer = embedder.embed(&texts)?;
            // At once: what is embedded is paid for, whatever becomes of the chunks.
            self.meter
                .embedded(to.scope, &embedder.identity(), &texts, answer.tokens)?;
            let made = answer.embeddings;
            if made.len() != missing.len() {
                let problem = BoxError::from("not one embedding for each text");
                return Err(LlmError::Protocol(problem).into());
            }
            if let Some(first) = made.first() {
                self.collections
                    .record_dimension(to.scope, to.index, first.dimension())?;
            }
            known.extend(missing.iter().map(|chunk| chunk.hash).zip(made));
        }
        Ok((known, u32::try_from(reused).unwrap_or(u32::MAX)))
    }
}

/// The chunks whose embedding is not known, one of each hash.
fn without_embedding<'p, 'c>(
    prepared: &'p [Prepared<'c>],
    known: &HashMap<ChunkHash, Embedding>,
) -> Vec<&'p Prepared<'c>> {
    let mut seen = HashSet::new();
    prepared
        .iter()
        .filter(|chunk| !known.contains_key(&chunk.hash) && seen.insert(chunk.hash))
        .collect()
}

/// The index that is written to.
#[derive(Clone, Copy)]
struct Target<'t> {
    scope: &'t TenantScope,
    collection: &'t OwnCollection,
    index: &'t Index,
    embedder: Option<&'t Arc<dyn Embedder>>,
}

/// A chunk before it is embedded.
struct Prepared<'c> {
    chunk: &'c Chunk,
    context: String,
    embedded: String,
    hash: ChunkHash,
}
