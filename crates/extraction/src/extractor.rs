use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{MediaType, TextFormat};

use crate::ExtractError;

/// What is said of a file besides its bytes; a hint for what the bytes leave open, never believed against them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileHint<'a> {
    /// The file's name, with or without a path.
    pub name: Option<&'a str>,
    /// The media type that the client declared.
    pub declared: Option<MediaType>,
}

impl<'a> FileHint<'a> {
    /// The hint that a name alone gives.
    pub fn named(name: &'a str) -> Self {
        Self {
            name: Some(name),
            declared: None,
        }
    }
}

/// A part of a file's text, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text to be appended to the text so far. It may end anywhere, within a word too.
    Text(&'a str),
    /// The page that begins here, counted from 1: a page of a PDF, a slide, a sheet, a section of a book.
    Page(u32),
}

/// Takes the pieces; breaking ends the extraction.
pub type Sink<'a> = dyn FnMut(Piece<'_>) -> ControlFlow<()> + 'a;

/// What was learnt of a file while its text was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// What the file is, told by its content and, where that leaves it open, by the hint.
    pub media_type: MediaType,
    /// How its text is written.
    pub format: TextFormat,
    /// The title that the file gives itself.
    pub title: Option<String>,
    /// How many pages were begun; 0 for a kind of file without pages.
    pub pages: u32,
}

/// Turns a file's bytes into readable text: headings, lists and tables as Markdown lines, words in reading order.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use tenantry_extraction::{ExtractError, Extractor, FileHint, Piece};
///
/// /// The whole text of a file.
/// fn text(extractor: &dyn Extractor, name: &str, mut file: &[u8]) -> Result<String, ExtractError> {
///     let mut text = String::new();
///     extractor.extract(&mut file, FileHint::named(name), &mut |piece| {
///         if let Piece::Text(part) = piece {
///             text.push_str(part);
///         }
///         ControlFlow::Continue(())
///     })?;
///     Ok(text)
/// }
/// ```
pub trait Extractor: Send + Sync {
    /// Reads `file` and passes its text to `sink`, piece by piece. The pieces that came before an error are worth
    /// nothing. Plain text and Markdown are passed on as they are read; other kinds are held in memory.
    ///
    /// # Errors
    /// When the file gives no text, or not all of it; see [`ExtractError`]. [`ExtractError::Stopped`] when `sink`
    /// breaks, [`ExtractError::NoText`] when all of the text is blank.
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError>;
}

impl<T: Extractor + ?Sized> Extractor for Arc<T> {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        self.as_ref().extract(file, hint, sink)
    }
}
