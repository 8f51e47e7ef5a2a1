use std::fmt;

use tenantry_domain::{Chunk, MediaType, Span};
use text_splitter::{ChunkCharIndex, ChunkConfig, MarkdownSplitter, TextSplitter};

/// Splits a document's text into chunks along its structure: sections, paragraphs, sentences, words.
pub struct Splitter {
    text: TextSplitter<text_splitter::Characters>,
    markdown: MarkdownSplitter<text_splitter::Characters>,
}

impl Splitter {
    /// Chunks of 400 to 1,000 characters where the structure allows: about 250 English tokens at most, which every common
    /// embedding model reads whole.
    pub fn new() -> Self {
        let config = || ChunkConfig::new(400..1_000).with_trim(true);
        Self {
            text: TextSplitter::new(config()),
            markdown: MarkdownSplitter::new(config()),
        }
    }

    /// The chunks of `text`, in order; the text at a chunk's span is the chunk.
    pub fn split(&self, media_type: MediaType, text: &str) -> Vec<Chunk> {
        match media_type {
            MediaType::PlainText => numbered(self.text.chunk_char_indices(text)),
            MediaType::Markdown => numbered(self.markdown.chunk_char_indices(text)),
        }
    }
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Splitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splitter").finish_non_exhaustive()
    }
}

fn numbered<'t>(pieces: impl Iterator<Item = ChunkCharIndex<'t>>) -> Vec<Chunk> {
    // A text is far shorter than u32::MAX characters, so that nothing saturates.
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    pieces
        .enumerate()
        .map(|(ordinal, piece)| {
            let length = piece.chunk.chars().count();
            Chunk {
                ordinal: narrow(ordinal),
                span: Span {
                    start: narrow(piece.char_offset),
                    end: narrow(piece.char_offset + length),
                },
                text: piece.chunk.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_section_is_not_torn_when_it_fits() {
        let text = format!(
            "# One\n\n{}\n\n# Two\n\n{}\n",
            "alpha ".repeat(90),
            "beta ".repeat(90)
        );
        let chunks = Splitter::new().split(MediaType::Markdown, &text);
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0].text.starts_with("# One") && chunks[1].text.starts_with("# Two"));
    }

    #[test]
    fn blank_text_has_no_chunks() {
        assert_eq!(Splitter::new().split(MediaType::PlainText, " \n\t "), []);
    }

    proptest! {
        #[test]
        fn the_text_at_the_span_is_the_chunk(text in "(\\PC|\n|é😀 ){0,3000}", markdown: bool) {
            let kind = if markdown { MediaType::Markdown } else { MediaType::PlainText };
            let chunks = Splitter::new().split(kind, &text);
            for (place, chunk) in chunks.iter().enumerate() {
                prop_assert_eq!(chunk.span.slice(&text), &chunk.text);
                prop_assert_eq!(usize::try_from(chunk.ordinal).unwrap(), place);
                prop_assert!(chunk.text.chars().count() <= 1_000);
            }
            prop_assert!(chunks.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
        }
    }
}
