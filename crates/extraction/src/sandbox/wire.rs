//! What the two processes say to each other. First the header and then the file's bytes go to the reader; frames come
//! back: a letter, the length of what follows in four bytes (little-endian), and that. What comes back is not
//! trusted: a file may have taken over its reader.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use tenantry_domain::MediaType;

use super::ProcessLimits;
use crate::{Bound, ExtractError, Extracted, FileHint, Limits};

/// What the header begins with; the digit changes with the format.
const MARK: &[u8; 8] = b"tenantr1";
/// The longest frame.
const MAX_FRAME: u32 = 256 << 10;
/// The longest name or sentence, in bytes.
const MAX_TEXT: usize = 1_024;
const NUMBERS: usize = 7;

/// What the reader is told before the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) limits: Limits,
    pub(super) process: ProcessLimits,
    name: Option<String>,
    declared: Option<MediaType>,
}

impl Header {
    pub(super) fn new(limits: Limits, process: ProcessLimits, hint: FileHint<'_>) -> Self {
        Self {
            limits,
            process,
            name: hint.name.map(|name| end_of(name).to_owned()),
            declared: hint.declared,
        }
    }

    pub(super) fn hint(&self) -> FileHint<'_> {
        FileHint {
            name: self.name.as_deref(),
            declared: self.declared,
        }
    }

    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(MARK)?;
        let numbers: [u64; NUMBERS] = [
            self.limits.file_bytes,
            self.limits.text_chars,
            self.limits.unpacked_bytes,
            self.limits.archive_parts.into(),
            self.limits.xml_depth.into(),
            self.process.cpu_seconds,
            self.process.memory_bytes,
        ];
        for number in numbers {
            to.write_all(&number.to_le_bytes())?;
        }
        for text in [self.name.as_deref(), self.declared.map(MediaType::as_str)] {
            write_frame(
                to,
                text.map_or(b'-', |_| b'+'),
                text.unwrap_or_default().as_bytes(),
            )?;
        }
        Ok(())
    }

    pub(super) fn read(from: &mut dyn Read) -> io::Result<Self> {
        let mut mark = [0; 8];
        from.read_exact(&mut mark)?;
        if &mark != MARK {
            return Err(malformed());
        }
        let [
            file_bytes,
            text_chars,
            unpacked_bytes,
            parts,
            depth,
            cpu_seconds,
            memory_bytes,
        ] = read_numbers(from)?;
        let mut text = || -> io::Result<Option<String>> {
            let (kind, bytes) = read_frame(from)?.ok_or_else(malformed)?;
            let text = String::from_utf8(bytes).map_err(|_| malformed())?;
            Ok((kind == b'+').then_some(text))
        };
        Ok(Self {
            limits: Limits {
                file_bytes,
                text_chars,
                unpacked_bytes,
                archive_parts: u32::try_from(parts).map_err(|_| malformed())?,
                xml_depth: u32::try_from(depth).map_err(|_| malformed())?,
            },
            process: ProcessLimits {
                cpu_seconds,
                memory_bytes,
                ..ProcessLimits::default()
            },
            name: text()?,
            declared: text()?.and_then(|name| name.parse().ok()),
        })
    }
}

fn read_numbers(from: &mut dyn Read) -> io::Result<[u64; NUMBERS]> {
    let mut numbers = [0; NUMBERS];
    for number in &mut numbers {
        let mut bytes = [0; 8];
        from.read_exact(&mut bytes)?;
        *number = u64::from_le_bytes(bytes);
    }
    Ok(numbers)
}

/// What comes back.
#[derive(Debug)]
pub(super) enum Frame {
    Text(String),
    Page(u32),
    Done(Extracted),
    Failed(ExtractError),
}

impl Frame {
    /// The next frame; `None` at the end.
    pub(super) fn read(from: &mut dyn Read) -> io::Result<Option<Self>> {
        let Some((kind, bytes)) = read_frame(from)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| malformed())?;
        let frame = match kind {
            b'T' => Self::Text(text),
            b'P' => Self::Page(text.parse().map_err(|_| malformed())?),
            b'D' => Self::Done(extracted(&text).ok_or_else(malformed)?),
            b'E' => Self::Failed(error(&text).ok_or_else(malformed)?),
            _ => return Err(malformed()),
        };
        Ok(Some(frame))
    }
}

pub(super) fn write_text(to: &mut dyn Write, mut text: &str) -> io::Result<()> {
    const PART: usize = 64 << 10;
    while !text.is_empty() {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART));
        write_frame(to, b'T', part.as_bytes())?;
        text = rest;
    }
    Ok(())
}

pub(super) fn write_page(to: &mut dyn Write, page: u32) -> io::Result<()> {
    write_frame(to, b'P', page.to_string().as_bytes())
}

/// Writes how it ended.
pub(super) fn write_end(to: &mut dyn Write, end: &Result<Extracted, ExtractError>) -> io::Result<()> {
    match end {
        Ok(extracted) => {
            let (media_type, format, pages) = (extracted.media_type, extracted.format, extracted.pages);
            let title = extracted.title.as_deref().map_or("", |title| end_of(title));
            write_frame(
                to,
                b'D',
                format!("{media_type}\n{format}\n{pages}\n{title}").as_bytes(),
            )
        }
        Err(error) => {
            let (code, number, text) = fields(error);
            write_frame(
                to,
                b'E',
                format!("{code}\n{number}\n{}", end_of(&text)).as_bytes(),
            )
        }
    }
}

fn extracted(text: &str) -> Option<Extracted> {
    let mut fields = text.splitn(4, '\n');
    Some(Extracted {
        media_type: fields.next()?.parse().ok()?,
        format: fields.next()?.parse().ok()?,
        pages: fields.next()?.parse().ok()?,
        title: fields.next().filter(|title| !title.is_empty()).map(visible),
    })
}

fn fields(error: &ExtractError) -> (&'static str, u64, Cow<'static, str>) {
    match error {
        ExtractError::Unsupported { found } => ("unsupported", 0, found.clone()),
        ExtractError::Encrypted => ("encrypted", 0, "".into()),
        ExtractError::Scanned => ("scanned", 0, "".into()),
        ExtractError::NoText => ("no-text", 0, "".into()),
        ExtractError::Damaged { reason } => ("damaged", 0, reason.clone()),
        ExtractError::TooLarge(Bound::File(bytes)) => ("file", *bytes, "".into()),
        ExtractError::TooLarge(Bound::Text(characters)) => ("text", *characters, "".into()),
        ExtractError::TooLarge(Bound::Unpacked(bytes)) => ("unpacked", *bytes, "".into()),
        ExtractError::TooLarge(Bound::Depth(levels)) => ("depth", (*levels).into(), "".into()),
        ExtractError::TooLarge(Bound::Parts(parts)) => ("parts", (*parts).into(), "".into()),
        ExtractError::TookTooLong => ("time", 0, "".into()),
        ExtractError::TooMuchMemory => ("memory", 0, "".into()),
        ExtractError::Crashed => ("crashed", 0, "".into()),
        ExtractError::Stopped => ("stopped", 0, "".into()),
        ExtractError::Source(cause) | ExtractError::Unavailable(cause) => {
            ("unavailable", 0, cause.to_string().into())
        }
    }
}

fn error(text: &str) -> Option<ExtractError> {
    let mut fields = text.splitn(3, '\n');
    let (code, number) = (fields.next()?, fields.next()?.parse::<u64>().ok()?);
    let text = visible(fields.next().unwrap_or_default());
    let small = u32::try_from(number).unwrap_or(u32::MAX);
    Some(match code {
        "unsupported" => ExtractError::unsupported(text),
        "encrypted" => ExtractError::Encrypted,
        "scanned" => ExtractError::Scanned,
        "no-text" => ExtractError::NoText,
        "damaged" => ExtractError::damaged(text),
        "file" => ExtractError::TooLarge(Bound::File(number)),
        "text" => ExtractError::TooLarge(Bound::Text(number)),
        "unpacked" => ExtractError::TooLarge(Bound::Unpacked(number)),
        "depth" => ExtractError::TooLarge(Bound::Depth(small)),
        "parts" => ExtractError::TooLarge(Bound::Parts(small)),
        "time" => ExtractError::TookTooLong,
        "memory" => ExtractError::TooMuchMemory,
        "crashed" => ExtractError::Crashed,
        "stopped" => ExtractError::Stopped,
        "unavailable" => ExtractError::Unavailable(text.into()),
        _ => return None,
    })
}

fn write_frame(to: &mut dyn Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| malformed())?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

/// A frame's letter and content; `None` at the end.
fn read_frame(from: &mut dyn Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = Vec::with_capacity(5);
    from.take(5).read_to_end(&mut head)?;
    let (kind, length) = match *head.as_slice() {
        [] => return Ok(None),
        [kind, a, b, c, d] => (kind, u32::from_le_bytes([a, b, c, d])),
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    if length > MAX_FRAME {
        return Err(malformed());
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    from.read_exact(&mut bytes)?;
    Ok(Some((kind, bytes)))
}

/// The end of a name matters more than its beginning.
fn end_of(text: &str) -> &str {
    let from = text.ceil_char_boundary(text.len().saturating_sub(MAX_TEXT));
    text.get(from..).unwrap_or_default()
}

fn visible(text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(MAX_TEXT).collect()
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not what this version says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        let hint = FileHint {
            name: Some("a/ü.pdf"),
            declared: Some(MediaType::Pdf),
        };
        let header = Header::new(Limits::default(), ProcessLimits::default(), hint);
        let mut bytes = Vec::new();
        header.write(&mut bytes).unwrap();
        bytes.extend(b"file");
        let mut rest = bytes.as_slice();
        assert_eq!(Header::read(&mut rest).unwrap(), header);
        assert_eq!(rest, b"file");
    }

    #[test]
    fn every_error_keeps_its_words() {
        for error in [
            ExtractError::unsupported("an image"),
            ExtractError::Encrypted,
            ExtractError::Scanned,
            ExtractError::NoText,
            ExtractError::damaged("so"),
            ExtractError::TooLarge(Bound::File(7)),
            ExtractError::TooLarge(Bound::Text(7)),
            ExtractError::TooLarge(Bound::Unpacked(7)),
            ExtractError::TooLarge(Bound::Depth(7)),
            ExtractError::TooLarge(Bound::Parts(7)),
            ExtractError::TookTooLong,
            ExtractError::TooMuchMemory,
            ExtractError::Crashed,
            ExtractError::Stopped,
            ExtractError::Unavailable("gone".into()),
        ] {
            let words = error.to_string();
            let mut bytes = Vec::new();
            write_end(&mut bytes, &Err(error)).unwrap();
            match Frame::read(&mut bytes.as_slice()).unwrap() {
                Some(Frame::Failed(error)) => assert_eq!(error.to_string(), words),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_a_frame_is_an_error() {
        for bytes in [
            &b"T"[..],
            b"T\x01\0\0\0",
            b"X\0\0\0\0",
            b"T\xff\xff\xff\xff",
            b"P\x01\0\0\0x",
            b"D\0\0\0\0",
            b"T\x01\0\0\0\xff",
        ] {
            assert!(Frame::read(&mut &*bytes).is_err(), "{bytes:?}");
        }
        assert!(Frame::read(&mut &b""[..]).unwrap().is_none());
    }
}
