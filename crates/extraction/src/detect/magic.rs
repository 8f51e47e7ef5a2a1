use tenantry_domain::MediaType;

use super::Beginning;
use crate::ExtractError;

/// How far into a file Adobe's own reader looks for the mark of a PDF (ISO 32000-1, appendix H, note 13).
const PDF_MARK_WITHIN: usize = 1_024;

/// What kinds of file begin with, of those that are known and not read.
const FOREIGN: [(&[u8], &str); 24] = [
    (b"\x89PNG\r\n\x1a\n", IMAGE),
    (b"\xff\xd8\xff", IMAGE),
    (b"GIF87a", IMAGE),
    (b"GIF89a", IMAGE),
    (b"II*\0", IMAGE),
    (b"MM\0*", IMAGE),
    (b"BM", IMAGE),
    (b"\0\0\x01\0", IMAGE),
    (b"8BPS", IMAGE),
    (b"ID3", SOUND),
    (b"fLaC", SOUND),
    (b"OggS", SOUND),
    (b"\x1aE\xdf\xa3", SOUND),
    (b"\x1f\x8b", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"\xfd7zXZ\0", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"SQLite format 3\0", "a database; export what it holds as CSV"),
    (b"%!PS", "PostScript; save it as PDF"),
];

const IMAGE: &str = "an image; run text recognition (OCR) on it and send the text";
const SOUND: &str = "a recording; send a transcript";
const ARCHIVE: &str = "a packed archive; unpack it and send the files inside";
const PROGRAM: &str = "a program";

/// What the first bytes prove; `None` when they may be text.
pub(super) fn beginning(start: &[u8]) -> Result<Option<Beginning>, ExtractError> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Ok(Some(Beginning::Zip));
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Some(Beginning::Ole));
    }
    if start.trim_ascii_start().starts_with(b"{\\rtf") {
        return Ok(Some(Beginning::Known(MediaType::Rtf)));
    }
    if is_pdf(start) {
        return Ok(Some(Beginning::Known(MediaType::Pdf)));
    }
    if is_riff_or_mp4(start) {
        return Err(ExtractError::unsupported("an image, a recording or a film"));
    }
    let foreign = FOREIGN
        .iter()
        .find(|(mark, _)| start.starts_with(mark) && (mark.len() > 3 || has_zero(start)));
    match foreign {
        Some((_, found)) => Err(ExtractError::unsupported(*found)),
        None => Ok(None),
    }
}

/// What a file in an OLE container is: encrypted, or of an old kind.
pub(crate) fn ole(bytes: &[u8]) -> ExtractError {
    const STREAMS: [(&str, &str); 5] = [
        ("WordDocument", "an old Word document (.doc); save it as .docx"),
        ("Workbook", "an old Excel workbook (.xls); save it as .xlsx"),
        ("Book", "an old Excel workbook (.xls); save it as .xlsx"),
        (
            "PowerPoint Document",
            "an old PowerPoint presentation (.ppt); save it as .pptx",
        ),
        (
            "__properties_version1.0",
            "an Outlook message (.msg); save it as .eml",
        ),
    ];
    // A name in the container's directory is in UTF-16, from the start of its 128-byte entry (MS-CFB 2.6.1).
    let has = |name: &str| {
        let name: Vec<u8> = name
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        bytes.chunks(128).any(|entry| entry.starts_with(&name))
    };
    if has("EncryptedPackage") {
        return ExtractError::Encrypted;
    }
    let found = STREAMS.iter().find(|(stream, _)| has(stream));
    ExtractError::unsupported(found.map_or("an old Microsoft Office file; save it in a new format", |f| f.1))
}

/// A mark after other bytes counts only where these are not text that speaks of PDF.
fn is_pdf(start: &[u8]) -> bool {
    let within = start.get(..PDF_MARK_WITHIN).unwrap_or(start);
    match within.windows(5).position(|five| five == b"%PDF-") {
        Some(at) => {
            within
                .get(..at)
                .is_some_and(|before| before.trim_ascii().is_empty())
                || has_zero(start)
                || has_objects(start)
        }
        None => false,
    }
}

/// Whether objects of a PDF begin there.
pub(super) fn has_objects(start: &[u8]) -> bool {
    start.windows(4).any(|four| four == b" obj")
}

fn is_riff_or_mp4(start: &[u8]) -> bool {
    start.starts_with(b"RIFF") && has_zero(start) || start.get(4..8) == Some(b"ftyp")
}

fn has_zero(start: &[u8]) -> bool {
    start.contains(&0)
}
