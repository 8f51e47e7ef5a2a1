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
}

/// How a hit came to its score; higher is better in each part.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoreParts {
    /// The score by which hits are ordered.
    pub score: f32,
    /// Cosine similarity of the embeddings, where a dense search found the chunk.
    pub dense: Option<f32>,
    /// BM25 relevance, where a lexical search found the chunk.
    pub lexical: Option<f32>,
}

/// A chunk of the caller's tenant that answers a query, with the document it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document that the chunk belongs to.
    pub document: DocumentId,
    /// That document's title.
    pub title: String,
    /// The chunk itself.
    pub chunk: Chunk,
    /// Why it was found.
    pub score: ScoreParts,
}

/// How many hits a search may return: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopK(u16);

/// A number of hits outside 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a search returns between 1 and {max} hits", max = TopK::MAX)]
pub struct TopKOutOfRange;

impl TopK {
    /// The largest number of hits of one search.
    pub const MAX: u16 = 100;

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
    fn a_search_asks_for_one_to_a_hundred_hits() {
        assert_eq!(TopK::new(0), Err(TopKOutOfRange));
        assert_eq!(TopK::new(101), Err(TopKOutOfRange));
        assert_eq!(TopK::new(100).map(TopK::get), Ok(100));
    }
}
