use diesel::prelude::*;
use tenantry_domain::{Document, DocumentId, DocumentState, Page, Paged, TenantId, TenantScope};

use super::rows::{DocumentRow, NewDocumentRow, ReadyRow, written};
use super::schema::documents;
use super::{SqlStore, paged};
use crate::text::Texts;
use crate::{Advance, DocumentStore, NewDocument, ReadyDocument, StoreError};

/// Ids asked for in one statement; SQLite takes 32,766 values.
const IDS_AT_ONCE: usize = 500;

impl DocumentStore for SqlStore {
    fn create_document(&self, scope: &TenantScope, document: &NewDocument) -> Result<(), StoreError> {
        document.refuse_nul()?;
        let row = NewDocumentRow::new(scope.id(), document);
        self.in_scope(scope, |conn| {
            diesel::insert_into(documents::table).values(row).execute(conn)
        })
        .map(drop)
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let query = documents::table
            .find(key(scope.id(), id))
            .select(DocumentRow::as_select());
        self.in_scope(scope, |conn| query.first::<DocumentRow>(conn).optional())?
            .map(Document::try_from)
            .transpose()
    }

    fn document_text(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<String>, StoreError> {
        let query = documents::table.find(key(scope.id(), id)).select(documents::text);
        self.in_scope(scope, |conn| query.first(conn).optional())
    }

    fn documents(&self, scope: &TenantScope, page: Page) -> Result<Paged<Document>, StoreError> {
        let listed = documents::table
            .filter(documents::tenant_id.eq(scope.id().as_str()))
            .filter(documents::state.ne(DocumentState::Deleting.as_str()));
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = listed
                .order((documents::created_at.desc(), documents::id.desc()))
                .select(DocumentRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<DocumentRow>(conn)?;
            Ok((rows, listed.count().get_result(conn)?))
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

    fn advance_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        advance: &Advance,
    ) -> Result<bool, StoreError> {
        advance.refuse_nul()?;
        let may_advance = documents::state
            .ne(DocumentState::Deleting.as_str())
            .or(documents::state.eq(advance.state.as_str()));
        let changes = (
            documents::state.eq(advance.state.as_str()),
            documents::failure.eq(advance.failure.as_deref()),
            documents::updated_at.eq(written(advance.at)),
            advance
                .chunks
                .map(|chunks| documents::chunks.eq(i64::from(chunks))),
        );
        let update =
            diesel::update(documents::table.find(key(scope.id(), id)).filter(may_advance)).set(changes);
        self.in_scope(scope, |conn| update.execute(conn))
            .map(|rows| rows > 0)
    }

    fn remove_document(&self, scope: &TenantScope, id: DocumentId) -> Result<bool, StoreError> {
        let delete = diesel::delete(documents::table.find(key(scope.id(), id)));
        self.in_scope(scope, |conn| delete.execute(conn))
            .map(|rows| rows > 0)
    }
}

/// A document's primary key.
fn key(tenant: &TenantId, id: DocumentId) -> (&str, String) {
    (tenant.as_str(), id.to_string())
}
