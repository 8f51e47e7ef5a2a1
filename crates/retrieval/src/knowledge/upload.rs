use std::io::Read;

use sha2::{Digest, Sha256};
use tenantry_domain::{ContentHash, DocumentId, JobId, SourceId, TenantScope};
use tenantry_tenant_store::{Submission, Submitted};

use super::{Knowledge, NewFile, SubmitError, checked};
use crate::InvalidField;

/// A file whose bytes come over time; see [`Knowledge::begin`].
#[derive(Debug, Clone)]
pub struct Upload {
    source: SourceId,
    hash: Sha256,
    bytes: u64,
    parts: u32,
}

impl Upload {
    /// The best size of a part in bytes.
    pub const PART: usize = 1 << 20;

    /// Where its parts are kept.
    pub fn source(&self) -> SourceId {
        self.source
    }
}

impl Knowledge {
    /// Keeps a file and the job that will take it in. `bytes` is read to its end, a part at a time.
    ///
    /// # Errors
    /// When the title or external id cannot be kept, the file is empty, too large or does not come whole, the tenant's index is
    /// another tool's, or the store fails. Nothing is kept then, but parts whose removal failed too: those are removed a day
    /// later.
    pub fn submit(
        &self,
        scope: &TenantScope,
        new: &NewFile,
        bytes: &mut dyn Read,
    ) -> Result<Submitted, SubmitError> {
        let upload = self.begin(scope)?;
        let source = upload.source;
        // A file that cannot be kept is not even read.
        checked(new)?;
        match self.read(scope, upload, bytes) {
            Ok(upload) => self.finish(scope, upload, new),
            Err(error) => {
                self.abandon(scope, source);
                Err(error)
            }
        }
    }

    /// Begins to take a file whose bytes come over time: add them with [`Knowledge::add_part`], then end with
    /// [`Knowledge::finish`] or [`Knowledge::abandon`]. Nothing is held in between.
    ///
    /// # Errors
    /// When the tenant's index is another tool's.
    pub fn begin(&self, scope: &TenantScope) -> Result<Upload, SubmitError> {
        if scope.tenant().pinecone.external.is_some() {
            return Err(SubmitError::ReadOnly);
        }
        Ok(Upload {
            source: SourceId::generate(self.clock.now()),
            hash: Sha256::new(),
            bytes: 0,
            parts: 0,
        })
    }

    /// Keeps the next bytes of a file, best [`Upload::PART`] of them.
    ///
    /// # Errors
    /// When the file has become too large, or the store fails. The upload is to be abandoned then.
    pub fn add_part(
        &self,
        scope: &TenantScope,
        upload: &mut Upload,
        bytes: &[u8],
    ) -> Result<(), SubmitError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        upload.bytes = upload.bytes.saturating_add(length);
        let max_bytes = self.limits.max_bytes;
        if upload.bytes > max_bytes {
            return Err(SubmitError::TooLarge { max_bytes });
        }
        upload.hash.update(bytes);
        self.sources
            .add_part(scope, upload.source, upload.parts, bytes, self.clock.now())?;
        upload.parts = upload.parts.saturating_add(1);
        Ok(())
    }

    /// Keeps the job that will take the file in, now that all of its bytes are there.
    ///
    /// # Errors
    /// When the title or external id cannot be kept, the file is empty, or the store fails. The upload is abandoned then.
    pub fn finish(
        &self,
        scope: &TenantScope,
        upload: Upload,
        new: &NewFile,
    ) -> Result<Submitted, SubmitError> {
        let source = upload.source;
        let submitted = self.declare(scope, upload, new);
        if submitted.is_err() {
            self.abandon(scope, source);
        }
        submitted
    }

    /// Removes what came of a file that will not come whole. Should that fail, a reconcile removes it, a day later or more.
    pub fn abandon(&self, scope: &TenantScope, source: SourceId) {
        // The failure that led here is what the caller hears of.
        drop(self.sources.remove_source(scope, source));
    }

    fn read(
        &self,
        scope: &TenantScope,
        mut upload: Upload,
        bytes: &mut dyn Read,
    ) -> Result<Upload, SubmitError> {
        let limit = u64::try_from(Upload::PART).unwrap_or(u64::MAX);
        let mut part = Vec::new();
        loop {
            part.clear();
            let read = Read::take(&mut *bytes, limit).read_to_end(&mut part);
            if read.map_err(|error| SubmitError::Read(error.into()))? == 0 {
                return Ok(upload);
            }
            self.add_part(scope, &mut upload, &part)?;
        }
    }

    fn declare(&self, scope: &TenantScope, upload: Upload, new: &NewFile) -> Result<Submitted, SubmitError> {
        let new = checked(new)?;
        if upload.bytes == 0 {
            return Err(InvalidField::new("file", "is empty").into());
        }
        let now = self.clock.now();
        let submission = Submission {
            source: upload.source,
            document: DocumentId::generate(now),
            job: JobId::generate(now),
            external_id: new.external_id,
            title: new.title,
            file_name: new.file_name,
            declared: new.declared,
            metadata: new.metadata,
            hash: ContentHash::from_bytes(upload.hash.finalize().into()),
            at: now,
        };
        Ok(self.documents.submit(scope, &submission)?)
    }
}
