//! A chunk as a record and back.

use serde_json::{Map, Value};
use tenantry_domain::{BoxError, Chunk, DocumentId, Embedding, ScoreParts, Span};

use super::wire::{FoundRecord, Metadata, Record, whole_number};
use crate::{IndexedChunk, Match, VectorError};

/// The most that Pinecone keeps beside a vector is 40 KB; which thousand is meant it does not say, so the smaller.
const MAX_METADATA_BYTES: usize = 40_000;

/// What the ids of a document's records begin with.
pub(super) fn id_prefix(document: DocumentId) -> String {
    format!("{document}#")
}

fn id(document: DocumentId, ordinal: u32) -> String {
    format!("{document}#{ordinal}")
}

/// The record of `indexed` as JSON.
///
/// # Errors
/// [`VectorError::EmbeddingRequired`] without an embedding, [`VectorError::Refused`] when the text is too long.
pub(super) fn encode(indexed: &IndexedChunk) -> Result<Vec<u8>, VectorError> {
    let IndexedChunk {
        document,
        chunk,
        embedding,
    } = indexed;
    let values = embedding
        .as_ref()
        .map(Embedding::as_slice)
        .ok_or(VectorError::EmbeddingRequired)?;
    let metadata = Metadata {
        document: document.to_string(),
        ordinal: chunk.ordinal,
        start: chunk.span.start,
        end: chunk.span.end,
        text: &chunk.text,
    };
    let refused = |error: BoxError| VectorError::Refused(error);
    let metadata_bytes = serde_json::to_vec(&metadata)
        .map_err(|error| refused(error.into()))?
        .len();
    if metadata_bytes > MAX_METADATA_BYTES {
        let problem =
            format!("a chunk's text takes {metadata_bytes} bytes, above pinecone's {MAX_METADATA_BYTES}");
        return Err(refused(problem.into()));
    }
    let record = Record {
        id: id(*document, chunk.ordinal),
        values,
        metadata,
    };
    serde_json::to_vec(&record).map_err(|error| refused(error.into()))
}

/// The match that `found` is; `None` for a record that was not written here.
pub(super) fn decode(found: FoundRecord) -> Option<Match> {
    let mut metadata = found.metadata?;
    let document: DocumentId = metadata.get("document")?.as_str()?.parse().ok()?;
    let ordinal = number(&metadata, "ordinal")?;
    let span = Span {
        start: number(&metadata, "start")?,
        end: number(&metadata, "end")?,
    };
    let Value::String(text) = metadata.remove("text")? else {
        return None;
    };
    let score = ScoreParts {
        score: found.score.unwrap_or_default(),
        dense: found.score,
        lexical: None,
    };
    (found.id == id(document, ordinal)).then_some(Match {
        document,
        chunk: Chunk { ordinal, span, text },
        score,
    })
}

fn number(metadata: &Map<String, Value>, key: &str) -> Option<u32> {
    u32::try_from(whole_number(metadata.get(key)?)?).ok()
}
