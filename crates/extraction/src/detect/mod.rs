//! Tells what a file is. What its bytes prove counts first; its name and then the declared type settle what bytes
//! leave open, which is only the difference between kinds of text.

mod magic;
mod textual;

use tenantry_domain::MediaType;

use crate::{ExtractError, FileHint};

/// What the beginning of a file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The file is of this kind.
    Known(MediaType),
    /// A ZIP archive; its parts tell.
    Zip,
    /// A container of old Microsoft Office files and of encrypted new ones; its streams tell.
    Ole,
}

/// Looks at the first bytes of a file.
pub(crate) fn beginning(start: &[u8], hint: FileHint<'_>) -> Result<Beginning, ExtractError> {
    if let Some(beginning) = magic::beginning(start)? {
        return Ok(beginning);
    }
    if claimed(hint) == Some(MediaType::Pdf) && magic::has_objects(start) {
        // A PDF whose first bytes are damaged would else be read as text, its inner words included.
        return Ok(Beginning::Known(MediaType::Pdf));
    }
    match textual::kind(start, hint) {
        Some(kind) => Ok(Beginning::Known(kind)),
        None => Err(not_text(hint)),
    }
}

fn claimed(hint: FileHint<'_>) -> Option<MediaType> {
    hint.name.and_then(MediaType::of_name).or(hint.declared)
}

fn not_text(hint: FileHint<'_>) -> ExtractError {
    let claimed = match claimed(hint) {
        Some(MediaType::Pdf) => "a PDF",
        Some(MediaType::Docx) => "a Word document",
        Some(MediaType::Pptx) => "a PowerPoint presentation",
        Some(MediaType::Xlsx) => "an Excel workbook",
        Some(MediaType::Epub) => "an EPUB book",
        Some(MediaType::Rtf) => "an RTF document",
        _ => return ExtractError::unsupported("it is neither text nor a known kind of document"),
    };
    ExtractError::damaged(format!("it should be {claimed}, and does not begin like one"))
}

pub(crate) use magic::ole;
