use diesel::prelude::*;
use tenantry_domain::{ContentHash, Document, DocumentVersion, TenantId};
use time::PrimitiveDateTime;

use super::{json, number, parsed, read, unreadable, written};
use crate::ledger::DocumentRecord;
use crate::sql::schema::documents;
use crate::{ReadyDocument, ReadyVersion, StoreError};

const TABLE: &str = "documents";

/// A document, its text apart.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents)]
#[diesel(primary_key(tenant_id, id))]
#[diesel(treat_none_as_null = true)]
pub(in crate::sql) struct DocumentRow {
    tenant_id: String,
    id: String,
    title: String,
    media_type: String,
    state: String,
    failure: Option<String>,
    characters: i64,
    chunks: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
    external_id: Option<String>,
    metadata: String,
    content_hash: Option<Vec<u8>>,
    version: i64,
    latest_version: i64,
    text_format: String,
    segments: i64,
}

impl DocumentRow {
    pub(in crate::sql) fn new(tenant: &TenantId, record: &DocumentRecord) -> Self {
        let document = record.document.clone();
        Self {
            tenant_id: tenant.to_string(),
            id: document.id.to_string(),
            title: document.title,
            media_type: document.media_type.to_string(),
            state: document.state.to_string(),
            failure: document.failure,
            characters: document.characters.into(),
            chunks: document.chunks.into(),
            created_at: written(document.created_at),
            updated_at: written(document.updated_at),
            external_id: document.external_id,
            metadata: json::write_metadata(&document.metadata),
            content_hash: document.content_hash.map(|hash| hash.as_bytes().to_vec()),
            version: document.version.into(),
            latest_version: record.latest.into(),
            text_format: record.format.to_string(),
            segments: record.segments.into(),
        }
    }
}

impl TryFrom<DocumentRow> for DocumentRecord {
    type Error = StoreError;

    fn try_from(row: DocumentRow) -> Result<Self, StoreError> {
        Ok(Self {
            latest: number(TABLE, row.latest_version)?,
            format: parsed(TABLE, &row.text_format)?,
            segments: number(TABLE, row.segments)?,
            document: row.try_into()?,
        })
    }
}

impl TryFrom<DocumentRow> for Document {
    type Error = StoreError;

    fn try_from(row: DocumentRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            external_id: row.external_id,
            title: row.title,
            media_type: parsed(TABLE, &row.media_type)?,
            metadata: json::read_metadata(&row.metadata).map_err(unreadable(TABLE))?,
            content_hash: row.content_hash.map(|hash| read_hash(TABLE, hash)).transpose()?,
            version: number(TABLE, row.version)?,
            state: parsed(TABLE, &row.state)?,
            failure: row.failure,
            characters: number(TABLE, row.characters)?,
            chunks: number(TABLE, row.chunks)?,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

pub(super) fn read_hash(table: &'static str, hash: Vec<u8>) -> Result<ContentHash, StoreError> {
    let hash = <[u8; 32]>::try_from(hash);
    let hash = hash.map_err(|_| unreadable(table)("a content hash does not have 32 bytes"))?;
    Ok(ContentHash::from_bytes(hash))
}

/// What a search needs of a document.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(in crate::sql) struct ReadyRow {
    id: String,
    version: i64,
    title: String,
    metadata: String,
    external_id: Option<String>,
}

impl TryFrom<ReadyRow> for ReadyDocument {
    type Error = StoreError;

    fn try_from(row: ReadyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            version: number(TABLE, row.version)?,
            title: row.title,
            metadata: json::read_metadata(&row.metadata).map_err(unreadable(TABLE))?,
            external_id: row.external_id,
        })
    }
}

/// What indexing a document again needs.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(in crate::sql) struct VersionRow {
    id: String,
    version: i64,
    title: String,
    metadata: String,
    text_format: String,
    chunks: i64,
    segments: i64,
}

impl TryFrom<VersionRow> for ReadyVersion {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        Ok(Self {
            of: DocumentVersion {
                document: parsed(TABLE, &row.id)?,
                version: number(TABLE, row.version)?,
            },
            title: row.title,
            metadata: json::read_metadata(&row.metadata).map_err(unreadable(TABLE))?,
            format: parsed(TABLE, &row.text_format)?,
            chunks: number(TABLE, row.chunks)?,
            segments: number(TABLE, row.segments)?,
        })
    }
}
