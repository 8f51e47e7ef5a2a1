use std::fmt;

use crate::names::names;
use crate::{DocumentId, MediaType, Metadata, Timestamp};

/// A state that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a document state")]
pub struct ParseDocumentStateError;

names! {
    /// How far a document has come on its way into search; only a [`DocumentState::Ready`] one can be found.
    DocumentState, ParseDocumentStateError:
    /// Stored, not yet worked on.
    Pending = "pending",
    /// Its text is being read out of the file.
    Extracting = "extracting",
    /// Its chunks are being embedded and written to the vector store.
    Indexing = "indexing",
    /// Searchable. A replacement may be on its way; until it is ready too, this version is found.
    Ready = "ready",
    /// Given up; the document says why.
    Failed = "failed",
    /// Being removed; no longer searchable.
    Deleting = "deleting",
}

/// One version of a document: replacing a document keeps its id and makes the next version, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentVersion {
    /// The document.
    pub document: DocumentId,
    /// Which of its versions.
    pub version: u32,
}

/// The SHA-256 of a file's bytes, by which the same file is known again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash as it was computed.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// A document of one tenant; its text is fetched apart, because lists do not need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The document's id.
    pub id: DocumentId,
    /// The client's own name for it, one document of the tenant each.
    pub external_id: Option<String>,
    /// Its title, shown with every citation.
    pub title: String,
    /// What kind of file it was given as.
    pub media_type: MediaType,
    /// What the client says about it, for filters.
    pub metadata: Metadata,
    /// The hash of the file; `None` for documents that were stored before hashes were kept.
    pub content_hash: Option<ContentHash>,
    /// The version that can be found; 0 before the first one is ready.
    pub version: u32,
    /// How far it has come.
    pub state: DocumentState,
    /// Why it failed, in words for a person, when `state` is [`DocumentState::Failed`].
    pub failure: Option<String>,
    /// The length of its text in Unicode code points; 0 until it is ready.
    pub characters: u32,
    /// How many chunks it was split into; 0 until it is ready.
    pub chunks: u32,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageMark {
    /// The first code point of the page, counted in the document's whole text.
    pub at: u32,
    /// The page's number, from 1: a sheet or a slide where the format has those.
    pub page: u32,
}

/// A stretch of a document's text, cut where it pauses, that is split and indexed by itself: long documents are never held
/// whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its place in the document, from 0; the segments' texts in this order are the document's text.
    pub ordinal: u32,
    /// Where it begins in the document's text, in code points.
    pub start: u32,
    /// The text.
    pub text: String,
    /// The headings that are open where it begins, by their level, outermost first; empty for a level that was skipped.
    pub headings: Vec<String>,
    /// The page that is open where it begins, where the file has pages, and those that begin in it.
    pub pages: Vec<PageMark>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_from_its_name() {
        for state in DocumentState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        assert_eq!("Ready".parse::<DocumentState>(), Err(ParseDocumentStateError));
    }

    #[test]
    fn a_content_hash_reads_as_hexadecimal() {
        let hash = ContentHash::from_bytes([0xab; 32]);
        assert_eq!(hash.to_string(), "ab".repeat(32));
    }
}
