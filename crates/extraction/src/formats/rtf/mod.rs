//! Rich Text Format 1.9.1, by a reader of our own: the crates for it know neither tables nor code pages.

mod charsets;
mod lexer;
mod paragraphs;
mod reader;

use tenantry_domain::{MediaType, TextFormat};

use crate::out::Out;
use crate::{ExtractError, Extracted};

pub(super) fn read(bytes: &[u8], out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
    let title = reader::Reader::new(out).read(bytes)?;
    Ok(Extracted {
        media_type: MediaType::Rtf,
        format: TextFormat::Markdown,
        title,
        pages: 0,
    })
}

#[cfg(test)]
mod tests {
    use crate::conformance::whole;
    use crate::{Bound, ExtractError, InProcessExtractor, Limits};

    fn read(rtf: &str) -> Result<(Option<String>, String), ExtractError> {
        let extractor = InProcessExtractor::new(Limits::default());
        let (extracted, read) = whole(&extractor, rtf.as_bytes(), "a.rtf")?;
        Ok((extracted.title, read.text))
    }

    #[test]
    fn text_headings_and_lists_are_read() {
        let rtf = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss Helvetica;}{\f1\fcharset204 Arial;}}
{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}{\info{\title My title}{\author me}}
{\*\generator hidden;}\pard\s1 Caf\'e9\par\pard\plain A {\b bold}\line word \u8212?dash{\v secret}.\par
{\listtext\'b7\tab}Point\par {\f1\'cf\'f0\'e8\'e2\'e5\'f2}\par}";
        let (title, text) = read(rtf).unwrap();
        assert_eq!(title.as_deref(), Some("My title"));
        assert_eq!(text, "# Café\n\nA bold\nword \u{2014}dash.\n- Point\n\nПривет");
    }

    #[test]
    fn tables_are_read_row_by_row() {
        let rtf = r"{\rtf1 Before\par\trowd\pard\intbl Item\cell Price\cell\row
\trowd\pard\intbl Bolt\par M8\cell 2\cell\row\pard After\par}";
        assert_eq!(
            read(rtf).unwrap().1,
            "Before\n\n| Item | Price |\n| --- | --- |\n| Bolt M8 | 2 |\n\nAfter"
        );
    }

    #[test]
    fn binary_data_is_passed_over() {
        assert_eq!(read("{\\rtf1 a{\\pict\\bin5 }}}}}x} b}").unwrap().1, "a b");
        assert_eq!(read("{\\rtf1 a\\bin99999999999999 b}").unwrap().1, "a");
    }

    #[test]
    fn deep_groups_are_refused() {
        let deep = format!("{{\\rtf1 {}", "{".repeat(100_000));
        assert!(matches!(
            read(&deep),
            Err(ExtractError::TooLarge(Bound::Depth(_)))
        ));
    }
}
