use diesel::prelude::*;
use tenantry_domain::{DocumentId, Segment, TenantId};

use super::{json, number, unreadable};
use crate::StoreError;
use crate::sql::schema::document_segments;

const TABLE: &str = "document_segments";

/// A piece of a document's text.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = document_segments)]
pub(in crate::sql) struct SegmentRow {
    tenant_id: String,
    document_id: String,
    version: i64,
    ordinal: i64,
    start: i64,
    headings: String,
    pages: String,
    text: String,
}

impl SegmentRow {
    pub(in crate::sql) fn new(
        tenant: &TenantId,
        document: DocumentId,
        version: u32,
        segment: &Segment,
    ) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            document_id: document.to_string(),
            version: version.into(),
            ordinal: segment.ordinal.into(),
            start: segment.start.into(),
            headings: json::write_headings(&segment.headings),
            pages: json::write_pages(&segment.pages),
            text: segment.text.clone(),
        }
    }
}

impl TryFrom<SegmentRow> for Segment {
    type Error = StoreError;

    fn try_from(row: SegmentRow) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: number(TABLE, row.ordinal)?,
            start: number(TABLE, row.start)?,
            text: row.text,
            headings: json::read_headings(&row.headings).map_err(unreadable(TABLE))?,
            pages: json::read_pages(&row.pages).map_err(unreadable(TABLE))?,
        })
    }
}
