use std::fmt;
use std::str::FromStr;

use crate::names::names;

/// The kinds of file that can be ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaType {
    /// `text/plain`.
    PlainText,
    /// `text/markdown`.
    Markdown,
    /// `text/html`.
    Html,
    /// `application/pdf`.
    Pdf,
    /// A text of Microsoft Office (Office Open XML).
    Docx,
    /// A presentation of Microsoft Office.
    Pptx,
    /// A workbook of Microsoft Office.
    Xlsx,
    /// `text/csv`.
    Csv,
    /// `application/epub+zip`.
    Epub,
    /// `application/rtf`.
    Rtf,
    /// A mail: `message/rfc822`.
    Eml,
}

/// A media type that cannot be ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a media type that can be ingested")]
pub struct ParseMediaTypeError;

impl MediaType {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::PlainText,
        Self::Markdown,
        Self::Html,
        Self::Pdf,
        Self::Docx,
        Self::Pptx,
        Self::Xlsx,
        Self::Csv,
        Self::Epub,
        Self::Rtf,
        Self::Eml,
    ];

    /// The media type as IANA registered it, without parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Epub => "application/epub+zip",
            Self::Rtf => "application/rtf",
            Self::Eml => "message/rfc822",
        }
    }

    /// What the names of such files end with, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::PlainText => &["txt", "text", "log"],
            Self::Markdown => &["md", "markdown"],
            Self::Html => &["html", "htm", "xhtml"],
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Pptx => &["pptx"],
            Self::Xlsx => &["xlsx"],
            Self::Csv => &["csv"],
            Self::Epub => &["epub"],
            Self::Rtf => &["rtf"],
            Self::Eml => &["eml"],
        }
    }

    /// The kind that a file's name claims by its ending; `None` when that is of no kind.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|kind| {
            kind.extensions()
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        })
    }
}

impl FromStr for MediaType {
    type Err = ParseMediaTypeError;

    /// Reads a media type; parameters such as `charset` are left aside, letter case does not matter.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let essence = name.split(';').next().unwrap_or_default().trim();
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(essence))
            .ok_or(ParseMediaTypeError)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text format that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a text format")]
pub struct ParseTextFormatError;

names! {
    /// How a document's text is written.
    TextFormat, ParseTextFormatError:
    /// Lines without marks.
    Plain = "plain",
    /// Markdown: headings, lists and tables are marked.
    Markdown = "markdown",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        assert_eq!("Text/Markdown; charset=utf-8".parse(), Ok(MediaType::Markdown));
        assert_eq!("image/png".parse::<MediaType>(), Err(ParseMediaTypeError));
        for kind in MediaType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }

    #[test]
    fn every_text_format_reads_back_from_its_name() {
        for format in TextFormat::ALL {
            assert_eq!(format.as_str().parse(), Ok(*format));
        }
        assert_eq!("html".parse::<TextFormat>(), Err(ParseTextFormatError));
    }

    #[test]
    fn a_name_claims_a_kind_by_its_ending() {
        assert_eq!(MediaType::of_name("Report.final.PDF"), Some(MediaType::Pdf));
        assert_eq!(MediaType::of_name("README"), None);
        assert_eq!(MediaType::of_name("photo.png"), None);
    }
}
