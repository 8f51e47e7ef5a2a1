use std::cmp::Reverse;

use tenantry_domain::{
    Document, DocumentId, DocumentState, DocumentVersion, Job, JobId, Page, Paged, Segment, TenantScope,
    Timestamp,
};

use super::{MemoryStore, paged};
use crate::ledger::{self, DocumentRecord};
use crate::text::Texts;
use crate::{DocumentFilter, DocumentStore, ReadyDocument, ReadyVersion, StoreError, Submission, Submitted};

impl DocumentStore for MemoryStore {
    fn submit(&self, scope: &TenantScope, submission: &Submission) -> Result<Submitted, StoreError> {
        submission.refuse_nul()?;
        let mut records = self.records();
        records.refuse_unknown(scope.id())?;
        let told = ledger::submit(&mut records.ledger(scope.id()), submission)?;
        Ok(records.entered(scope, told, submission.at))
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let records = self.records();
        let found = records.documents.get(&(scope.id().clone(), id));
        Ok(found.map(|record| record.document.clone()))
    }

    fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError> {
        let records = self.records();
        let mut documents: Vec<_> = records
            .documents_of(scope.id())
            .map(|record| &record.document)
            .filter(|document| document.state != DocumentState::Deleting)
            .filter(|document| filter.state.is_none_or(|state| document.state == state))
            .filter(|document| filter.external_id.is_none() || document.external_id == filter.external_id)
            .collect();
        documents.sort_by_key(|document| Reverse((document.created_at, document.id)));
        Ok(paged(&documents, page))
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        let records = self.records();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids
            .into_iter()
            .filter_map(|id| records.documents.get(&(scope.id().clone(), id)))
            .filter(|record| record.document.state == DocumentState::Ready)
            .map(|record| ReadyDocument {
                id: record.document.id,
                version: record.document.version,
                title: record.document.title.clone(),
                metadata: record.document.metadata.clone(),
                external_id: record.document.external_id.clone(),
            })
            .collect())
    }

    fn ready_versions(
        &self,
        scope: &TenantScope,
        after: Option<DocumentId>,
        limit: u16,
    ) -> Result<Vec<ReadyVersion>, StoreError> {
        let records = self.records();
        // The map is ordered by tenant and then by id.
        Ok(records
            .documents_of(scope.id())
            .filter(|record| record.document.state == DocumentState::Ready)
            .filter(|record| after.is_none_or(|after| record.document.id > after))
            .take(limit.into())
            .map(ready_version)
            .collect())
    }

    fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
        limit: u16,
    ) -> Result<Vec<Segment>, StoreError> {
        let records = self.records();
        let key = |ordinal| (scope.id().clone(), of, ordinal);
        Ok(records
            .segments
            .range(key(from)..=key(u32::MAX))
            .take(limit.into())
            .map(|(_, segment)| segment.clone())
            .collect())
    }

    fn remove_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        job: JobId,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let mut records = self.records();
        let told = ledger::remove_document(&mut records.ledger(scope.id()), id, job, at)?;
        Ok(records.entered(scope, told, at))
    }
}

fn ready_version(record: &DocumentRecord) -> ReadyVersion {
    let document = &record.document;
    ReadyVersion {
        of: DocumentVersion {
            document: document.id,
            version: document.version,
        },
        title: document.title.clone(),
        metadata: document.metadata.clone(),
        format: record.format,
        chunks: document.chunks,
        segments: record.segments,
    }
}
