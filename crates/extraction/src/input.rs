use std::io::Read;

use tenantry_domain::MediaType;

use crate::detect::{self, Beginning};
use crate::memory::{plain_or_markdown, source};
use crate::out::Out;
use crate::{Bound, ExtractError, Extracted, FileHint, Limits, charset};

/// A file of which the first bytes are read and tell what it is.
pub(crate) struct Input<'a> {
    pub(crate) beginning: Beginning,
    start: Vec<u8>,
    rest: &'a mut dyn Read,
}

impl<'a> Input<'a> {
    pub(crate) fn open(file: &'a mut dyn Read, hint: FileHint<'_>) -> Result<Self, ExtractError> {
        let mut start = Vec::with_capacity(charset::WINDOW);
        charset::fill(file, &mut start)?;
        Ok(Self {
            beginning: detect::beginning(&start, hint)?,
            start,
            rest: file,
        })
    }

    /// Whether it is passed on as it is read.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(
            self.beginning,
            Beginning::Known(MediaType::PlainText | MediaType::Markdown)
        )
    }

    /// Passes plain text or Markdown on.
    pub(crate) fn stream(self, hint: FileHint<'_>, out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
        charset::stream(self.start, self.rest, out)?;
        Ok(plain_or_markdown(hint))
    }

    /// The whole file, if it is not too large.
    pub(crate) fn whole(self, limits: &Limits) -> Result<Vec<u8>, ExtractError> {
        let mut bytes = self.start;
        let have = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let more = limits.file_bytes.saturating_sub(have).saturating_add(1);
        self.rest.take(more).read_to_end(&mut bytes).map_err(source)?;
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= limits.file_bytes => Ok(bytes),
            _ => Err(ExtractError::TooLarge(Bound::File(limits.file_bytes))),
        }
    }

    /// Sends the file on as it is read, if it is not too large. The inner error is that of the way it is sent on.
    #[cfg(all(unix, feature = "sandbox"))]
    pub(crate) fn send(
        self,
        limits: &Limits,
        to: &mut dyn std::io::Write,
    ) -> Result<std::io::Result<()>, ExtractError> {
        let mut part = self.start;
        let mut left = limits.file_bytes;
        loop {
            left = u64::try_from(part.len())
                .ok()
                .and_then(|length| left.checked_sub(length))
                .ok_or(ExtractError::TooLarge(Bound::File(limits.file_bytes)))?;
            if let Err(error) = to.write_all(&part) {
                return Ok(Err(error));
            }
            if part.len() < charset::WINDOW {
                return Ok(Ok(()));
            }
            part.clear();
            charset::fill(self.rest, &mut part)?;
        }
    }
}
