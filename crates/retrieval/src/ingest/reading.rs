use std::ops::ControlFlow;

use tenantry_domain::{JobProgress, Segment, TextFormat};
use tenantry_extraction::{ExtractError, Extracted, FileHint, Piece};
use tenantry_tenant_store::{Incoming, TextRead};

use super::failure::{Failure, Halt};
use super::segments::Segmenter;
use super::source::SourceReader;
use super::turn::Turn;
use crate::knowledge::MAX_TITLE;
use crate::text::visible_line;

/// How many segments are kept at a time.
const BATCH: usize = 32;
/// The title of a document whose file has neither a title nor a name.
const UNTITLED: &str = "Untitled";

/// What indexing needs to know of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) format: TextFormat,
    pub(super) segments: u32,
}

impl Turn<'_> {
    /// Reads the text out of the file and keeps it.
    pub(super) fn read(&self, incoming: &Incoming) -> Result<Text, Halt> {
        let parts = &self.ingestor.parts;
        let mut source = SourceReader::new(parts.sources.as_ref(), self.scope, incoming.source);
        let mut reading = Reading::new(self);
        let hint = FileHint {
            name: incoming.file_name.as_deref(),
            declared: incoming.declared,
        };
        let extracted = parts
            .extractor
            .extract(&mut source, hint, &mut |piece| reading.take(piece));
        let failure = source.into_failure();
        let rest = match (reading.halt.take(), failure) {
            (Some(halt), _) => return Err(halt),
            (None, Some(error)) => return Err(error.into()),
            (None, None) => extracted.map_err(|error| match error {
                ExtractError::NoText => Failure::NoText,
                error => Failure::Extract(error),
            })?,
        };
        reading.finish()?;
        let read = TextRead {
            media_type: rest.media_type,
            format: rest.format,
            title: title(incoming, &rest),
            characters: reading.segmenter.characters(),
            segments: reading.segmenter.segments(),
        };
        self.hold.text_read(&read)?;
        Ok(Text {
            title: read.title,
            format: read.format,
            segments: read.segments,
        })
    }
}

/// The client's title, else the file's own, else its name.
pub(super) fn title(incoming: &Incoming, extracted: &Extracted) -> String {
    let own = extracted.title.as_deref().and_then(|title| {
        let start: String = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let start: String = start.chars().take(MAX_TITLE).collect();
        visible_line("title", &start, MAX_TITLE, "is too long").ok()
    });
    incoming
        .title
        .clone()
        .or(own)
        .or_else(|| incoming.file_name.clone())
        .unwrap_or_else(|| UNTITLED.to_owned())
}

/// The text so far.
struct Reading<'t, 'a> {
    turn: &'t Turn<'a>,
    segmenter: Segmenter,
    batch: Vec<Segment>,
    readable: bool,
    /// Why the reading was stopped.
    halt: Option<Halt>,
}

impl<'t, 'a> Reading<'t, 'a> {
    fn new(turn: &'t Turn<'a>) -> Self {
        Self {
            turn,
            segmenter: Segmenter::new(),
            batch: Vec::new(),
            readable: false,
            halt: None,
        }
    }

    fn take(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        match piece {
            Piece::Text(text) => self.cut(|segmenter, emit| segmenter.append(text, emit)),
            Piece::Page(page) => {
                self.segmenter.page(page);
                ControlFlow::Continue(())
            }
        }
    }

    fn finish(&mut self) -> Result<(), Halt> {
        let flow = self.cut(Segmenter::finish);
        if flow.is_continue()
            && let Err(halt) = self.keep_batch()
        {
            self.halt = Some(halt);
        }
        match self.halt.take() {
            Some(halt) => Err(halt),
            None if self.readable => Ok(()),
            None => Err(Failure::NoText.into()),
        }
    }

    /// Lets the segmenter work, and keeps what it emits.
    fn cut(
        &mut self,
        work: impl FnOnce(&mut Segmenter, &mut super::segments::Emit<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut segmenter = std::mem::replace(&mut self.segmenter, Segmenter::new());
        let flow = work(&mut segmenter, &mut |segment| self.add(segment));
        self.segmenter = segmenter;
        flow
    }

    fn add(&mut self, segment: Segment) -> ControlFlow<()> {
        self.readable |= segment.text.chars().any(|c| !c.is_whitespace());
        self.batch.push(segment);
        if self.batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        match self.keep_batch() {
            Ok(()) => ControlFlow::Continue(()),
            Err(halt) => {
                self.halt = Some(halt);
                ControlFlow::Break(())
            }
        }
    }

    fn keep_batch(&mut self) -> Result<(), Halt> {
        let batch = std::mem::take(&mut self.batch);
        let Some(last) = batch.last() else { return Ok(()) };
        let length = u32::try_from(last.text.chars().count()).unwrap_or(u32::MAX);
        let characters = last.start.saturating_add(length);
        let max = self.turn.ingestor.options.limits.max_characters;
        if characters > max {
            return Err(Failure::TooLong(max).into());
        }
        self.turn.check()?;
        self.turn.hold.add_segments(&batch)?;
        self.turn.hold.report(JobProgress {
            characters,
            ..JobProgress::default()
        })
    }
}
