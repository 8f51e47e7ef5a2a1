use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::{Bound, ExtractError, Extracted, Piece, Sink};

/// The way to the sink: counts, spaces and bounds what the readers of formats write.
pub(crate) struct Out<'s, 'f> {
    sink: &'s mut Sink<'f>,
    in_sink: bool,
    written: u64,
    limit: u64,
    visible: bool,
    /// How many line ends the text ends with, at most two; two where nothing stands yet.
    line_ends: u8,
    pages: u32,
}

impl<'s, 'f> Out<'s, 'f> {
    pub(crate) fn new(sink: &'s mut Sink<'f>, limit: u64) -> Self {
        Self {
            sink,
            in_sink: false,
            written: 0,
            limit,
            visible: false,
            line_ends: 2,
            pages: 0,
        }
    }

    /// Appends text as it is, but for U+0000, which no database keeps.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), ExtractError> {
        let text = if text.contains('\0') {
            Cow::Owned(text.replace('\0', ""))
        } else {
            Cow::Borrowed(text)
        };
        if text.is_empty() {
            return Ok(());
        }
        let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(characters);
        if self.written > self.limit {
            return Err(ExtractError::TooLarge(Bound::Text(self.limit)));
        }
        self.visible = self.visible || text.chars().any(|c| !c.is_whitespace());
        for c in text.chars().rev().take(2).collect::<Vec<_>>().into_iter().rev() {
            self.line_ends = if c == '\n' { (self.line_ends + 1).min(2) } else { 0 };
        }
        self.pass(Piece::Text(&text))
    }

    /// Makes what follows stand on a line of its own.
    pub(crate) fn end_line(&mut self) -> Result<(), ExtractError> {
        self.end_lines(1)
    }

    /// Makes what follows stand apart, after a blank line.
    pub(crate) fn end_block(&mut self) -> Result<(), ExtractError> {
        self.end_lines(2)
    }

    /// A text that stands apart, after a blank line; nothing for a blank one.
    pub(crate) fn block(&mut self, text: &str) -> Result<(), ExtractError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.end_block()?;
        self.text(text)
    }

    /// A text on a line of its own; nothing for a blank one.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), ExtractError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.end_line()?;
        self.text(text)
    }

    /// Begins the next page.
    pub(crate) fn page(&mut self) -> Result<(), ExtractError> {
        self.end_block()?;
        self.pages = self.pages.saturating_add(1);
        self.pass(Piece::Page(self.pages))
    }

    /// Passes on a page that another process began.
    #[cfg(all(unix, feature = "sandbox"))]
    pub(crate) fn relay_page(&mut self, number: u32) -> Result<(), ExtractError> {
        self.pages = number;
        self.pass(Piece::Page(number))
    }

    pub(crate) fn pages(&self) -> u32 {
        self.pages
    }

    /// Whether anything but blanks was written.
    pub(crate) fn is_visible(&self) -> bool {
        self.visible
    }

    /// What was learnt, unless all that was written is blank.
    pub(crate) fn end(&self, extracted: Extracted) -> Result<Extracted, ExtractError> {
        if self.visible {
            Ok(extracted)
        } else {
            Err(ExtractError::NoText)
        }
    }

    /// Whether the sink is being called now, which tells its panics from those of a reader.
    pub(crate) fn is_in_sink(&self) -> bool {
        self.in_sink
    }

    fn end_lines(&mut self, wanted: u8) -> Result<(), ExtractError> {
        match wanted.saturating_sub(self.line_ends) {
            0 => Ok(()),
            1 => self.text("\n"),
            _ => self.text("\n\n"),
        }
    }

    fn pass(&mut self, piece: Piece<'_>) -> Result<(), ExtractError> {
        self.in_sink = true;
        let flow = (self.sink)(piece);
        self.in_sink = false;
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ExtractError::Stopped),
        }
    }
}
