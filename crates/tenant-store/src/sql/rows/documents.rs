use diesel::prelude::*;
use tenantry_domain::{Document, ParseDocumentStateError, ParseIdError, ParseMediaTypeError, TenantId};
use time::PrimitiveDateTime;

use super::{read, unreadable, written};
use crate::sql::schema::documents;
use crate::{NewDocument, ReadyDocument, StoreError};

/// A document as it is listed: without its text, which may be long.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(in crate::sql) struct DocumentRow {
    id: String,
    title: String,
    media_type: String,
    state: String,
    failure: Option<String>,
    characters: i64,
    chunks: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
}

impl TryFrom<DocumentRow> for Document {
    type Error = StoreError;

    fn try_from(row: DocumentRow) -> Result<Self, StoreError> {
        let count = |count: i64| u32::try_from(count).map_err(unreadable("documents"));
        Ok(Self {
            id: row.id.parse().map_err(unreadable::<ParseIdError>("documents"))?,
            title: row.title,
            media_type: row
                .media_type
                .parse()
                .map_err(unreadable::<ParseMediaTypeError>("documents"))?,
            state: row
                .state
                .parse()
                .map_err(unreadable::<ParseDocumentStateError>("documents"))?,
            failure: row.failure,
            characters: count(row.characters)?,
            chunks: count(row.chunks)?,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

/// What a search needs of a document.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(in crate::sql) struct ReadyRow {
    id: String,
    title: String,
}

impl TryFrom<ReadyRow> for ReadyDocument {
    type Error = StoreError;

    fn try_from(row: ReadyRow) -> Result<Self, StoreError> {
        let id = row.id.parse().map_err(unreadable::<ParseIdError>("documents"))?;
        Ok(Self { id, title: row.title })
    }
}

#[derive(Insertable)]
#[diesel(table_name = documents)]
pub(in crate::sql) struct NewDocumentRow<'d> {
    tenant_id: &'d str,
    id: String,
    title: &'d str,
    media_type: &'static str,
    state: &'static str,
    characters: i64,
    chunks: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
    text: &'d str,
}

impl<'d> NewDocumentRow<'d> {
    pub(in crate::sql) fn new(tenant: &'d TenantId, new: &'d NewDocument) -> Self {
        let document = new.begin();
        Self {
            tenant_id: tenant.as_str(),
            id: document.id.to_string(),
            title: &new.title,
            media_type: document.media_type.as_str(),
            state: document.state.as_str(),
            characters: document.characters.into(),
            chunks: document.chunks.into(),
            created_at: written(document.created_at),
            updated_at: written(document.updated_at),
            text: &new.text,
        }
    }
}
