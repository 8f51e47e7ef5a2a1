use std::fmt;
use std::sync::Arc;

use tenantry_domain::{
    Chunk, Clock, Document, DocumentId, DocumentState, MediaType, Page, Paged, TenantScope,
};
use tenantry_llm_client::{Embedder, LlmError};
use tenantry_tenant_store::{Advance, DocumentStore, NewDocument, StoreError};
use tenantry_vector_client::{IndexedChunk, VectorError, VectorStore};

use crate::text::{clean, prose, visible_line};
use crate::{CollectionError, Collections, InvalidField, Splitter};

const MAX_TITLE: usize = 300;
const MAX_TEXT: usize = 5_000_000;
/// How many chunks are embedded and stored at a time.
const BATCH: usize = 64;

/// Why a document was not taken in, or not removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The title or the text cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The tenant's vector store could not be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The chunks could not be embedded.
    #[error("the document could not be embedded")]
    Embed(#[from] LlmError),
    /// The vector store failed.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A text to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    /// The title: 1 to 300 characters on one line.
    pub title: String,
    /// What kind of text it is.
    pub media_type: MediaType,
    /// The text: 1 to 5,000,000 characters, not blank, without U+0000.
    pub text: String,
}

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestProgress {
    /// Chunks that are stored.
    pub done: usize,
    /// Chunks in all.
    pub total: usize,
}

/// Takes in, lists and removes the documents of one tenant.
pub struct Knowledge {
    documents: Arc<dyn DocumentStore>,
    collections: Arc<Collections>,
    embedder: Option<Arc<dyn Embedder>>,
    splitter: Splitter,
    clock: Arc<dyn Clock>,
}

impl Knowledge {
    /// Knowledge in `documents` and the tenants' collections; without an embedder chunks are found by words alone.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        collections: Arc<Collections>,
        embedder: Option<Arc<dyn Embedder>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            documents,
            collections,
            embedder,
            splitter: Splitter::new(),
            clock,
        }
    }

    /// Takes in a text and gives the searchable document. `on_progress` is called after every batch of chunks.
    ///
    /// The document can be found once all of it is stored, and not before. When something fails on the way, what was
    /// stored is removed again; where even that fails, the document stays as failed.
    ///
    /// # Errors
    /// When the title or text cannot be kept, or a store or the embedder fails.
    pub fn ingest(
        &self,
        scope: &TenantScope,
        new: &NewText,
        on_progress: &mut dyn FnMut(IngestProgress),
    ) -> Result<Document, IngestError> {
        let (document, chunks) = self.prepare(new)?;
        let (id, total) = (document.id, u32::try_from(chunks.len()).unwrap_or(u32::MAX));
        let collection = self.collections.of(scope)?;
        self.documents.create_document(scope, &document)?;
        let stored = self
            .index(scope, collection.as_ref(), id, &chunks, on_progress)
            .and_then(|()| Ok(self.declare_ready(scope, id, total)?));
        match stored {
            Ok(Some(document)) => Ok(document),
            Ok(None) => {
                // The removal may have been faster than the last chunks.
                collection.remove_document(scope, id)?;
                Err(StoreError::Failed("the document was removed while it was stored".into()).into())
            }
            Err(error) => {
                self.undo(scope, collection.as_ref(), id);
                Err(error)
            }
        }
    }

    /// The document of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        Ok(self
            .documents
            .document(scope, id)?
            .filter(|found| found.state != DocumentState::Deleting))
    }

    /// The document of that id with its whole text, as it was stored and as citations count its characters.
    ///
    /// # Errors
    /// When the store fails.
    pub fn document_with_text(
        &self,
        scope: &TenantScope,
        id: DocumentId,
    ) -> Result<Option<(Document, String)>, StoreError> {
        let Some(document) = self.document(scope, id)? else {
            return Ok(None);
        };
        Ok(self
            .documents
            .document_text(scope, id)?
            .map(|text| (document, text)))
    }

    /// A page of the tenant's documents, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn documents(&self, scope: &TenantScope, page: Page) -> Result<Paged<Document>, StoreError> {
        self.documents.documents(scope, page)
    }

    /// Removes a document with its chunks; `false` when there is none of that id. It cannot be found from the first step on.
    ///
    /// # Errors
    /// When a store fails; the document then stays out of search, and the same call again completes the removal.
    pub fn remove(&self, scope: &TenantScope, id: DocumentId) -> Result<bool, IngestError> {
        if !self.advance(scope, id, DocumentState::Deleting, None, None)? {
            return Ok(false);
        }
        self.collections.of(scope)?.remove_document(scope, id)?;
        Ok(self.documents.remove_document(scope, id)?)
    }

    /// The document as it is stored, and its chunks.
    fn prepare(&self, new: &NewText) -> Result<(NewDocument, Vec<Chunk>), InvalidField> {
        let title = visible_line("title", &new.title, MAX_TITLE, "has more than 300 characters")?;
        prose("text", &new.text, MAX_TEXT, "has more than 5000000 characters")?;
        let text = clean(&new.text);
        let chunks = self.splitter.split(new.media_type, &text);
        if chunks.is_empty() {
            return Err(InvalidField::new("text", "has no readable characters"));
        }
        let now = self.clock.now();
        let document = NewDocument {
            id: DocumentId::generate(now),
            title,
            media_type: new.media_type,
            text,
            created_at: now,
        };
        Ok((document, chunks))
    }

    fn index(
        &self,
        scope: &TenantScope,
        collection: &dyn VectorStore,
        id: DocumentId,
        chunks: &[Chunk],
        on_progress: &mut dyn FnMut(IngestProgress),
    ) -> Result<(), IngestError> {
        let total = chunks.len();
        let mut done = 0;
        self.advance(scope, id, DocumentState::Embedding, None, None)?;
        for batch in chunks.chunks(BATCH) {
            let indexed = self.embed(id, batch)?;
            collection.upsert(scope, &indexed)?;
            done += batch.len();
            on_progress(IngestProgress { done, total });
        }
        Ok(())
    }

    /// The document, which can be found from now on; `None` when it was removed meanwhile.
    fn declare_ready(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        chunks: u32,
    ) -> Result<Option<Document>, StoreError> {
        if self.advance(scope, id, DocumentState::Ready, Some(chunks), None)? {
            self.document(scope, id)
        } else {
            Ok(None)
        }
    }

    fn embed(&self, document: DocumentId, chunks: &[Chunk]) -> Result<Vec<IndexedChunk>, LlmError> {
        let mut embeddings = match &self.embedder {
            Some(embedder) => {
                let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
                embedder.embed(&texts)?.embeddings
            }
            None => Vec::new(),
        }
        .into_iter();
        let indexed = chunks.iter().map(|chunk| IndexedChunk {
            document,
            chunk: chunk.clone(),
            embedding: embeddings.next(),
        });
        Ok(indexed.collect())
    }

    /// Removes what a failed ingestion left; the failure itself is what the caller hears of.
    fn undo(&self, scope: &TenantScope, collection: &dyn VectorStore, id: DocumentId) {
        let removed = collection
            .remove_document(scope, id)
            .map_err(IngestError::from)
            .and_then(|()| Ok(self.documents.remove_document(scope, id)?));
        if removed.is_err() {
            let failure = "it could not be stored, and is to be removed".to_owned();
            // When the store is gone too, the state stays unfinished, which search leaves aside as well.
            drop(self.advance(scope, id, DocumentState::Failed, None, Some(failure)));
        }
    }

    /// Moves a document on; `false` when it is gone or being removed.
    fn advance(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        state: DocumentState,
        chunks: Option<u32>,
        failure: Option<String>,
    ) -> Result<bool, StoreError> {
        let advance = Advance {
            state,
            chunks,
            failure,
            at: self.clock.now(),
        };
        self.documents.advance_document(scope, id, &advance)
    }
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("dense", &self.embedder.is_some())
            .finish_non_exhaustive()
    }
}
