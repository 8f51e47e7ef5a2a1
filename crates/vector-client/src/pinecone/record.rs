//! A chunk as a record and back.

use std::fmt::Write;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{Chunk, ChunkHash, DocumentId, DocumentVersion, Embedding, Span};

use super::wire::{Metadata, Record, whole_number};
use crate::{IndexedChunk, VectorError};

/// The most that Pinecone keeps beside a vector is 40 KB; which thousand is meant it does not say, so the smaller.
const MAX_METADATA_BYTES: usize = 40_000;

/// A record's id, `<document>#<version>#<ordinal>`, so that a document's records can be listed by what their ids begin with.
/// Records of version 1 may have an older form without the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordId {
    pub(super) of: DocumentVersion,
    pub(super) ordinal: u32,
}

/// An id that none of our records has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotOurs;

impl FromStr for RecordId {
    type Err = NotOurs;

    fn from_str(id: &str) -> Result<Self, NotOurs> {
        let number = |text: &str| match text.parse::<u32>() {
            Ok(number) if number.to_string() == text => Ok(number),
            _ => Err(NotOurs),
        };
        let (document, place) = id.split_once('#').ok_or(NotOurs)?;
        let (version, ordinal) = match place.split_once('#') {
            Some((version, ordinal)) => (number(version)?, number(ordinal)?),
            None => (1, number(place)?),
        };
        let document = document.parse().map_err(|_| NotOurs)?;
        let of = DocumentVersion { document, version };
        Ok(Self { of, ordinal })
    }
}

/// What the ids of a document's records begin with.
pub(super) fn id_prefix(document: DocumentId) -> String {
    format!("{document}#")
}

/// The record of `indexed` as JSON, with `fields` of its version's metadata.
///
/// # Errors
/// [`VectorError::EmbeddingRequired`] without an embedding, [`VectorError::Refused`] when the text is too long.
pub(super) fn encode(
    of: DocumentVersion,
    fields: &Map<String, Value>,
    indexed: &IndexedChunk,
) -> Result<Vec<u8>, VectorError> {
    let chunk = &indexed.chunk;
    let values = indexed
        .embedding
        .as_ref()
        .map(Embedding::as_slice)
        .ok_or(VectorError::EmbeddingRequired)?;
    let DocumentVersion { document, version } = of;
    let metadata = Metadata {
        document: document.to_string(),
        version,
        ordinal: chunk.ordinal,
        start: chunk.span.start,
        end: chunk.span.end,
        page: chunk.page,
        headings: &chunk.headings,
        context: &indexed.context,
        hash: hexadecimal(&indexed.hash),
        text: &chunk.text,
        fields,
    };
    let bytes = json(&metadata)?.len();
    if bytes > MAX_METADATA_BYTES {
        let problem =
            format!("a chunk with its metadata takes {bytes} bytes, above pinecone's {MAX_METADATA_BYTES}");
        return Err(VectorError::Refused(problem.into()));
    }
    json(&Record {
        id: format!("{document}#{version}#{}", chunk.ordinal),
        values,
        metadata,
    })
}

fn json(written: &impl Serialize) -> Result<Vec<u8>, VectorError> {
    serde_json::to_vec(written).map_err(|error| VectorError::Refused(error.into()))
}

/// The chunk that a record is; `None` for a record that was not written here.
pub(super) fn decode(id: &str, mut fields: Map<String, Value>) -> Option<(DocumentVersion, Chunk)> {
    let RecordId { of, ordinal } = id.parse().ok()?;
    let version = fields
        .get("version")
        .map_or(Some(1), |_| number(&fields, "version"));
    let document = fields.get("document")?.as_str()?;
    if version != Some(of.version)
        || document != of.document.to_string()
        || number(&fields, "ordinal") != Some(ordinal)
    {
        return None;
    }
    let span = Span {
        start: number(&fields, "start")?,
        end: number(&fields, "end")?,
    };
    let page = number(&fields, "page");
    let headings = fields.remove("headings").map_or_else(Vec::new, texts);
    let Value::String(text) = fields.remove("text")? else {
        return None;
    };
    let chunk = Chunk {
        ordinal,
        span,
        text,
        headings,
        page,
    };
    Some((of, chunk))
}

/// What the record's embedding was made from, as [`hexadecimal`] writes it.
pub(super) fn hash(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("hash")?.as_str()
}

/// Two lower-case digits for each byte.
pub(super) fn hexadecimal(hash: &ChunkHash) -> String {
    hash.as_bytes().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn texts(value: Value) -> Vec<String> {
    let Value::Array(values) = value else {
        return Vec::new();
    };
    let text = |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    values.into_iter().filter_map(text).collect()
}

/// A whole number among a record's fields.
pub(super) fn number(fields: &Map<String, Value>, key: &str) -> Option<u32> {
    u32::try_from(whole_number(fields.get(key)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_version_and_ordinal_and_the_older_form_means_version_one() {
        let document = "01890000-0000-7000-8000-000000000001";
        let read = |id: &str| id.parse::<RecordId>().map(|id| (id.of.version, id.ordinal));
        assert_eq!(read(&format!("{document}#3#0")), Ok((3, 0)));
        assert_eq!(read(&format!("{document}#17")), Ok((1, 17)));
        for id in [
            "",
            "17",
            document,
            &format!("{document}#"),
            &format!("{document}#1#"),
            &format!("{document}#1#2#3"),
            &format!("{document}#01#2"),
            &format!("{document}#+1#2"),
            &format!("{document}#1#4294967296"),
            &format!("{}#1#2", document.to_uppercase().replace('8', "A")),
        ] {
            assert_eq!(read(id), Err(NotOurs), "{id}");
        }
    }
}
