use crate::DocumentId;

/// A half-open range of a document's text, counted in Unicode code points (not bytes, not UTF-16 units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first code point of the range.
    pub start: u32,
    /// One past the last code point of the range.
    pub end: u32,
}

impl Span {
    /// The piece of `text` that the span names; what lies beyond the text's end is left out.
    pub fn slice<'t>(&self, text: &'t str) -> &'t str {
        let byte_at = |offset: u32| {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            text.char_indices()
                .nth(offset)
                .map_or(text.len(), |(byte, _)| byte)
        };
        text.get(byte_at(self.start)..byte_at(self.end))
            .unwrap_or_default()
    }
}

/// A piece of a document that is embedded, found and cited as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The chunk's place in its document, from 0.
    pub ordinal: u32,
    /// Where the chunk stands in the document's text.
    pub span: Span,
    /// The text at `span`.
    pub text: String,
    /// The headings that it stands below, outermost first.
    pub headings: Vec<String>,
    /// The page that it begins on, where the file has pages.
    pub page: Option<u32>,
}

/// What a chunk's embedding was made from, as the first 16 bytes of a SHA-256: of two chunks with one hash the embedding is
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkHash([u8; 16]);

impl ChunkHash {
    /// The hash as it was computed.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// How a hit came to its score; higher is better in each part, ranks count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoreParts {
    /// The score by which hits are ordered, 0 to 1: the reranker's where there is one, else the fused one.
    pub score: f32,
    /// The score of the fused rankings, 0 to 1.
    pub fused: f32,
    /// Cosine similarity of the embeddings, where a dense search found the chunk.
    pub dense: Option<f32>,
    /// The place in the dense ranking.
    pub dense_rank: Option<u16>,
    /// BM25 relevance, where a lexical search found the chunk.
    pub lexical: Option<f32>,
    /// The place in the lexical ranking.
    pub lexical_rank: Option<u16>,
    /// The relevance that a reranker gave it.
    pub rerank: Option<f32>,
}

/// Where a hit stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// In a document of the tenant.
    Document(DocumentId),
    /// In a record that another tool wrote into the tenant's index, by that record's id.
    Record(String),
}

/// A chunk of the caller's tenant that answers a query, with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Where the chunk stands.
    pub origin: Origin,
    /// The document's title; of a record, its id.
    pub title: String,
    /// The chunk itself; neighbours that were found too are merged into one.
    pub chunk: Chunk,
    /// Why it was found.
    pub score: ScoreParts,
}

/// How many hits a search may return: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopK(u16);

/// A number of hits outside 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a search returns between 1 and {max} hits", max = TopK::MAX)]
pub struct TopKOutOfRange;

impl TopK {
    /// The largest number of hits of one search: as many as Pinecone gives with their values.
    pub const MAX: u16 = 1_000;

    /// A number of hits.
    ///
    /// # Errors
    /// When `n` is 0 or above [`TopK::MAX`].
    pub fn new(n: u16) -> Result<Self, TopKOutOfRange> {
        if (1..=Self::MAX).contains(&n) {
            Ok(Self(n))
        } else {
            Err(TopKOutOfRange)
        }
    }

    /// `n`, or the nearest number that is allowed.
    pub fn clamp(n: usize) -> Self {
        Self(u16::try_from(n).unwrap_or(Self::MAX).clamp(1, Self::MAX))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_code_points() {
        let text = "añ€😀b";
        assert_eq!(Span { start: 1, end: 4 }.slice(text), "ñ€😀");
        assert_eq!(Span { start: 4, end: 99 }.slice(text), "b");
        assert_eq!(Span { start: 9, end: 3 }.slice(text), "");
    }

    #[test]
    fn a_search_asks_for_one_to_a_thousand_hits() {
        assert_eq!(TopK::new(0), Err(TopKOutOfRange));
        assert_eq!(TopK::new(1_001), Err(TopKOutOfRange));
        assert_eq!(TopK::new(1_000).map(TopK::get), Ok(1_000));
        assert_eq!((TopK::clamp(0).get(), TopK::clamp(70_000).get()), (1, 1_000));
    }
}
