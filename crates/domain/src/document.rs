use std::fmt;
use std::str::FromStr;

use crate::{DocumentId, Timestamp};

/// How far a document has come on its way into search; only a [`DocumentState::Ready`] one can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentState {
    /// Stored, not yet worked on.
    Pending,
    /// Its chunks are being embedded.
    Embedding,
    /// Its chunks are being written to the vector store.
    Upserting,
    /// Searchable.
    Ready,
    /// Given up; the document says why.
    Failed,
    /// Being removed; no longer searchable.
    Deleting,
}

/// A state that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a document state")]
pub struct ParseDocumentStateError;

impl DocumentState {
    /// The state's name in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Embedding => "embedding",
            Self::Upserting => "upserting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }
}

impl FromStr for DocumentState {
    type Err = ParseDocumentStateError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [
            Self::Pending,
            Self::Embedding,
            Self::Upserting,
            Self::Ready,
            Self::Failed,
            Self::Deleting,
        ]
        .into_iter()
        .find(|state| state.as_str() == name)
        .ok_or(ParseDocumentStateError)
    }
}

impl fmt::Display for DocumentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kinds of text that can be ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `text/plain`, in UTF-8.
    PlainText,
    /// `text/markdown`, in UTF-8.
    Markdown,
}

/// A media type that cannot be ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected text/plain or text/markdown")]
pub struct ParseMediaTypeError;

impl MediaType {
    /// The media type without parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "text/plain",
            Self::Markdown => "text/markdown",
        }
    }
}

impl FromStr for MediaType {
    type Err = ParseMediaTypeError;

    /// Reads a media type; parameters such as `charset` are left aside, letter case does not matter.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let essence = name.split(';').next().unwrap_or_default().trim();
        [Self::PlainText, Self::Markdown]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(essence))
            .ok_or(ParseMediaTypeError)
    }
}

/// A document of one tenant; its text is fetched apart, because lists do not need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document's id.
    pub id: DocumentId,
    /// Its title, shown with every citation.
    pub title: String,
    /// What kind of text it was given as.
    pub media_type: MediaType,
    /// How far it has come.
    pub state: DocumentState,
    /// Why it failed, in words for a person, when `state` is [`DocumentState::Failed`].
    pub failure: Option<String>,
    /// The length of its text in Unicode code points.
    pub characters: u32,
    /// How many chunks it was split into.
    pub chunks: u32,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_from_its_name() {
        for name in ["pending", "embedding", "upserting", "ready", "failed", "deleting"] {
            assert_eq!(name.parse::<DocumentState>().map(DocumentState::as_str), Ok(name));
        }
        assert_eq!("Ready".parse::<DocumentState>(), Err(ParseDocumentStateError));
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        assert_eq!("Text/Markdown; charset=utf-8".parse(), Ok(MediaType::Markdown));
        assert_eq!("text/html".parse::<MediaType>(), Err(ParseMediaTypeError));
    }
}
