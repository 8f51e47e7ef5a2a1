use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Bound, ExtractError, Limits};

/// A ZIP archive of a document's parts that stops at what it may unpack to, whatever sizes it claims.
pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
    limit: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ExtractError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(failure)?;
        let parts = u32::try_from(archive.len()).unwrap_or(u32::MAX);
        if parts > limits.archive_parts {
            return Err(ExtractError::TooLarge(Bound::Parts(limits.archive_parts)));
        }
        Ok(Self {
            archive,
            left: limits.unpacked_bytes,
            limit: limits.unpacked_bytes,
        })
    }

    /// The part at `path`; letter case matters only where two parts differ in nothing else.
    pub(crate) fn part<'p>(
        &'p mut self,
        path: &str,
    ) -> Result<Option<impl BufRead + use<'p, 'a>>, ExtractError> {
        let path = path.trim_start_matches('/');
        let Some(index) = self.index(path) else {
            return Ok(None);
        };
        let file = self.archive.by_index(index).map_err(failure)?;
        Ok(Some(BufReader::new(Metered {
            inner: file,
            left: &mut self.left,
            limit: self.limit,
        })))
    }

    /// The whole content of the part at `path`.
    pub(crate) fn bytes(&mut self, path: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let Some(mut part) = self.part(path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes)
            .map_err(|error| Overrun::of(&error))?;
        Ok(Some(bytes))
    }

    /// Unpacks every part that `wanted` names and keeps nothing, to know that another reader may do so.
    pub(crate) fn measure(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), ExtractError> {
        for index in 0..self.archive.len() {
            let file = self.archive.by_index(index).map_err(failure)?;
            if !file.name().is_ok_and(|name| wanted(&name)) {
                continue;
            }
            let mut metered = Metered {
                inner: file,
                left: &mut self.left,
                limit: self.limit,
            };
            io::copy(&mut metered, &mut io::sink()).map_err(|error| Overrun::of(&error))?;
        }
        Ok(())
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.index(path).is_some()
    }

    fn index(&self, path: &str) -> Option<usize> {
        self.archive.index_for_name(path).or_else(|| {
            self.archive
                .file_names()
                .position(|name| name.is_ok_and(|name| name.eq_ignore_ascii_case(path)))
        })
    }
}

/// Counts what is unpacked and fails when it is too much.
struct Metered<'a, R> {
    inner: R,
    left: &'a mut u64,
    limit: u64,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)) else {
            return Err(io::Error::other(Overrun(self.limit)));
        };
        *self.left = left;
        Ok(count)
    }
}

/// More was unpacked than is allowed; travels inside an [`io::Error`].
#[derive(Debug)]
pub(crate) struct Overrun(u64);

impl Overrun {
    /// What an error of a part's reader means.
    pub(crate) fn of(error: &io::Error) -> ExtractError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            Some(Self(limit)) => ExtractError::TooLarge(Bound::Unpacked(*limit)),
            None => ExtractError::damaged("a part of it cannot be unpacked"),
        }
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unpacks to more than {} bytes", self.0)
    }
}

impl Error for Overrun {}

fn failure(error: ZipError) -> ExtractError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => ExtractError::Encrypted,
        ZipError::Io(error) => Overrun::of(&error),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            ExtractError::damaged("it is packed in a way that documents are not")
        }
        _ => ExtractError::damaged("it is not a whole ZIP archive"),
    }
}
