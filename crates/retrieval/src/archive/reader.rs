use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use super::wire::{End, FORMAT, Header, Line, VERSION};
use super::writer::hexadecimal;
use super::{ArchiveFault, ArchiveLimits};

/// An archive on its way in, line by line; nothing that it says is to be believed before its last line was read.
pub(super) struct ArchiveReader<'r> {
    from: BufReader<GzDecoder<BufReader<&'r mut dyn Read>>>,
    limits: ArchiveLimits,
    hash: Sha256,
    counts: BTreeMap<String, u64>,
    bytes: u64,
    lines: u64,
    buffer: Vec<u8>,
}

impl<'r> ArchiveReader<'r> {
    /// Reads the first line.
    pub(super) fn begin(
        from: &'r mut dyn Read,
        limits: ArchiveLimits,
    ) -> Result<(Self, Header), ArchiveFault> {
        let mut reader = Self {
            from: BufReader::new(GzDecoder::new(BufReader::new(from))),
            limits,
            hash: Sha256::new(),
            counts: BTreeMap::new(),
            bytes: 0,
            lines: 0,
            buffer: Vec::new(),
        };
        reader.read_line()?;
        let header: Header =
            serde_json::from_slice(&reader.buffer).map_err(|_| ArchiveFault::NotAnArchive)?;
        if header.format != FORMAT {
            return Err(ArchiveFault::NotAnArchive);
        }
        if header.version != VERSION {
            return Err(ArchiveFault::Version(header.version));
        }
        reader.hash.update(&reader.buffer);
        Ok((reader, header))
    }

    /// The next line; `None` after the last, which was right, as was everything before it.
    pub(super) fn next(&mut self) -> Result<Option<Line>, ArchiveFault> {
        self.read_line()?;
        let line: Line =
            serde_json::from_slice(&self.buffer).map_err(|error| self.unreadable(&error.to_string()))?;
        if let Line::End(end) = &line {
            self.finish(end)?;
            return Ok(None);
        }
        self.hash.update(&self.buffer);
        *self.counts.entry(line.kind().0.to_owned()).or_default() += 1;
        Ok(Some(line))
    }

    /// What is wrong with the line that was read last.
    pub(super) fn unreadable(&self, why: &str) -> ArchiveFault {
        ArchiveFault::Line {
            number: self.lines,
            // A cause may quote the line, which may be long and command a terminal.
            why: why.chars().filter(|c| !c.is_control()).take(200).collect(),
        }
    }

    fn read_line(&mut self) -> Result<(), ArchiveFault> {
        self.buffer.clear();
        self.lines += 1;
        let most = self.limits.line.saturating_add(1);
        let read = (&mut self.from).take(most).read_until(b'\n', &mut self.buffer);
        let read = u64::try_from(read.map_err(ArchiveFault::Read)?).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(read);
        if read > self.limits.line || self.bytes > self.limits.total {
            return Err(ArchiveFault::TooLarge(self.lines));
        }
        if self.buffer.last() == Some(&b'\n') {
            Ok(())
        } else {
            Err(ArchiveFault::Truncated)
        }
    }

    fn finish(&mut self, end: &End) -> Result<(), ArchiveFault> {
        let hash = std::mem::take(&mut self.hash).finalize();
        if end.sha256 != hexadecimal(&hash) || end.counts != self.counts {
            return Err(ArchiveFault::Altered);
        }
        let mut more = [0];
        let behind = self.from.read(&mut more).map_err(ArchiveFault::Read)?;
        let file = self.from.get_mut().get_mut();
        if behind > 0 || file.read(&mut more).map_err(ArchiveFault::Read)? > 0 {
            return Err(ArchiveFault::Altered);
        }
        Ok(())
    }
}
