use std::collections::BTreeMap;

use serde::Serialize;
use tenantry_domain::Document;
use utoipa::ToSchema;

use crate::routes::jobs::JobView;
use crate::routes::wire::{MetadataView, metadata_view};

/// A document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Document)]
pub(super) struct DocumentView {
    /// The document's id.
    id: String,
    /// Your own name for it.
    external_id: Option<String>,
    /// Its title.
    title: String,
    /// What kind of file it is; before it was read, what it was said to be.
    #[schema(example = "application/pdf")]
    media_type: &'static str,
    /// What searches can filter by.
    #[schema(value_type = Object)]
    metadata: BTreeMap<String, MetadataView>,
    /// The SHA-256 of the file in hexadecimal.
    content_hash: Option<String>,
    /// The version that is found, counted from 1; 0 before the first one is.
    version: u32,
    /// How far it has come: `pending`, `extracting`, `indexing`, `ready` or `failed`. Only a `ready` document is found.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why it failed, when it did.
    failure: Option<String>,
    /// The length of its text in Unicode code points.
    characters: u32,
    /// How many chunks it was split into.
    chunks: u32,
    /// When it was stored.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        Self {
            id: document.id.to_string(),
            external_id: document.external_id,
            title: document.title,
            media_type: document.media_type.as_str(),
            metadata: metadata_view(&document.metadata),
            content_hash: document.content_hash.map(|hash| hash.to_string()),
            version: document.version,
            state: document.state.as_str(),
            failure: document.failure,
            characters: document.characters,
            chunks: document.chunks,
            created_at: document.created_at.to_string(),
            updated_at: document.updated_at.to_string(),
        }
    }
}

/// A document, with its text when that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DocumentWithText {
    #[serde(flatten)]
    pub(super) document: DocumentView,
    /// The text, which citations count the characters of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// The job that takes a document in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubmittedDocument)]
pub(super) struct SubmittedView {
    #[serde(flatten)]
    pub(super) job: JobView,
    /// Whether the same file, with the same title and metadata, was there or on its way already, so that nothing was added.
    pub(super) duplicate: bool,
}
