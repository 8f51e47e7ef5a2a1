use std::fmt;

use tenantry_domain::{Chunk, MediaType, Span};
use text_splitter::{ChunkCharIndex, ChunkConfig, MarkdownSplitter, TextSplitter};

/// The longest piece of a text that is split at once, in bytes. What a chunk costs grows with what follows it, so that a
/// text of a few megabytes would keep a core busy for an hour.
const MAX_PIECE: usize = 16 << 10;

/// Splits a document's text into chunks along its structure: sections, paragraphs, sentences, words.
pub struct Splitter {
    text: TextSplitter<text_splitter::Characters>,
    markdown: MarkdownSplitter<text_splitter::Characters>,
    max_piece: usize,
}

impl Splitter {
    /// Chunks of 400 to 1,000 characters where the structure allows: about 250 English tokens at most, which every common
    /// embedding model reads whole.
    pub fn new() -> Self {
        let config = || ChunkConfig::new(400..1_000).with_trim(true);
        Self {
            text: TextSplitter::new(config()),
            markdown: MarkdownSplitter::new(config()),
            max_piece: MAX_PIECE,
        }
    }

    /// The chunks of `text`, in order; the text at a chunk's span is the chunk.
    pub fn split(&self, media_type: MediaType, text: &str) -> Vec<Chunk> {
        let (mut chunks, mut before) = (Vec::new(), 0);
        for piece in pieces(text, self.max_piece) {
            match media_type {
                MediaType::PlainText => add(&mut chunks, before, self.text.chunk_char_indices(piece)),
                MediaType::Markdown => add(&mut chunks, before, self.markdown.chunk_char_indices(piece)),
            }
            before += piece.chars().count();
        }
        chunks
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

/// Adds the chunks of a piece that has `before` characters before it.
fn add<'t>(chunks: &mut Vec<Chunk>, before: usize, found: impl Iterator<Item = ChunkCharIndex<'t>>) {
    // A text is far shorter than u32::MAX characters, so that nothing saturates.
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    for found in found {
        let start = before + found.char_offset;
        chunks.push(Chunk {
            ordinal: narrow(chunks.len()),
            span: Span {
                start: narrow(start),
                end: narrow(start + found.chunk.chars().count()),
            },
            text: found.chunk.to_owned(),
        });
    }
}

/// `text` in pieces of at most `max` bytes.
fn pieces(text: &str, max: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(end_of_piece(rest, max));
        rest = after;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

/// Where the first piece of `text` ends: in the later half of what it may be, before a heading, else after an empty line, a
/// line, or a word.
fn end_of_piece(text: &str, max: usize) -> usize {
    if text.len() <= max {
        return text.len();
    }
    let window = text.split_at(text.floor_char_boundary(max)).0;
    let half = window.floor_char_boundary(max / 2);
    let later = window.split_at(half).1;
    let found = ["\n\n#", "\n\n", "\n", " "]
        .into_iter()
        .find_map(|mark| Some(later.rfind(mark)? + mark.trim_end_matches('#').len()));
    found.map_or(window.len(), |end| half + end)
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

    #[test]
    fn a_long_text_is_cut_where_it_pauses() {
        let cut = |text, max| pieces(text, max).collect::<Vec<_>>();
        assert_eq!(cut("", 4), Vec::<&str>::new());
        assert_eq!(cut("one two", 7), ["one two"]);
        assert_eq!(cut("aaaa bbbb cc dd", 12), ["aaaa bbbb ", "cc dd"]);
        assert_eq!(cut("aaaa bb\nb cc dd", 12), ["aaaa bb\n", "b cc dd"]);
        assert_eq!(
            cut("x\n\n# A\nyy\n\nzz zz zz", 16),
            ["x\n\n# A\nyy\n\n", "zz zz zz"]
        );
        assert_eq!(
            cut("aaaaaaaa\n\n# B\n\nc d e f", 16),
            ["aaaaaaaa\n\n", "# B\n\nc d e f"]
        );
        assert_eq!(cut("éééééé", 5), ["éé", "éé", "éé"]);
    }

    #[test]
    fn no_text_makes_the_splitter_look_at_all_of_it_for_each_chunk() {
        let endless = "a".repeat(2 * MAX_PIECE);
        for kind in [MediaType::PlainText, MediaType::Markdown] {
            let chunks = Splitter::new().split(kind, &endless);
            let ends = |end: usize| chunks.iter().any(|c| usize::try_from(c.span.end) == Ok(end));
            assert!(ends(MAX_PIECE) && ends(2 * MAX_PIECE));
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "(\\PC|\n|\n\n# |é😀 ){0,300}", max in 4..200_usize) {
            let pieces: Vec<&str> = pieces(&text, max).collect();
            prop_assert!(pieces.iter().all(|piece| piece.len() <= max));
            prop_assert_eq!(pieces.concat(), text);
        }

        #[test]
        fn the_text_at_the_span_is_the_chunk(
            text in "(\\PC|\n|é😀 ){0,3000}", markdown: bool, max_piece in prop_oneof![Just(MAX_PIECE), 4..5_000_usize],
        ) {
            let kind = if markdown { MediaType::Markdown } else { MediaType::PlainText };
            let chunks = Splitter { max_piece, ..Splitter::new() }.split(kind, &text);
            for (place, chunk) in chunks.iter().enumerate() {
                prop_assert_eq!(chunk.span.slice(&text), &chunk.text);
                prop_assert_eq!(usize::try_from(chunk.ordinal).unwrap(), place);
                prop_assert!(chunk.text.chars().count() <= 1_000);
            }
            prop_assert!(chunks.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
        }
    }
}
