use std::ops::ControlFlow;

use tenantry_domain::{PageMark, Segment};

use crate::outline::Outline;
use crate::split::end_of_piece;
use crate::text::Cleaner;

/// The longest segment in bytes.
const MAX_SEGMENT: usize = 16 << 10;

/// Takes each segment; breaking ends the reading.
pub(super) type Emit<'e> = dyn FnMut(Segment) -> ControlFlow<()> + 'e;

/// Cuts a text that comes in pieces into segments, and cleans it: in constant memory, however long it is.
#[derive(Debug)]
pub(super) struct Segmenter {
    cleaner: Cleaner,
    /// Clean text that is in no segment yet.
    text: String,
    /// Its number of characters.
    length: u32,
    /// Where it begins in the document, in code points.
    start: u32,
    next: u32,
    outline: Outline,
    /// The page that is open at `start`, and those that begin after it.
    pages: Vec<PageMark>,
    max: usize,
}

impl Segmenter {
    pub(super) fn new() -> Self {
        Self::with_max(MAX_SEGMENT)
    }

    fn with_max(max: usize) -> Self {
        Self {
            cleaner: Cleaner::default(),
            text: String::new(),
            length: 0,
            start: 0,
            next: 0,
            outline: Outline::default(),
            pages: Vec::new(),
            max,
        }
    }

    /// The characters so far.
    pub(super) fn characters(&self) -> u32 {
        self.start.saturating_add(self.length)
    }

    /// The segments so far, those that were emitted.
    pub(super) fn segments(&self) -> u32 {
        self.next
    }

    /// A page begins here.
    pub(super) fn page(&mut self, page: u32) {
        let at = self.characters();
        // A file may have any number of pages without text; of those that begin at one place the last is open.
        match self.pages.last_mut() {
            Some(last) if last.at == at => last.page = page,
            _ => self.pages.push(PageMark { at, page }),
        }
    }

    /// Appends text, and emits each segment that is full.
    pub(super) fn append(&mut self, text: &str, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let mut rest = text;
        while !rest.is_empty() {
            // At least one character, however small the segments are.
            let end = rest.floor_char_boundary(self.max).max(rest.ceil_char_boundary(1));
            let (part, after) = rest.split_at(end);
            rest = after;
            let added = self.cleaner.add(part, &mut self.text);
            self.length = self.length.saturating_add(added);
            while self.text.len() > self.max {
                self.emit_one(emit)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Emits what is left.
    pub(super) fn finish(&mut self, emit: &mut Emit<'_>) -> ControlFlow<()> {
        while !self.text.is_empty() {
            self.emit_one(emit)?;
        }
        ControlFlow::Continue(())
    }

    fn emit_one(&mut self, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let fences = self.outline.fences(&self.text);
        let rest = self.text.split_off(end_of_piece(&self.text, self.max, &fences));
        let text = std::mem::replace(&mut self.text, rest);
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let end = self.start.saturating_add(length);
        let headings = self.outline.levels().to_vec();
        self.outline.pass(&text);
        let segment = Segment {
            ordinal: self.next,
            start: self.start,
            text,
            headings,
            pages: self.pages_until(end),
        };
        self.next = self.next.saturating_add(1);
        self.start = end;
        self.length = self.length.saturating_sub(length);
        emit(segment)
    }

    /// The pages of the segment that ends at `end`; the one that is open there stays for the next.
    fn pages_until(&mut self, end: u32) -> Vec<PageMark> {
        let of_segment = self.pages.iter().filter(|mark| mark.at < end).count();
        let pages = self.pages.iter().take(of_segment).copied().collect();
        self.pages.drain(..of_segment.saturating_sub(1));
        // The first is open no more when the next one begins where the next segment does.
        let replaced = self.pages.iter().filter(|mark| mark.at <= end).count();
        self.pages.drain(..replaced.saturating_sub(1));
        pages
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenantry_domain::{Span, TextFormat};

    use super::*;
    use crate::Splitter;
    use crate::text::clean;

    enum Given<'t> {
        Text(&'t str),
        Page(u32),
    }

    fn cut(max: usize, given: &[Given<'_>]) -> Vec<Segment> {
        let (mut segmenter, mut segments) = (Segmenter::with_max(max), Vec::new());
        let mut emit = |segment| {
            segments.push(segment);
            ControlFlow::Continue(())
        };
        for given in given {
            match given {
                Given::Text(text) => assert!(segmenter.append(text, &mut emit).is_continue()),
                Given::Page(page) => segmenter.page(*page),
            }
        }
        assert!(segmenter.finish(&mut emit).is_continue());
        assert_eq!(usize::try_from(segmenter.segments()).unwrap(), segments.len());
        segments
    }

    #[test]
    fn a_segment_knows_the_pages_that_are_open_in_it() {
        let mark = |at, page| PageMark { at, page };
        let segments = cut(
            8,
            &[
                Given::Page(1),
                Given::Text("aaaa bbbb cccc "),
                Given::Page(2),
                Given::Page(3),
                Given::Text("dddd eeee"),
                Given::Page(4),
                Given::Text(" ffff"),
            ],
        );
        let seen: Vec<_> = segments
            .iter()
            .map(|segment| (segment.text.as_str(), segment.pages.clone()))
            .collect();
        assert_eq!(
            seen,
            [
                ("aaaa ", vec![mark(0, 1)]),
                ("bbbb ", vec![mark(0, 1)]),
                ("cccc ", vec![mark(0, 1)]),
                ("dddd ", vec![mark(15, 3)]),
                ("eeee ", vec![mark(15, 3), mark(24, 4)]),
                ("ffff", vec![mark(24, 4)]),
            ]
        );
    }

    #[test]
    fn pages_without_text_are_not_kept() {
        let (mut segmenter, mut segments) = (Segmenter::new(), Vec::new());
        (1..=1_000_000).for_each(|page| segmenter.page(page));
        assert!(segmenter.pages.capacity() < 100);
        let mut emit = |segment| {
            segments.push(segment);
            ControlFlow::Continue(())
        };
        assert!(segmenter.append("text", &mut emit).is_continue());
        (2_000_000..=3_000_000).for_each(|page| segmenter.page(page));
        assert!(segmenter.finish(&mut emit).is_continue());
        assert_eq!(
            segments[0].pages,
            [PageMark {
                at: 0,
                page: 1_000_000
            }]
        );
    }

    #[test]
    fn a_segment_knows_the_headings_that_are_open_where_it_begins() {
        let segments = cut(
            24,
            &[Given::Text(
                "## Fees\n\naaaa aaaa\n\n# Hours\n\nbbbb bbbb bbbb bbbb",
            )],
        );
        let seen: Vec<_> = segments
            .iter()
            .map(|segment| (segment.text.as_str(), segment.headings.join("/")))
            .collect();
        assert_eq!(
            seen,
            [
                ("## Fees\n\naaaa aaaa\n\n", String::new()),
                ("# Hours\n\nbbbb bbbb bbbb ", "/Fees".to_owned()),
                ("bbbb", "Hours".to_owned()),
            ]
        );
    }

    #[test]
    fn code_is_kept_in_one_segment_where_it_fits() {
        let text = "intro text here\n```\n# one\n\n# two\n```\nmore text to come after it";
        let segments = cut(34, &[Given::Text(text)]);
        assert_eq!(segments[0].text, "intro text here\n");
        assert!(segments[1].text.starts_with("```\n# one\n\n# two\n```\n"));
        assert!(segments.iter().all(|segment| segment.headings.is_empty()));
    }

    #[test]
    fn breaking_ends_it() {
        let mut segmenter = Segmenter::with_max(4);
        let mut seen = 0;
        let flow = segmenter.append("a b c d e f g h", &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow.is_break(), seen), (true, 1));
    }

    proptest! {
        #[test]
        fn the_segments_are_the_clean_text(
            pieces in prop::collection::vec("(\\PC|\r|\n|\u{200B}|é😀 |\n```\n|\n# ){0,60}", 0..20), max in 4..200_usize,
        ) {
            let given: Vec<_> = pieces.iter().map(|piece| Given::Text(piece)).collect();
            let segments = cut(max, &given);
            let text: String = segments.iter().map(|segment| segment.text.as_str()).collect();
            prop_assert_eq!(&text, &clean(&pieces.concat()));
            let mut next = 0;
            for (place, segment) in segments.iter().enumerate() {
                prop_assert!(!segment.text.is_empty() && segment.text.len() <= max);
                prop_assert_eq!(usize::try_from(segment.ordinal).unwrap(), place);
                prop_assert_eq!(segment.start, next);
                next += u32::try_from(segment.text.chars().count()).unwrap();
            }
        }

        #[test]
        fn the_documents_text_at_a_span_is_the_chunk(
            text in "(\\PC|\n|é😀 |\n# ){0,1000}", max in 50..2_000_usize, markdown: bool,
        ) {
            let format = if markdown { TextFormat::Markdown } else { TextFormat::Plain };
            let text = clean(&text);
            let (splitter, mut chunks) = (Splitter::new(), Vec::new());
            for segment in cut(max, &[Given::Text(&text)]) {
                let first = u32::try_from(chunks.len()).unwrap();
                chunks.extend(splitter.split(format, &segment, first));
            }
            for (place, chunk) in chunks.iter().enumerate() {
                prop_assert_eq!(usize::try_from(chunk.ordinal).unwrap(), place);
                prop_assert_eq!(chunk.span.slice(&text), &chunk.text);
            }
            let covered = |at: u32| chunks.iter().any(|chunk| (chunk.span.start..chunk.span.end).contains(&at));
            for (at, c) in (0..).zip(text.chars()) {
                prop_assert!(c.is_whitespace() || covered(at), "{:?}", Span { start: at, end: at + 1 }.slice(&text));
            }
        }
    }
}
