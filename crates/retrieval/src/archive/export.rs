use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{
    AuditAction, AuditEvent, BoxError, Clock, DocumentState, DocumentVersion, Segment, TenantId, TextFormat,
};
use tenantry_tenant_store::{
    ArchivedDocument, ArchivedRecord, AuditLog, AuditStore, StoreError, TenantArchiveStore,
};

use super::wire::{ChunkLine, FORMAT, Header, Line, VERSION};
use super::writer::ArchiveWriter;
use crate::{Splitter, Superuser};

/// Why an archive was not written, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is no tenant of that id.
    #[error("there is no tenant of that id")]
    UnknownTenant,
    /// A record cannot be written down.
    #[error("a record cannot be written down")]
    Record(#[source] BoxError),
    /// What was written to failed.
    #[error("the archive cannot be written")]
    Write(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an archive has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// How many records of each kind, by their names in the archive.
    pub counts: BTreeMap<&'static str, u64>,
    /// Documents that were not in it because they were still being taken in.
    pub unfinished_documents: u64,
}

/// Writes all that belongs to a tenant into one archive: gzip (RFC 1952) of one JSON object a line.
///
/// It has no password, no hash of one, no key and no secret of an identity provider; what it says of the text of documents is enough
/// to answer the same questions from it.
pub struct Exporter {
    store: Arc<dyn TenantArchiveStore>,
    audit: Arc<dyn AuditStore>,
    clock: Arc<dyn Clock>,
    splitter: Splitter,
}

impl Exporter {
    /// An exporter of what `store` has, entered in `audit`.
    pub fn new(
        store: Arc<dyn TenantArchiveStore>,
        audit: Arc<dyn AuditStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            audit,
            clock,
            splitter: Splitter::new(),
        }
    }

    /// Writes the tenant as it is at one moment, active or not, after it was entered in its audit log. `on_progress` is told now and then
    /// how many records there are so far.
    ///
    /// # Errors
    /// [`ExportError::UnknownTenant`] when there is none of that id; else when the store or `to` fails, which leaves the archive without
    /// its end.
    pub fn export(
        &self,
        superuser: &Superuser,
        tenant: &TenantId,
        to: &mut dyn Write,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<Exported, ExportError> {
        // Whether it is there shows before anything is entered in its name.
        if !self.store.read_tenant(tenant, &mut |_| ControlFlow::Break(()))? {
            return Err(ExportError::UnknownTenant);
        }
        let event = AuditEvent::new(AuditAction::TenantExported).on("tenant", tenant);
        let now = self.clock.now();
        self.audit
            .record(&AuditLog::Tenant(tenant.clone()), superuser.actor(), &event, now)?;
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            tenant: tenant.clone(),
            made_at: now,
        };
        let mut pen = Pen {
            writer: ArchiveWriter::begin(to, &header)?,
            splitter: &self.splitter,
            reading: None,
            unfinished: 0,
            written: 0,
            on_progress,
        };
        let mut failure = None;
        self.store
            .read_tenant(tenant, &mut |record| match pen.write(record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            })?;
        if let Some(error) = failure {
            return Err(error);
        }
        Ok(Exported {
            unfinished_documents: pen.unfinished,
            counts: pen.writer.finish()?,
        })
    }
}

/// Writes record after record.
struct Pen<'p> {
    writer: ArchiveWriter<'p>,
    splitter: &'p Splitter,
    /// How the text is written whose segments come now, and the ordinal of its next chunk.
    reading: Option<(TextFormat, u32)>,
    unfinished: u64,
    written: u64,
    on_progress: &'p mut dyn FnMut(u64),
}

/// After how many records it is said how many there are.
const STRIDE: u64 = 1_000;

impl Pen<'_> {
    fn write(&mut self, record: ArchivedRecord) -> Result<(), ExportError> {
        match &record {
            ArchivedRecord::Document(document) if !is_settled(document) => {
                self.unfinished += 1;
                self.reading = None;
                return Ok(());
            }
            ArchivedRecord::Document(document) => self.reading = Some((document.format, 0)),
            ArchivedRecord::Segment { of, segment } => return self.segment(*of, segment.clone()),
            _ => {}
        }
        self.add(&Line::try_from(record).map_err(ExportError::Record)?)
    }

    fn segment(&mut self, of: DocumentVersion, segment: Segment) -> Result<(), ExportError> {
        let Some((format, next)) = self.reading else {
            return Ok(());
        };
        let chunks = self.splitter.split(format, &segment, next);
        let more = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        self.reading = Some((format, next.saturating_add(more)));
        let line = Line::try_from(ArchivedRecord::Segment { of, segment });
        self.add(&line.map_err(ExportError::Record)?)?;
        for chunk in chunks {
            self.add(&Line::Chunk(ChunkLine::new(of, chunk)))?;
        }
        Ok(())
    }

    fn add(&mut self, line: &Line) -> Result<(), ExportError> {
        self.writer.add(line)?;
        self.written += 1;
        if self.written.is_multiple_of(STRIDE) {
            (self.on_progress)(self.written);
        }
        Ok(())
    }
}

/// Whether a document is what it will be: found, or given up.
fn is_settled(document: &ArchivedDocument) -> bool {
    match document.document.state {
        DocumentState::Ready => true,
        DocumentState::Failed => document.document.version == 0,
        DocumentState::Pending
        | DocumentState::Extracting
        | DocumentState::Indexing
        | DocumentState::Deleting => false,
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}
