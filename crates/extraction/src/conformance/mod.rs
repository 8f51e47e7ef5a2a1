//! What every [`Extractor`] promises, one function per promise; each panics when it is broken.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken promise fails the test that asked"
)]

#[cfg(feature = "formats")]
mod formats;
#[cfg(feature = "formats")]
pub mod samples;

use std::io::{self, Read};
use std::ops::ControlFlow;

use tenantry_domain::{MediaType, TextFormat};

#[cfg(feature = "formats")]
pub use self::formats::*;
use crate::{ExtractError, Extracted, Extractor, FileHint, Piece};

/// Checks what every extractor promises, one that reads nothing but text in UTF-8 too.
pub fn extractor(extractor: &dyn Extractor) {
    text_passes_as_it_is(extractor);
    markdown_is_known_by_its_name(extractor);
    a_byte_order_mark_is_no_text(extractor);
    a_blank_file_has_no_text(extractor);
    a_sink_that_breaks_stops_it(extractor);
    a_broken_source_is_not_the_files_fault(extractor);
    bytes_that_are_no_text_are_refused(extractor);
}

/// Plain text arrives whole, whatever language it is in, and has no pages.
pub fn text_passes_as_it_is(extractor: &dyn Extractor) {
    let text = "Ça va?\r\n\tשלום עולם, مرحبا 🎈\n\n".repeat(20_000);
    let (extracted, read) = whole(extractor, text.as_bytes(), "notes.txt").unwrap();
    assert!(read.text == text, "the text is not what was given");
    assert_eq!(extracted.media_type, MediaType::PlainText);
    assert_eq!(extracted.format, TextFormat::Plain);
    assert_eq!((extracted.title, extracted.pages, read.pages), (None, 0, vec![]));
}

/// Markdown looks like plain text; its name tells.
pub fn markdown_is_known_by_its_name(extractor: &dyn Extractor) {
    let (extracted, read) = whole(extractor, b"# Title\n\nText.", "READ.Me.MD").unwrap();
    assert_eq!(read.text, "# Title\n\nText.");
    assert_eq!(extracted.media_type, MediaType::Markdown);
    assert_eq!(extracted.format, TextFormat::Markdown);
}

/// A byte order mark is left aside.
pub fn a_byte_order_mark_is_no_text(extractor: &dyn Extractor) {
    let (_, read) = whole(extractor, b"\xef\xbb\xbftext", "a.txt").unwrap();
    assert_eq!(read.text, "text");
}

/// An empty file and one of blanks have no text.
pub fn a_blank_file_has_no_text(extractor: &dyn Extractor) {
    for bytes in [&b""[..], b" \n\t\r\n", b"\xef\xbb\xbf"] {
        let result = whole(extractor, bytes, "a.txt");
        assert!(matches!(result, Err(ExtractError::NoText)), "{result:?}");
    }
}

/// Nothing is passed on after the sink broke.
pub fn a_sink_that_breaks_stops_it(extractor: &dyn Extractor) {
    let text = "a line of text\n".repeat(100_000);
    let mut calls = 0;
    let result = extractor.extract(&mut text.as_bytes(), FileHint::named("a.txt"), &mut |_| {
        calls += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(ExtractError::Stopped)), "{result:?}");
    assert_eq!(calls, 1);
}

/// A source that fails gives a transient error with its cause, at the beginning and in the middle.
pub fn a_broken_source_is_not_the_files_fault(extractor: &dyn Extractor) {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for begin in [String::new(), "a line of text\n".repeat(20_000)] {
        let mut file = begin.as_bytes().chain(Broken);
        let result = extractor.extract(&mut file, FileHint::named("a.txt"), &mut |_| {
            ControlFlow::Continue(())
        });
        match result {
            Err(error @ ExtractError::Source(_)) => assert!(error.is_transient()),
            other => panic!("expected the source's error: {other:?}"),
        }
    }
}

/// Bytes that are no text in any encoding are an error, whatever their name says.
pub fn bytes_that_are_no_text_are_refused(extractor: &dyn Extractor) {
    let bytes: Vec<u8> = (0..4_096_u32)
        .flat_map(|at| (at.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect();
    for name in ["a.txt", "a.md", "a"] {
        let result = whole(extractor, &bytes, name);
        assert!(
            matches!(result, Err(ExtractError::Unsupported { .. })),
            "{name}: {:?}",
            result.map(|(extracted, _)| extracted)
        );
    }
}

/// The text of a file and the pages that begin in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// All text, joined.
    pub text: String,
    /// Each page's number with the byte of `text` that it begins at.
    pub pages: Vec<(u32, usize)>,
}

/// Extracts a file and joins what came.
///
/// # Errors
/// Those of [`Extractor::extract`].
pub fn whole(
    extractor: &dyn Extractor,
    mut bytes: &[u8],
    name: &str,
) -> Result<(Extracted, Gathered), ExtractError> {
    let mut gathered = Gathered::default();
    let extracted = extractor.extract(&mut bytes, FileHint::named(name), &mut |piece| {
        match piece {
            Piece::Text(text) => gathered.text.push_str(text),
            Piece::Page(number) => gathered.pages.push((number, gathered.text.len())),
        }
        ControlFlow::Continue(())
    })?;
    Ok((extracted, gathered))
}
