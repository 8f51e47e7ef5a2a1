use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tenantry_domain::{
    BoxError, Chunk, ContentHash, Document, DocumentId, DocumentState, DocumentVersion, MediaType, Metadata,
    MetadataValue, PageMark, Segment, TextFormat, Timestamp,
};
use tenantry_tenant_store::{ArchivedDocument, ArchivedRecord};

use super::tenant::unreadable;
use super::text;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct DocumentLine {
    #[serde(with = "text")]
    id: DocumentId,
    external_id: Option<String>,
    title: String,
    #[serde(with = "text")]
    media_type: MediaType,
    metadata: BTreeMap<String, Box<RawValue>>,
    file_sha256: Option<String>,
    version: u32,
    #[serde(with = "text")]
    state: DocumentState,
    failure: Option<String>,
    characters: u32,
    chunks: u32,
    segments: u32,
    #[serde(with = "text")]
    format: TextFormat,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

impl TryFrom<ArchivedDocument> for DocumentLine {
    type Error = BoxError;

    fn try_from(archived: ArchivedDocument) -> Result<Self, BoxError> {
        let document = archived.document;
        let metadata = document.metadata.iter();
        let metadata = metadata.map(|(key, value)| Ok((key.to_owned(), write_value(value)?)));
        Ok(Self {
            metadata: metadata.collect::<Result<_, serde_json::Error>>()?,
            id: document.id,
            external_id: document.external_id,
            title: document.title,
            media_type: document.media_type,
            file_sha256: document.content_hash.map(|hash| hash.to_string()),
            version: document.version,
            state: document.state,
            failure: document.failure,
            characters: document.characters,
            chunks: document.chunks,
            segments: archived.segments,
            format: archived.format,
            created_at: document.created_at,
            updated_at: document.updated_at,
        })
    }
}

impl TryFrom<DocumentLine> for ArchivedDocument {
    type Error = BoxError;

    fn try_from(line: DocumentLine) -> Result<Self, BoxError> {
        let hash = line.file_sha256.as_deref().map(|text| {
            let bytes = text::hash(text).ok_or_else(|| unreadable("`file_sha256` is no hash"))?;
            Ok::<_, BoxError>(ContentHash::from_bytes(bytes))
        });
        let values = line.metadata.iter();
        let values = values.map(|(key, value)| Ok((key.clone(), read_value(value.get())?)));
        Ok(Self {
            document: Document {
                metadata: Metadata::new(values.collect::<Result<_, BoxError>>()?)?,
                content_hash: hash.transpose()?,
                id: line.id,
                external_id: line.external_id,
                title: line.title,
                media_type: line.media_type,
                version: line.version,
                state: line.state,
                failure: line.failure,
                characters: line.characters,
                chunks: line.chunks,
                created_at: line.created_at,
                updated_at: line.updated_at,
            },
            format: line.format,
            segments: line.segments,
        })
    }
}

fn write_value(value: &MetadataValue) -> Result<Box<RawValue>, serde_json::Error> {
    match value {
        MetadataValue::Text(text) => to_raw_value(text),
        MetadataValue::Number(number) => to_raw_value(number),
        MetadataValue::Bool(is) => to_raw_value(is),
        MetadataValue::Texts(texts) => to_raw_value(texts),
    }
}

fn read_value(text: &str) -> Result<MetadataValue, BoxError> {
    Ok(match text.bytes().next() {
        Some(b'"') => MetadataValue::Text(serde_json::from_str(text)?),
        Some(b'[') => MetadataValue::Texts(serde_json::from_str(text)?),
        Some(b't' | b'f') => MetadataValue::Bool(serde_json::from_str(text)?),
        // serde_json reads a number quickly rather than to its last bit, by which filters would miss it.
        _ => MetadataValue::Number(text.parse()?),
    })
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct SegmentLine {
    #[serde(with = "text")]
    document: DocumentId,
    version: u32,
    ordinal: u32,
    start: u32,
    headings: Vec<String>,
    pages: Vec<(u32, u32)>,
    text: String,
}

impl SegmentLine {
    pub(in crate::archive) fn new(of: DocumentVersion, segment: Segment) -> Self {
        let pages = segment.pages.iter().map(|mark| (mark.at, mark.page)).collect();
        Self {
            document: of.document,
            version: of.version,
            ordinal: segment.ordinal,
            start: segment.start,
            headings: segment.headings,
            pages,
            text: segment.text,
        }
    }
}

impl From<SegmentLine> for ArchivedRecord {
    fn from(line: SegmentLine) -> Self {
        let pages = line.pages.into_iter().map(|(at, page)| PageMark { at, page });
        Self::Segment {
            of: DocumentVersion {
                document: line.document,
                version: line.version,
            },
            segment: Segment {
                ordinal: line.ordinal,
                start: line.start,
                text: line.text,
                headings: line.headings,
                pages: pages.collect(),
            },
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct ChunkLine {
    #[serde(with = "text")]
    pub(in crate::archive) document: DocumentId,
    version: u32,
    ordinal: u32,
    start: u32,
    end: u32,
    headings: Vec<String>,
    page: Option<u32>,
    text: String,
}

impl ChunkLine {
    pub(in crate::archive) fn new(of: DocumentVersion, chunk: Chunk) -> Self {
        Self {
            document: of.document,
            version: of.version,
            ordinal: chunk.ordinal,
            start: chunk.span.start,
            end: chunk.span.end,
            headings: chunk.headings,
            page: chunk.page,
            text: chunk.text,
        }
    }
}
