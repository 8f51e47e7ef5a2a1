use std::io::Read;
use std::ops::ControlFlow;

use tenantry_domain::{MediaType, TextFormat};

use crate::{ExtractError, Extracted, Extractor, FileHint, Piece, Sink};

/// Passes plain text and Markdown in UTF-8 on as they are, and reads nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryExtractor;

impl Extractor for MemoryExtractor {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(source)?;
        let text = std::str::from_utf8(&bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
            .ok_or_else(|| ExtractError::unsupported("it is not text in UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(ExtractError::NoText);
        }
        if let ControlFlow::Break(()) = sink(Piece::Text(text)) {
            return Err(ExtractError::Stopped);
        }
        Ok(plain_or_markdown(hint))
    }
}

/// What is known of a text without any structure but Markdown's.
pub(crate) fn plain_or_markdown(hint: FileHint<'_>) -> Extracted {
    let named = hint.name.and_then(MediaType::of_name).or(hint.declared);
    let (media_type, format) = match named {
        Some(MediaType::Markdown) => (MediaType::Markdown, TextFormat::Markdown),
        _ => (MediaType::PlainText, TextFormat::Plain),
    };
    Extracted {
        media_type,
        format,
        title: None,
        pages: 0,
    }
}

/// The error of a reader that the caller gave.
pub(crate) fn source(error: std::io::Error) -> ExtractError {
    ExtractError::Source(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn it_keeps_the_promises_of_an_extractor() {
        conformance::extractor(&MemoryExtractor);
    }

    #[test]
    fn other_files_are_refused() {
        let mut sink = |_: Piece<'_>| ControlFlow::Continue(());
        let result = MemoryExtractor.extract(&mut &b"%PDF-1.7\n\xff\xfe"[..], FileHint::default(), &mut sink);
        assert!(matches!(result, Err(ExtractError::Unsupported { .. })));
    }
}
