use std::io;

/// Why a file is not taken for an archive, or not for a sound one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// It does not begin as one.
    #[error("the file is no archive of a tenant")]
    NotAnArchive,
    /// Another version of the program wrote it.
    #[error("the archive has version {0}, which this version of the program does not read")]
    Version(u32),
    /// It ends before its last line.
    #[error("the archive is not whole")]
    Truncated,
    /// Its last line does not fit what comes before it, or something follows.
    #[error("the archive is not as it was written")]
    Altered,
    /// A line, or all of them together, are longer than is taken.
    #[error("line {0} of the archive is longer than is taken, or comes after too many others")]
    TooLarge(u64),
    /// A line says what cannot be.
    #[error("line {number} of the archive cannot be used: {why}")]
    Line {
        /// Which line, from 1.
        number: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be read.
    #[error("the archive cannot be read")]
    Read(#[source] io::Error),
}

/// How large an archive may be when it is read, in bytes of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// The longest line.
    pub line: u64,
    /// All lines together.
    pub total: u64,
}

impl Default for ArchiveLimits {
    /// 8 MiB a line, 64 GiB altogether.
    fn default() -> Self {
        Self {
            line: 8 << 20,
            total: 64 << 30,
        }
    }
}
