mod upload;

use std::fmt;
use std::sync::Arc;

use tenantry_domain::{
    BoxError, Clock, Document, DocumentId, DocumentState, DocumentVersion, Job, JobId, MediaType, Metadata,
    Page, Paged, Segment, TenantScope,
};
use tenantry_tenant_store::{DocumentFilter, DocumentStore, JobFilter, JobStore, SourceStore, StoreError};

pub use self::upload::Upload;
use crate::text::visible_line;
use crate::{IngestLimits, InvalidField};

/// The longest title in characters.
pub(crate) const MAX_TITLE: usize = 300;
const MAX_EXTERNAL_ID: usize = 300;
const MAX_FILE_NAME: usize = 255;
/// How many segments of a text are read at a time.
const SEGMENTS: u16 = 32;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The title, the external id or the file cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The file is larger than the limit.
    #[error("the file has more than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// Another tool fills the tenant's index, so that the tenant has no documents here.
    #[error("another tool fills the tenant's index, which is only read")]
    ReadOnly,
    /// The file's bytes did not all come.
    #[error("the file could not be read")]
    Read(#[source] BoxError),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a client says of a file that it hands in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewFile {
    /// The title: 1 to 300 characters on one line. Without one it is the file's own, else its name.
    pub title: Option<String>,
    /// The file's name.
    pub file_name: Option<String>,
    /// What kind of file it is said to be.
    pub declared: Option<MediaType>,
    /// The client's own name for the document, 1 to 300 characters on one line: a file of the same name replaces it.
    pub external_id: Option<String>,
    /// What filters can ask.
    pub metadata: Metadata,
}

/// What one tenant does with its documents. Nothing here waits for a worker or a vector store.
pub struct Knowledge {
    documents: Arc<dyn DocumentStore>,
    sources: Arc<dyn SourceStore>,
    jobs: Arc<dyn JobStore>,
    limits: IngestLimits,
    clock: Arc<dyn Clock>,
}

impl Knowledge {
    /// Knowledge in these stores.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        sources: Arc<dyn SourceStore>,
        jobs: Arc<dyn JobStore>,
        limits: IngestLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            documents,
            sources,
            jobs,
            limits,
            clock,
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

    /// The document of that id with its whole text, as citations count its characters; empty before the first version may be
    /// found. A long text is read part by part through [`Knowledge::segments`].
    ///
    /// # Errors
    /// When the store fails, or the version is replaced on the way.
    pub fn document_with_text(
        &self,
        scope: &TenantScope,
        id: DocumentId,
    ) -> Result<Option<(Document, String)>, StoreError> {
        let Some(document) = self.document(scope, id)? else {
            return Ok(None);
        };
        let mut text = String::new();
        if document.version > 0 {
            let of = DocumentVersion {
                document: id,
                version: document.version,
            };
            let mut next = 0;
            loop {
                let segments = self.segments(scope, of, next)?;
                let Some(last) = segments.last() else { break };
                next = last.ordinal.saturating_add(1);
                text.extend(segments.iter().map(|segment| segment.text.as_str()));
            }
            if u32::try_from(text.chars().count()) != Ok(document.characters) {
                let problem = "the document was replaced while its text was read";
                return Err(StoreError::Unavailable(problem.into()));
            }
        }
        Ok(Some((document, text)))
    }

    /// The next segments of a version's text, from the one of ordinal `from` on, in order; none after the last one. The version
    /// may be replaced between two calls, and has no segments then.
    ///
    /// # Errors
    /// When the store fails.
    pub fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
    ) -> Result<Vec<Segment>, StoreError> {
        self.documents.segments(scope, of, from, SEGMENTS)
    }

    /// A page of the documents that pass `filter`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError> {
        self.documents.documents(scope, filter, page)
    }

    /// Takes a document out of search at once, and gives the job that removes everything of it; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Job>, StoreError> {
        let now = self.clock.now();
        self.documents
            .remove_document(scope, id, JobId::generate(now), now)
    }

    /// The job of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn job(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        self.jobs.job(scope, id)
    }

    /// A page of the jobs that pass `filter`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn jobs(
        &self,
        scope: &TenantScope,
        filter: &JobFilter,
        page: Page,
    ) -> Result<Paged<Job>, StoreError> {
        self.jobs.jobs(scope, filter, page)
    }

    /// Asks for the end of a job, and gives it as it is then; `None` when there is none of that id. One that is being done ends
    /// at its next step.
    ///
    /// # Errors
    /// When the store fails.
    pub fn cancel(&self, scope: &TenantScope, id: JobId) -> Result<Option<Job>, StoreError> {
        self.jobs.cancel_job(scope, id, self.clock.now())
    }
}

/// What is kept of what the client said.
fn checked(new: &NewFile) -> Result<NewFile, InvalidField> {
    let title = |text: &String| visible_line("title", text, MAX_TITLE, "has more than 300 characters");
    Ok(NewFile {
        title: new.title.as_ref().map(title).transpose()?,
        // Nobody asked for a name to be refused: what cannot be kept of it is left out.
        file_name: new.file_name.as_deref().and_then(file_name),
        declared: new.declared,
        external_id: new.external_id.as_deref().map(external_id).transpose()?,
        metadata: new.metadata.clone(),
    })
}

/// An external id is compared as it came: nothing of it is trimmed or left out.
fn external_id(text: &str) -> Result<String, InvalidField> {
    let invalid = |reason| Err(InvalidField::new("external_id", reason));
    let visible = visible_line(
        "external_id",
        text,
        MAX_EXTERNAL_ID,
        "has more than 300 characters",
    )?;
    if visible != text {
        return invalid("begins or ends with white space, or has an invisible character");
    }
    Ok(visible)
}

/// The end of a file's name, on one line: that is where the kind of file stands.
fn file_name(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = crate::text::clean(name).replace(['\n', '\t'], " ");
    let trimmed = shown.trim();
    let excess = trimmed.chars().count().saturating_sub(MAX_FILE_NAME);
    let end: String = trimmed.chars().skip(excess).collect();
    (!end.is_empty()).then_some(end)
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_keeps_its_end() {
        assert_eq!(
            file_name("C:\\docs\\Fees 2026.pdf").as_deref(),
            Some("Fees 2026.pdf")
        );
        assert_eq!(file_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(file_name("a\u{202E}fdp.exe\n").as_deref(), Some("afdp.exe"));
        assert_eq!(file_name(" / "), None);
        let long = format!("{}.md", "é".repeat(400));
        let kept = file_name(&long).unwrap();
        assert!(kept.ends_with("é.md") && kept.chars().count() == MAX_FILE_NAME);
    }

    #[test]
    fn an_external_id_is_kept_as_it_came_or_not_at_all() {
        assert_eq!(external_id("kb/42 (v2)"), Ok("kb/42 (v2)".into()));
        for refused in ["", " a", "a\n", "a\u{200B}b", &"x".repeat(301)] {
            assert!(external_id(refused).is_err(), "{refused:?}");
        }
    }
}
