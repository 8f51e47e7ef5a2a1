use std::borrow::Cow;
use std::fmt;

use tenantry_domain::BoxError;

/// What a file goes beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// The file itself, in bytes.
    File(u64),
    /// Its text, in characters.
    Text(u64),
    /// What it unpacks to, in bytes.
    Unpacked(u64),
    /// How deeply its parts may stand inside one another.
    Depth(u32),
    /// How many parts (files in an archive, columns of a table) it may have.
    Parts(u32),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(bytes) => write!(f, "it has more than {}", Bytes(*bytes)),
            Self::Text(characters) => write!(f, "its text has more than {characters} characters"),
            Self::Unpacked(bytes) => write!(f, "it unpacks to more than {}", Bytes(*bytes)),
            Self::Depth(levels) => write!(f, "its parts are nested more than {levels} levels deep"),
            Self::Parts(parts) => write!(f, "it has more than {parts} parts"),
        }
    }
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MEBIBYTE: u64 = 1 << 20;
        if self.0 >= MEBIBYTE {
            write!(f, "{} MiB", self.0 / MEBIBYTE)
        } else {
            write!(f, "{} bytes", self.0)
        }
    }
}

/// Why a file gave no text, in a sentence for the person who sent it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The file is of a kind that is not read.
    #[error("this kind of file cannot be read: {found}")]
    Unsupported {
        /// What the file is, and what to do with it.
        found: Cow<'static, str>,
    },
    /// A password or digital rights management protects the content.
    #[error(
        "the file is protected by a password or by digital rights; remove the protection and send it again"
    )]
    Encrypted,
    /// There is nothing but images.
    #[error("the file has images and no text; run text recognition (OCR) on it and send it again")]
    Scanned,
    /// There is nothing to read.
    #[error("the file has no text")]
    NoText,
    /// The content is not what its format asks for.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The file, or what is inside, goes beyond a limit.
    #[error("the file is too large: {0}")]
    TooLarge(Bound),
    /// Reading went on beyond the deadline or the limit of processor time.
    #[error("reading the file took too long")]
    TookTooLong,
    /// Reading needed more memory than it may have.
    #[error("reading the file needs too much memory")]
    TooMuchMemory,
    /// The file made its reader fail; the reader was alone in its process.
    #[error("the file made its reader fail, so it is damaged or was made to do harm")]
    Crashed,
    /// The sink asked to stop.
    #[error("reading was stopped")]
    Stopped,
    /// The bytes of the file could not be had.
    #[error("the file's bytes could not be had")]
    Source(#[source] BoxError),
    /// The reader could not be started, or was ended from outside.
    #[error("the reader of files is not available")]
    Unavailable(#[source] BoxError),
}

impl ExtractError {
    /// Whether the same file may give its text a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(_) | Self::Unavailable(_) => true,
            Self::Unsupported { .. }
            | Self::Encrypted
            | Self::Scanned
            | Self::NoText
            | Self::Damaged { .. }
            | Self::TooLarge(_)
            | Self::TookTooLong
            | Self::TooMuchMemory
            | Self::Crashed
            | Self::Stopped => false,
        }
    }

    pub(crate) fn unsupported(found: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported { found: found.into() }
    }

    #[cfg(feature = "formats")]
    pub(crate) fn damaged(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Damaged {
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_sentence_for_a_person() {
        let error = ExtractError::TooLarge(Bound::Unpacked(256 << 20));
        assert_eq!(
            error.to_string(),
            "the file is too large: it unpacks to more than 256 MiB"
        );
        let error = ExtractError::unsupported("a ZIP archive");
        assert_eq!(
            error.to_string(),
            "this kind of file cannot be read: a ZIP archive"
        );
    }

    #[test]
    fn only_what_lies_outside_the_file_is_transient() {
        assert!(ExtractError::Source("reset".into()).is_transient());
        assert!(ExtractError::Unavailable("no process".into()).is_transient());
        assert!(!ExtractError::Encrypted.is_transient());
        assert!(!ExtractError::TookTooLong.is_transient());
    }
}
