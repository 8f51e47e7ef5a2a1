use std::fmt;
use std::ops::Range;

use tenantry_domain::{Chunk, PageMark, Segment, Span, TextFormat};
use tenantry_llm_client::estimate_tokens;
use text_splitter::{ChunkCharIndex, ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use crate::outline::Outline;

/// The longest piece of a text that is split at once, in bytes. What a chunk costs grows with what follows it, so that a
/// text of a few megabytes would keep a core busy for an hour.
const MAX_PIECE: usize = 16 << 10;

/// The tokens that a chunk has where the structure allows, as [`estimate_tokens`] counts them. With the headings above it,
/// whatever the model's tokenizer, English text stays below the 256 tokens of small sentence encoders.
const TOKENS: Range<usize> = 120..211;

/// Splits a document's text, segment by segment, into chunks along its structure: sections, paragraphs, sentences, words.
///
/// The chunks depend on the text alone, and not on the model that embeds them: the indexes of two models have the same
/// chunks, an index can be compared with the records, and a model can be changed without new citations.
pub struct Splitter {
    text: TextSplitter<Tokens>,
    markdown: MarkdownSplitter<Tokens>,
    max_piece: usize,
}

/// Measures text in estimated tokens.
struct Tokens;

impl ChunkSizer for Tokens {
    fn size(&self, chunk: &str) -> usize {
        estimate_tokens(chunk)
    }
}

impl Splitter {
    /// Chunks of 120 to 210 tokens where the structure allows.
    pub fn new() -> Self {
        let config = || ChunkConfig::new(TOKENS).with_sizer(Tokens).with_trim(true);
        Self {
            text: TextSplitter::new(config()),
            markdown: MarkdownSplitter::new(config()),
            max_piece: MAX_PIECE,
        }
    }

    /// The chunks of a segment, in order, counted from `first`; the document's text at a chunk's span is the chunk.
    pub fn split(&self, format: TextFormat, segment: &Segment, first: u32) -> Vec<Chunk> {
        let mut cutting = Cutting::new(format, segment, first);
        for piece in pieces(&segment.text, self.max_piece) {
            match format {
                TextFormat::Plain => cutting.add(piece, self.text.chunk_char_indices(piece)),
                TextFormat::Markdown => cutting.add(piece, self.markdown.chunk_char_indices(piece)),
            }
        }
        cutting.chunks
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

/// The chunks of a segment so far.
struct Cutting<'s> {
    chunks: Vec<Chunk>,
    next: u32,
    /// Where the next piece begins in the document, in code points.
    at: u32,
    /// `None` in text without headings.
    outline: Option<Outline>,
    pages: &'s [PageMark],
}

impl<'s> Cutting<'s> {
    fn new(format: TextFormat, segment: &'s Segment, first: u32) -> Self {
        let outline = (format == TextFormat::Markdown).then(|| Outline::resume(&segment.headings));
        Self {
            chunks: Vec::new(),
            next: first,
            at: segment.start,
            outline,
            pages: &segment.pages,
        }
    }

    fn add<'t>(&mut self, piece: &'t str, found: impl Iterator<Item = ChunkCharIndex<'t>>) {
        let mut passed = 0;
        for found in found {
            let start = self.at.saturating_add(narrow(found.char_offset));
            let span = Span {
                start,
                end: start.saturating_add(narrow(found.chunk.chars().count())),
            };
            let headings = self.headings(piece, passed, found.byte_offset);
            passed = found.byte_offset;
            self.chunks.push(Chunk {
                ordinal: self.next,
                span,
                text: found.chunk.to_owned(),
                headings,
                page: self.page(start),
            });
            self.next = self.next.saturating_add(1);
        }
        if let Some(outline) = &mut self.outline {
            outline.pass(piece.get(passed..).unwrap_or_default());
        }
        self.at = self.at.saturating_add(narrow(piece.chars().count()));
    }

    /// The headings above byte `to` of `piece`, the outline having passed what stands before byte `from`.
    fn headings(&mut self, piece: &str, from: usize, to: usize) -> Vec<String> {
        let Some(outline) = &mut self.outline else {
            return Vec::new();
        };
        outline.pass(piece.get(from..to).unwrap_or_default());
        outline.path_at(piece.get(to..).unwrap_or_default())
    }

    fn page(&self, at: u32) -> Option<u32> {
        let open = self.pages.iter().take_while(|mark| mark.at <= at).last();
        open.map(|mark| mark.page)
    }
}

/// A text is shorter than `u32::MAX` characters, so that nothing saturates.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// `text` in pieces of at most `max` bytes.
fn pieces(text: &str, max: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(end_of_piece(rest, max, &[]));
        rest = after;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

/// Where the first piece of `text` ends: in the later half of what it may be, before a heading, else after an empty line, a
/// line, or a word. The ranges `whole` are not torn where they fit into a piece.
pub(crate) fn end_of_piece(text: &str, max: usize, whole: &[Range<usize>]) -> usize {
    if text.len() <= max {
        return text.len();
    }
    let window = text.split_at(text.floor_char_boundary(max)).0;
    let half = window.floor_char_boundary(max / 2);
    let later = window.split_at(half).1;
    let last = |whole: &[Range<usize>]| {
        let torn = |end: usize| whole.iter().any(|part| part.start < end && end < part.end);
        let ends = |mark: &'static str| {
            let length = mark.trim_end_matches('#').len();
            later.rmatch_indices(mark).map(move |(at, _)| half + at + length)
        };
        ["\n\n#", "\n\n", "\n", " "]
            .into_iter()
            .find_map(|mark| ends(mark).find(|end| !torn(*end)))
    };
    let before_torn = || {
        let mut starts = whole.iter().map(|part| part.start);
        starts.rfind(|start| (1..window.len()).contains(start))
    };
    last(whole)
        .or_else(before_torn)
        .or_else(|| last(&[]))
        .unwrap_or(window.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(text: &str) -> Segment {
        Segment {
            ordinal: 0,
            start: 0,
            text: text.into(),
            headings: Vec::new(),
            pages: Vec::new(),
        }
    }

    fn split(format: TextFormat, text: &str) -> Vec<Chunk> {
        Splitter::new().split(format, &segment(text), 0)
    }

    #[test]
    fn a_section_is_not_torn_when_it_fits() {
        let text = format!(
            "# One\n\n{}\n\n# Two\n\n{}\n",
            "alpha ".repeat(130),
            "beta ".repeat(130)
        );
        let chunks = split(TextFormat::Markdown, &text);
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0].text.starts_with("# One") && chunks[1].text.starts_with("# Two"));
        assert_eq!(
            (chunks[0].headings.as_slice(), chunks[1].headings.as_slice()),
            (&["One".to_owned()][..], &["Two".to_owned()][..])
        );
    }

    #[test]
    fn a_chunk_knows_the_headings_and_the_page_that_it_begins_under() {
        let text = format!("{}\n\n## Fees\n\n{}", "alpha ".repeat(150), "beta ".repeat(400));
        let at = u32::try_from(text.find("beta").unwrap()).unwrap();
        let segment = Segment {
            ordinal: 3,
            start: 1_000,
            text,
            headings: vec!["Rules".into()],
            pages: vec![
                PageMark { at: 800, page: 4 },
                PageMark {
                    at: 1_000 + at,
                    page: 5,
                },
            ],
        };
        let chunks = Splitter::new().split(TextFormat::Markdown, &segment, 70);
        assert_eq!((chunks[0].ordinal, chunks[0].span.start), (70, 1_000));
        assert_eq!(
            (chunks[0].headings.join("/"), chunks[0].page),
            ("Rules".into(), Some(4))
        );
        let last = chunks.last().unwrap();
        assert_eq!(
            (last.headings.join("/"), last.page),
            ("Rules/Fees".into(), Some(5))
        );
        let plain = Splitter::new().split(TextFormat::Plain, &segment, 0);
        assert!(plain.iter().all(|chunk| chunk.headings.is_empty()));
    }

    #[test]
    fn blank_text_has_no_chunks() {
        assert_eq!(split(TextFormat::Plain, " \n\t "), []);
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
    fn what_shall_stay_whole_is_cut_only_when_there_is_no_other_place() {
        let text = "aaaa bbb\nccc\n\nddd eee";
        assert_eq!(end_of_piece(text, 16, &[]), 14);
        let cut = |whole: Range<usize>| end_of_piece(text, 16, &[whole]);
        assert_eq!((cut(9..18), cut(4..18), cut(0..text.len())), (9, 4, 14));
    }

    #[test]
    fn no_text_makes_the_splitter_look_at_all_of_it_for_each_chunk() {
        let endless = "a".repeat(2 * MAX_PIECE);
        for format in [TextFormat::Plain, TextFormat::Markdown] {
            let chunks = split(format, &endless);
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
            text in "(\\PC|\n|é😀 |\n# ){0,1500}", markdown: bool, max_piece in prop_oneof![Just(MAX_PIECE), 4..5_000_usize],
        ) {
            let format = if markdown { TextFormat::Markdown } else { TextFormat::Plain };
            let chunks = Splitter { max_piece, ..Splitter::new() }.split(format, &segment(&text), 7);
            for (place, chunk) in chunks.iter().enumerate() {
                prop_assert_eq!(chunk.span.slice(&text), &chunk.text);
                prop_assert_eq!(usize::try_from(chunk.ordinal).unwrap(), place + 7);
                prop_assert!(estimate_tokens(&chunk.text) < TOKENS.end);
            }
            prop_assert!(chunks.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
        }
    }
}
