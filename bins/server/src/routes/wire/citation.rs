use serde::Serialize;
use tenantry_domain::Citation;
use utoipa::ToSchema;

use super::ids;

/// What a marker of an answer stands for, as it was when the answer was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Citation)]
pub(in crate::routes) struct CitationView {
    /// The number in the marker, from 1.
    number: u16,
    /// The document that the passage stands in; `null` for a record.
    document_id: Option<String>,
    /// The record's id, where another tool fills the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<String>,
    /// The document's title; of a record, its id.
    title: String,
    /// Where the passage begins in the document's text, in Unicode code points.
    start: u32,
    /// Where it ends.
    end: u32,
    /// The page, slide or sheet that it begins on, from 1, where the file has such.
    page: Option<u32>,
    /// The text that stands there, to the letter.
    excerpt: String,
}

impl From<Citation> for CitationView {
    fn from(citation: Citation) -> Self {
        let (document_id, record_id) = ids(citation.origin);
        Self {
            number: citation.number,
            document_id,
            record_id,
            title: citation.title,
            start: citation.span.start,
            end: citation.span.end,
            page: citation.page,
            excerpt: citation.excerpt,
        }
    }
}
