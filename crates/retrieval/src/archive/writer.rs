use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::wire::{End, Header, Line};

/// An archive on its way out.
pub(super) struct ArchiveWriter<'w> {
    to: GzEncoder<&'w mut dyn Write>,
    hash: Sha256,
    counts: BTreeMap<&'static str, u64>,
    line: Vec<u8>,
}

impl<'w> ArchiveWriter<'w> {
    pub(super) fn begin(to: &'w mut dyn Write, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            to: GzEncoder::new(to, Compression::default()),
            hash: Sha256::new(),
            counts: BTreeMap::new(),
            line: Vec::new(),
        };
        writer.write(header)?;
        Ok(writer)
    }

    pub(super) fn add(&mut self, line: &Line) -> io::Result<()> {
        self.write(line)?;
        *self.counts.entry(line.kind().0).or_default() += 1;
        Ok(())
    }

    /// Ends the archive with what it must hold.
    pub(super) fn finish(mut self) -> io::Result<BTreeMap<&'static str, u64>> {
        let counts = self
            .counts
            .iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count));
        let end = End {
            counts: counts.collect(),
            sha256: hexadecimal(&self.hash.clone().finalize()),
        };
        self.write(&Line::End(end))?;
        self.to.finish()?.flush()?;
        Ok(self.counts)
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.hash.update(&self.line);
        self.to.write_all(&self.line)
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a `String` never fails.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
