use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;

use super::confine::confine;
use super::wire::{self, Header};
use crate::{ExtractError, Extractor, InProcessExtractor, Limits, Piece};

/// Reads the one file that a [`ProcessExtractor`](super::ProcessExtractor) sends and answers with its text: the whole
/// work of the process that it starts. Before the first byte of the file is read, the process gives up what it does
/// not need: memory, processor time, files, other processes.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// tenantry_extraction::sandbox::serve(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())
/// # }
/// ```
///
/// # Errors
/// When the other side is gone or does not speak this version's language, or a limit cannot be set. That a file
/// cannot be read is an answer and no error.
pub fn serve(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    serve_with(input, output, |limits| InProcessExtractor::new(*limits))
}

/// Does what [`serve`] does with an extractor of the caller's.
///
/// # Errors
/// As for [`serve`].
pub fn serve_with<E: Extractor>(
    input: &mut dyn Read,
    output: &mut dyn Write,
    extractor: impl FnOnce(&Limits) -> E,
) -> io::Result<()> {
    let header = Header::read(input)?;
    confine(&header.process)?;
    let mut output = BufWriter::with_capacity(64 << 10, output);
    let mut broken = None;
    let extractor = extractor(&header.limits);
    let end = extractor.extract(input, header.hint(), &mut |piece| {
        let written = match piece {
            Piece::Text(text) => wire::write_text(&mut output, text),
            Piece::Page(number) => wire::write_page(&mut output, number),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                broken = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match (broken, &end) {
        (Some(error), Err(ExtractError::Stopped)) => return Err(error),
        _ => wire::write_end(&mut output, &end)?,
    }
    output.flush()
}
