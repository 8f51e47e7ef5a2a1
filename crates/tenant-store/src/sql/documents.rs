use diesel::prelude::*;
use tenantry_domain::{
    Document, DocumentId, DocumentState, DocumentVersion, Job, JobId, Page, Paged, Segment, TenantId,
    TenantScope, Timestamp,
};

use super::rows::{DocumentRow, ReadyRow, SegmentRow, VersionRow};
use super::schema::{document_segments, documents};
use super::{SqlStore, paged};
use crate::ledger;
use crate::text::Texts;
use crate::{DocumentFilter, DocumentStore, ReadyDocument, ReadyVersion, StoreError, Submission, Submitted};

/// Ids asked for in one statement; SQLite takes 32,766 values.
const IDS_AT_ONCE: usize = 500;

impl DocumentStore for SqlStore {
    fn submit(&self, scope: &TenantScope, submission: &Submission) -> Result<Submitted, StoreError> {
        submission.refuse_nul()?;
        self.change_and_enter(scope, submission.at, |ledger| ledger::submit(ledger, submission))
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let query = documents::table
            .find(key(scope.id(), id))
            .select(DocumentRow::as_select());
        self.in_scope(scope, |conn| query.first::<DocumentRow>(conn).optional())?
            .map(Document::try_from)
            .transpose()
    }

    fn documents(
        &self,
        scope: &TenantScope,
        filter: &DocumentFilter,
        page: Page,
    ) -> Result<Paged<Document>, StoreError> {
        if !filter.may_match() {
            return Ok(Paged {
                items: Vec::new(),
                total: 0,
            });
        }
        let filtered = || {
            let mut listed = documents::table
                .filter(documents::tenant_id.eq(scope.id().as_str()))
                .filter(documents::state.ne(DocumentState::Deleting.as_str()))
                .into_boxed();
            if let Some(state) = filter.state {
                listed = listed.filter(documents::state.eq(state.as_str()));
            }
            if let Some(name) = &filter.external_id {
                listed = listed.filter(documents::external_id.eq(name.as_str()));
            }
            listed
        };
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = filtered()
                .order((documents::created_at.desc(), documents::id.desc()))
                .select(DocumentRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<DocumentRow>(conn)?;
            Ok((rows, filtered().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        let mut ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.in_scope(scope, |conn| {
            let mut rows = Vec::new();
            for ids in ids.chunks(IDS_AT_ONCE) {
                let ready = documents::table
                    .filter(documents::tenant_id.eq(scope.id().as_str()))
                    .filter(documents::state.eq(DocumentState::Ready.as_str()))
                    .filter(documents::id.eq_any(ids));
                rows.extend(ready.select(ReadyRow::as_select()).load::<ReadyRow>(conn)?);
            }
            Ok(rows)
        })?;
        rows.into_iter().map(ReadyDocument::try_from).collect()
    }

    fn ready_versions(
        &self,
        scope: &TenantScope,
        after: Option<DocumentId>,
        limit: u16,
    ) -> Result<Vec<ReadyVersion>, StoreError> {
        // Every id is greater than the empty text.
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let query = documents::table
            .filter(documents::tenant_id.eq(scope.id().as_str()))
            .filter(documents::state.eq(DocumentState::Ready.as_str()))
            .filter(documents::id.gt(after))
            .order(documents::id.asc())
            .limit(limit.into())
            .select(VersionRow::as_select());
        let rows = self.in_scope(scope, |conn| query.load::<VersionRow>(conn))?;
        rows.into_iter().map(ReadyVersion::try_from).collect()
    }

    fn segments(
        &self,
        scope: &TenantScope,
        of: DocumentVersion,
        from: u32,
        limit: u16,
    ) -> Result<Vec<Segment>, StoreError> {
        let query = document_segments::table
            .filter(document_segments::tenant_id.eq(scope.id().as_str()))
            .filter(document_segments::document_id.eq(of.document.to_string()))
            .filter(document_segments::version.eq(i64::from(of.version)))
            .filter(document_segments::ordinal.ge(i64::from(from)))
            .order(document_segments::ordinal.asc())
            .limit(limit.into())
            .select(SegmentRow::as_select());
        let rows = self.in_scope(scope, |conn| query.load::<SegmentRow>(conn))?;
        rows.into_iter().map(Segment::try_from).collect()
    }

    fn remove_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        job: JobId,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        self.change_and_enter(scope, at, |ledger| ledger::remove_document(ledger, id, job, at))
    }
}

/// A document's primary key.
fn key(tenant: &TenantId, id: DocumentId) -> (&str, String) {
    (tenant.as_str(), id.to_string())
}
