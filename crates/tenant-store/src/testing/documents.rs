use tenantry_domain::{
    Dimension, Document, DocumentId, DocumentVersion, EmbeddingModel, Generation, Index, Job, JobId, Page,
    Paged, Segment, SourceId, TenantId, TenantScope, Timestamp,
};

use super::FailingStore;
use crate::{
    DocumentFilter, DocumentStore, IndexStore, ReadyDocument, ReadyVersion, SourceStore, StoreError,
    Submission, Submitted,
};

impl<S: DocumentStore> DocumentStore for FailingStore<S> {
    fn submit(&self, scope: &TenantScope, submission: &Submission) -> Result<Submitted, StoreError> {
        self.call("submit", |inner| inner.submit(scope, submission))
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        self.call("document", |inner| inner.document(scope, id))
    }

    fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError> {
        self.call("documents", |inner| inner.documents(scope, filter, page))
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        self.call("ready_documents", |inner| inner.ready_documents(scope, ids))
    }

    fn ready_versions(
        &self,
        scope: &TenantScope,
        after: Option<DocumentId>,
        limit: u16,
    ) -> Result<Vec<ReadyVersion>, StoreError> {
        self.call("ready_versions", |inner| {
            inner.ready_versions(scope, after, limit)
        })
    }

    fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
        limit: u16,
    ) -> Result<Vec<Segment>, StoreError> {
        self.call("segments", |inner| inner.segments(scope, of, from, limit))
    }

    fn remove_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        job: JobId,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        self.call("remove_document", |inner| {
            inner.remove_document(scope, id, job, at)
        })
    }
}

impl<S: SourceStore> SourceStore for FailingStore<S> {
    fn add_part(
        &self,
        scope: &TenantScope,
        source: SourceId,
        place: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("add_part", |inner| {
            inner.add_part(scope, source, place, bytes, at)
        })
    }

    fn part(&self, scope: &TenantScope, source: SourceId, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.call("part", |inner| inner.part(scope, source, place))
    }

    fn remove_source(&self, scope: &TenantScope, source: SourceId) -> Result<(), StoreError> {
        self.call("remove_source", |inner| inner.remove_source(scope, source))
    }

    fn remove_abandoned(&self, scope: &TenantScope, before: Timestamp) -> Result<u64, StoreError> {
        self.call("remove_abandoned", |inner| inner.remove_abandoned(scope, before))
    }
}

impl<S: IndexStore> IndexStore for FailingStore<S> {
    fn indexes(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        self.call("indexes", |inner| inner.indexes(scope, model, at))
    }

    fn set_dimension(
        &self,
        scope: &TenantScope,
        generation: Generation,
        dimension: Dimension,
    ) -> Result<bool, StoreError> {
        self.call("set_dimension", |inner| {
            inner.set_dimension(scope, generation, dimension)
        })
    }

    fn begin_index(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError> {
        self.call("begin_index", |inner| inner.begin_index(scope, model, at))
    }

    fn reopen_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.call("reopen_index", |inner| inner.reopen_index(scope, generation))
    }

    fn switch_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.call("switch_index", |inner| inner.switch_index(scope, generation))
    }

    fn forget_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.call("forget_index", |inner| inner.forget_index(scope, generation))
    }

    fn indexes_in_use(&self) -> Result<Vec<(TenantId, Index)>, StoreError> {
        self.call("indexes_in_use", S::indexes_in_use)
    }
}
