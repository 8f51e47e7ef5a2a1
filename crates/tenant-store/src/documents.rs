use tenantry_domain::{Document, DocumentId, DocumentState, MediaType, Page, Paged, TenantScope, Timestamp};

use crate::StoreError;

/// A document to add; it begins as [`DocumentState::Pending`] without chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// The document's id.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// What kind of text it is.
    pub media_type: MediaType,
    /// Its whole text.
    pub text: String,
    /// When it is added.
    pub created_at: Timestamp,
}

impl NewDocument {
    /// The document as it begins.
    pub(crate) fn begin(&self) -> Document {
        Document {
            id: self.id,
            title: self.title.clone(),
            media_type: self.media_type,
            state: DocumentState::Pending,
            failure: None,
            // A text of more than u32::MAX characters fits neither database.
            characters: u32::try_from(self.text.chars().count()).unwrap_or(u32::MAX),
            chunks: 0,
            created_at: self.created_at,
            updated_at: self.created_at,
        }
    }
}

/// What a search needs of a document that may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyDocument {
    /// The document's id.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
}

/// Keeps the documents of one tenant at a time; another tenant's document does not exist for it.
pub trait DocumentStore: Send + Sync {
    /// Adds a document.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has one of that id, [`StoreError::UnknownTenant`] when the tenant is not
    /// in this store; else when the store fails.
    fn create_document(&self, scope: &TenantScope, document: &NewDocument) -> Result<(), StoreError>;

    /// The document of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError>;

    /// The whole text of the document of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn document_text(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<String>, StoreError>;

    /// A page of the documents that are not being deleted, newest first, of one moment the highest id first.
    ///
    /// # Errors
    /// When the store fails.
    fn documents(&self, scope: &TenantScope, page: Page) -> Result<Paged<Document>, StoreError>;

    /// Those of `ids` that may be found, that is, are [`DocumentState::Ready`], in no order.
    ///
    /// # Errors
    /// When the store fails.
    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError>;

    /// Moves the document on to a state: sets its number of chunks when one is given, its failure to `failure`, and
    /// `updated_at` to `at`. `false` when there is none of that id, or when it is being deleted and the new state is
    /// another, so that work which ends late does not bring a deleted document back.
    ///
    /// # Errors
    /// When the store fails.
    fn advance_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        advance: &Advance,
    ) -> Result<bool, StoreError>;

    /// Removes the document with its text. `false` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_document(&self, scope: &TenantScope, id: DocumentId) -> Result<bool, StoreError>;
}

/// A document's next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The state to move to.
    pub state: DocumentState,
    /// The number of chunks, where it is known by now.
    pub chunks: Option<u32>,
    /// Why it failed, in words for a person.
    pub failure: Option<String>,
    /// When this happens.
    pub at: Timestamp,
}
