use tenantry_domain::{
    ContentHash, Document, DocumentId, DocumentState, DocumentVersion, Job, JobId, MediaType, Metadata, Page,
    Paged, Segment, SourceId, TenantScope, TextFormat, Timestamp,
};

use crate::StoreError;

/// A file that was handed in, to become a document or the next version of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Where its bytes are; see [`crate::SourceStore`].
    pub source: SourceId,
    /// The id of the document, should it be a new one.
    pub document: DocumentId,
    /// The id of the job, should there be something to do.
    pub job: JobId,
    /// The client's own name for the document.
    pub external_id: Option<String>,
    /// The title that the client gave; without one the file's own or its name is taken.
    pub title: Option<String>,
    /// The file's name.
    pub file_name: Option<String>,
    /// What the client says the file is; not to be believed alone.
    pub declared: Option<MediaType>,
    /// What the client says about the document.
    pub metadata: Metadata,
    /// The hash of the file.
    pub hash: ContentHash,
    /// When it was handed in.
    pub at: Timestamp,
}

/// What a submission came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The document.
    pub document: Document,
    /// The job that takes it in, or took it in.
    pub job: Job,
    /// What that job is to the submission.
    pub outcome: SubmitOutcome,
}

/// What a submission is to what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmitOutcome {
    /// A new document.
    New,
    /// The next version of a document, or another try with one that failed.
    Replacement,
    /// The same file with the same metadata and title is there, or on its way: nothing is to be done, and the source is
    /// removed.
    Unchanged,
}

/// Which documents to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentFilter {
    /// Only those of this state.
    pub state: Option<DocumentState>,
    /// Only the one with this external id.
    pub external_id: Option<String>,
}

impl DocumentFilter {
    /// Whether a document can pass; none has a name with U+0000, which PostgreSQL does not even compare.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn may_match(&self) -> bool {
        !self.external_id.as_ref().is_some_and(|name| name.contains('\0'))
    }
}

/// What a search needs of a document that may be found.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyDocument {
    /// The document's id.
    pub id: DocumentId,
    /// The version that may be found.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// What filters ask.
    pub metadata: Metadata,
    /// The client's own name for it.
    pub external_id: Option<String>,
}

/// What indexing a version again needs besides its segments.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyVersion {
    /// The version that may be found.
    pub of: DocumentVersion,
    /// Its title.
    pub title: String,
    /// What filters ask.
    pub metadata: Metadata,
    /// How its text is written.
    pub format: TextFormat,
    /// How many chunks it was split into.
    pub chunks: u32,
    /// How many segments it has.
    pub segments: u32,
}

/// Keeps the documents of one tenant at a time; another tenant's document does not exist for it.
pub trait DocumentStore: Send + Sync {
    /// Takes a file that was handed in, in one step. Without an `external_id` the tenant's document without one that has the
    /// same hash is the same document; with one, the document of that name is, whatever its hash. A new document begins as
    /// [`DocumentState::Pending`], titled by what is known so far; one whose first version is still to be published begins so again, and
    /// any other keeps what it is until the new version is published. A document that is being removed is none of these: the file
    /// becomes a new one.
    ///
    /// Jobs on the same document that are not over are cancelled in favour of this one, unless the last is of the same submission: the
    /// same hash, metadata and given title. Each submission that makes a version gets a number of its own.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has a document or job of that id, [`StoreError::UnknownTenant`] when the tenant is
    /// not in this store; else when the store fails.
    fn submit(&self, scope: &TenantScope, submission: &Submission) -> Result<Submitted, StoreError>;

    /// The document of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError>;

    /// A page of the documents that pass `filter` and are not being deleted, newest first, of one moment the highest id first.
    ///
    /// # Errors
    /// When the store fails.
    fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError>;

    /// Those of `ids` that may be found, that is, are [`DocumentState::Ready`], in no order.
    ///
    /// # Errors
    /// When the store fails.
    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError>;

    /// At most `limit` of the versions that may be found, ordered by document, those after `after`.
    ///
    /// # Errors
    /// When the store fails.
    fn ready_versions(
        &self,
        scope: &TenantScope,
        after: Option<DocumentId>,
        limit: u16,
    ) -> Result<Vec<ReadyVersion>, StoreError>;

    /// At most `limit` segments of a version, from the one of ordinal `from` on, in order.
    ///
    /// # Errors
    /// When the store fails.
    fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
        limit: u16,
    ) -> Result<Vec<Segment>, StoreError>;

    /// Declares the document [`DocumentState::Deleting`], so that it can be found no more, cancels its job if one is not over, and
    /// adds the job of that id which removes everything. `None` when there is no document of that id; the job that is there already when
    /// the document is being deleted, unless that one was given up.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has another job of that id; else when the store fails.
    fn remove_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        job: JobId,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError>;
}
