use std::borrow::Cow;

use tenantry_domain::MediaType;

use crate::FileHint;
use crate::charset;

/// Which kind of text a file is; `None` when it is no text.
pub(super) fn kind(start: &[u8], hint: FileHint<'_>) -> Option<MediaType> {
    let start = start.get(..8_192).unwrap_or(start);
    let encoding = charset::proven(start).unwrap_or_else(|| charset::likely(start));
    let (text, _) = encoding.decode_with_bom_removal(start);
    let claimed = claimed(hint);
    if claimed == Some(MediaType::Eml) && has_header(&text) {
        // The parts of a mail need not be text.
        return Some(MediaType::Eml);
    }
    if !is_text(&text) {
        return None;
    }
    Some(match claimed {
        _ if is_html(&text) => MediaType::Html,
        Some(MediaType::Html) if has_tag(&text) => MediaType::Html,
        Some(kind @ (MediaType::PlainText | MediaType::Markdown | MediaType::Csv)) => kind,
        _ if is_mail(&text) => MediaType::Eml,
        _ => MediaType::PlainText,
    })
}

fn claimed(hint: FileHint<'_>) -> Option<MediaType> {
    let by_name = hint.name.and_then(|name| {
        let tabs = name.len().checked_sub(4).and_then(|at| name.get(at..));
        match tabs {
            Some(end) if end.eq_ignore_ascii_case(".tsv") => Some(MediaType::Csv),
            _ => MediaType::of_name(name),
        }
    });
    by_name.or(hint.declared)
}

/// Text has no U+0000 and hardly any other control character; terminals' escapes are let through.
fn is_text(text: &str) -> bool {
    let controls = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}' | '\u{8}'))
        .count();
    let replaced = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    !text.contains('\0') && (controls + replaced) * 50 <= text.chars().count()
}

fn is_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(2_048).collect();
    let start = start.to_ascii_lowercase();
    let start = without_comments(&start);
    start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || (start.starts_with("<?xml") && start.contains("<html"))
        || start.starts_with("<head>")
}

fn without_comments(mut text: &str) -> Cow<'_, str> {
    while let Some(rest) = text.strip_prefix("<!--") {
        let Some((_, rest)) = rest.split_once("-->") else {
            break;
        };
        text = rest.trim_start();
    }
    Cow::Borrowed(text)
}

fn has_tag(text: &str) -> bool {
    text.split('<')
        .skip(1)
        .any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!'))
}

/// Whether a file that says it is a mail begins with a header of one.
fn has_header(text: &str) -> bool {
    let known = [
        "content-type",
        "x-mozilla-status",
        "delivered-to",
        "reply-to",
        "cc",
    ];
    let known = [known.as_slice(), &SENDERS, &OTHERS].concat();
    let first = header_names(text).into_iter().next();
    first.is_some_and(|first| known.contains(&first.as_str()))
}

/// A mail that does not say so begins with headers (RFC 5322) that tell from whom it is, and more.
fn is_mail(text: &str) -> bool {
    let names = header_names(text);
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    has(&SENDERS) && has(&OTHERS)
}

const SENDERS: [&str; 3] = ["from", "sender", "return-path"];
const OTHERS: [&str; 6] = ["to", "date", "message-id", "received", "mime-version", "subject"];

/// The names of the lines that a text begins with, as far as they are headers.
fn header_names(text: &str) -> Vec<String> {
    let text = text
        .strip_prefix("From ")
        .map_or(text, |mbox| mbox.split_once('\n').map_or("", |(_, rest)| rest));
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .map_while(|line| line.split_once(':'))
        .map(|(name, _)| name.to_ascii_lowercase())
        .take_while(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str, name: &str) -> Option<MediaType> {
        kind(text.as_bytes(), FileHint::named(name))
    }

    #[test]
    fn the_content_counts_before_the_name() {
        assert_eq!(
            kind_of("<!-- x -->\n<!DOCTYPE HTML><p>", "a.txt"),
            Some(MediaType::Html)
        );
        assert_eq!(kind_of("no tags at all", "a.html"), Some(MediaType::PlainText));
        assert_eq!(kind_of("just words", "a.pdf"), Some(MediaType::PlainText));
        assert_eq!(kind_of("From: a@b.c\nTo: d@e.f\n\nHi", "a"), Some(MediaType::Eml));
        assert_eq!(kind_of("Hello: world", "a.eml"), Some(MediaType::PlainText));
        assert_eq!(kind_of("Subject: x\n\n\0\u{1}", "a.eml"), Some(MediaType::Eml));
        assert_eq!(kind_of("a\0b", "a.txt"), None);
    }

    #[test]
    fn the_name_settles_what_the_content_leaves_open() {
        assert_eq!(
            kind_of("From: a@b.c\nTo: d@e.f\n\nHi", "a.txt"),
            Some(MediaType::PlainText)
        );
        assert_eq!(kind_of("a\tb", "a.TSV"), Some(MediaType::Csv));
        assert_eq!(kind_of("<b>bold</b>", "a.htm"), Some(MediaType::Html));
        let declared = FileHint {
            name: Some("upload"),
            declared: Some(MediaType::Csv),
        };
        assert_eq!(kind(b"a,b", declared), Some(MediaType::Csv));
    }
}
