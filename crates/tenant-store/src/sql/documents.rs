use diesel::prelude::*;
use diesel::sql_types::Bool;
use tenantry_domain::{Document, DocumentId, DocumentState, Page, Paged, TenantId, TenantScope};

use super::connection::AnyConnection;
use super::rows::{DocumentRow, NewDocumentRow, written};
use super::schema::documents;
use super::{SqlStore, paged};
use crate::text::Texts;
use crate::{Advance, DocumentStore, NewDocument, StoreError};

/// Ids asked for in one statement.
const IDS_AT_ONCE: usize = 32;

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

    fn ready_documents(&self, scope: &TenantScope, ids: &[DocumentId]) -> Result<Vec<Document>, StoreError> {
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
                    .filter(one_of(ids));
                rows.extend(ready.select(DocumentRow::as_select()).load::<DocumentRow>(conn)?);
            }
            Ok(rows)
        })?;
        rows.into_iter().map(Document::try_from).collect()
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

/// A condition on documents, on either database.
type OnDocuments<'a> =
    dyn BoxableExpression<documents::table, <AnyConnection as Connection>::Backend, SqlType = Bool> + 'a;

/// Whether a document's id is one of `ids`, spelled so that there are six statements in all, for 1 to 32 ids: diesel keeps
/// prepared statements of this form, and prepares an `IN` anew each time, which takes longer than running it.
fn one_of(ids: &[String]) -> Box<OnDocuments<'_>> {
    let last = ids.last().map_or("", String::as_str);
    let padding = std::iter::repeat_n(last, ids.len().next_power_of_two() - ids.len());
    let all = ids.iter().map(String::as_str).chain(padding);
    all.fold(None, |any: Option<Box<OnDocuments<'_>>>, id| {
        let this = documents::id.eq(id);
        Some(any.map_or_else(|| Box::new(this) as _, |any| Box::new(any.or(this)) as _))
    })
    .unwrap_or_else(|| Box::new(documents::id.eq(last)))
}

/// A document's primary key.
fn key(tenant: &TenantId, id: DocumentId) -> (&str, String) {
    (tenant.as_str(), id.to_string())
}
