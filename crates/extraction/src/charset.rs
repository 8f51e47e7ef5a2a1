use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::ExtractError;
use crate::memory::source;
use crate::out::Out;

/// How many bytes are read at a time, and looked at to tell an encoding.
pub(crate) const WINDOW: usize = 64 << 10;

/// How many bytes from the first beyond ASCII on are asked for before an encoding is chosen.
const ENOUGH: usize = 4 << 10;

/// The encoding that the first bytes prove: by a byte order mark, or by the zeros of UTF-16.
pub(crate) fn proven(start: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(start) {
        return Some(encoding);
    }
    let pairs = start.len() / 2;
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match pairs {
        0..8 => None,
        _ if odd * 3 > pairs && even * 20 < pairs => Some(UTF_16LE),
        _ if even * 3 > pairs && odd * 20 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding that bytes beyond ASCII are most likely in.
pub(crate) fn likely(bytes: &[u8]) -> &'static Encoding {
    if mostly_utf8(bytes) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, false);
    detector.guess(None, Utf8Detection::Deny)
}

/// The text of bytes that are all there, in `named` or else in the encoding that they show.
pub(crate) fn decode(bytes: &[u8], named: Option<&'static Encoding>) -> String {
    let start = bytes.get(..WINDOW).unwrap_or(bytes);
    let encoding = proven(start).or(named).unwrap_or_else(|| {
        let from = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
        let window = bytes.get(from..).unwrap_or_default();
        likely(window.get(..WINDOW).unwrap_or(window))
    });
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

/// Passes text on as it is read, in memory that does not grow with it.
pub(crate) fn stream(start: Vec<u8>, rest: &mut dyn Read, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    let mut decoding = proven(&start).map(Encoding::new_decoder_with_bom_removal);
    let mut chunk = start;
    let mut text = String::new();
    loop {
        let last = chunk.len() < WINDOW;
        if decoding.is_none() && !chunk.is_ascii() {
            // All that came before was ASCII, which these encodings have in common.
            let ascii = chunk.iter().position(|b| !b.is_ascii()).unwrap_or(0);
            if !last && chunk.len() - ascii < ENOUGH {
                let rest_of_chunk = chunk.split_off(ascii);
                out.text(std::str::from_utf8(&chunk).unwrap_or_default())?;
                chunk = rest_of_chunk;
                fill(rest, &mut chunk)?;
                continue;
            }
            decoding = Some(likely(&chunk).new_decoder_without_bom_handling());
        }
        match &mut decoding {
            Some(decoder) => {
                decode_into(decoder, &chunk, last, &mut text);
                out.text(&text)?;
                text.clear();
            }
            None => out.text(std::str::from_utf8(&chunk).unwrap_or_default())?,
        }
        if last {
            return Ok(());
        }
        chunk.clear();
        fill(rest, &mut chunk)?;
    }
}

/// Appends up to [`WINDOW`] bytes; fewer only at the end of the file.
pub(crate) fn fill(file: &mut dyn Read, buffer: &mut Vec<u8>) -> Result<(), ExtractError> {
    let wanted = u64::try_from(WINDOW.saturating_sub(buffer.len())).unwrap_or(0);
    file.take(wanted).read_to_end(buffer).map_err(source)?;
    Ok(())
}

fn decode_into(decoder: &mut Decoder, mut bytes: &[u8], last: bool, text: &mut String) {
    loop {
        let needed = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(WINDOW);
        text.reserve(needed.max(16));
        let (result, read, _) = decoder.decode_to_string(bytes, text, last);
        bytes = bytes.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

/// Whether the bytes are UTF-8, or UTF-8 with a few bytes gone wrong; a sequence that is cut off at the end is whole.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    let cut_off = usize::from(
        bytes
            .utf8_chunks()
            .last()
            .is_some_and(|c| !c.invalid().is_empty()),
    );
    let bad = bad.saturating_sub(cut_off);
    (good > 0 && bad * 20 < good) || (good == 0 && bad == 0 && cut_off == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        for (bytes, text) in [
            (&b"plain"[..], "plain"),
            ("naïve — שלום".as_bytes(), "naïve — שלום"),
            (b"\xef\xbb\xbfmark", "mark"),
            (b"\xff\xfeh\x00i\x00", "hi"),
            (b"\xfe\xff\x00h\x00i", "hi"),
            (b"t\0w\0o\0 \0b\0y\0t\0e\0s\0 \0e\0a\0c\0h\0", "two bytes each"),
            (
                b"Die Stra\xdfe ist f\xfcr alle ge\xf6ffnet.",
                "Die Straße ist für alle geöffnet.",
            ),
            (b"caf\xe9 \x93quoted\x94 \x80 5", "café “quoted” € 5"),
            (
                b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?",
                "Привет, как дела?",
            ),
        ] {
            assert_eq!(decode(bytes, None), text);
        }
    }

    #[test]
    fn one_wrong_byte_does_not_spoil_the_rest() {
        let mut bytes = "приветствие ".repeat(20).into_bytes();
        bytes.push(0xff);
        assert!(decode(&bytes, None).starts_with("приветствие"));
    }
}
