//! Character references, by which a URL can be written so that it is not seen.

use super::incoming::is_joiner;
use super::look::{Look, Wait};
use crate::text::clean;

/// Those named references that hide or that URLs are written with. The list of all names is HTML's, section 13.5.
const NAMES: [&str; 24] = [
    "colon;",
    "sol;",
    "bsol;",
    "period;",
    "commat;",
    "Tab;",
    "NewLine;",
    "shy;",
    "lrm;",
    "rlm;",
    "zwj;",
    "zwnj;",
    "ZeroWidthSpace;",
    "NegativeVeryThinSpace;",
    "NegativeThinSpace;",
    "NegativeMediumSpace;",
    "NegativeThickSpace;",
    "NoBreak;",
    "af;",
    "ApplyFunction;",
    "it;",
    "InvisibleTimes;",
    "ic;",
    "InvisibleComma;",
];

/// Whether `rest`, which follows a `&`, is a reference to a character that plain text has no reason to write so: a letter, a
/// digit, what URLs are made of, or what is not seen. The references that escape Markdown and HTML are none of these.
pub(super) fn look(rest: &str, ended: bool) -> Look<()> {
    let found = match rest.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(number) => numbered(number, 16, 6),
            None => numbered(number, 10, 7),
        },
        None => named(rest),
    };
    match found {
        Some(true) => Look::Is(()),
        Some(false) => Look::No,
        None => Look::undecided(rest, ended, Wait::NEXT),
    }
}

/// `None` where it is not over.
fn named(rest: &str) -> Option<bool> {
    if NAMES.iter().any(|name| rest.starts_with(name)) {
        Some(true)
    } else if NAMES.iter().any(|name| name.starts_with(rest)) {
        None
    } else {
        Some(false)
    }
}

fn numbered(number: &str, radix: u32, most: usize) -> Option<bool> {
    let end = number.find(|c: char| !c.is_digit(radix)).unwrap_or(number.len());
    let (digits, after) = number.split_at(end);
    if digits.len() > most {
        return Some(false);
    }
    if after.is_empty() {
        return None;
    }
    let c = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    Some(after.starts_with(';') && c.is_some_and(is_hidden_or_url))
}

fn is_hidden_or_url(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, ':' | '/' | '.' | '@' | '\\' | '-' | '_' | '%')
        || is_joiner(c)
        || (c != '\r' && clean(c.encode_utf8(&mut [0; 4])).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_that_hide_are_told_from_those_that_escape() {
        for hides in [
            "#104;",
            "#x68;",
            "#X3a;",
            "#0000058;",
            "colon;",
            "#8203;",
            "#x202e;",
            "zwnj;",
            "#0;",
        ] {
            assert_eq!(look(hides, true), Look::Is(()), "{hides}");
        }
        for plain in [
            "lt;",
            "amp;",
            "#39;",
            "#60;",
            "nbsp;",
            "eacute;",
            "T",
            " b",
            "",
            "#",
            "#x",
            "#104",
            "#104,",
            "#12345678;",
        ] {
            assert_eq!(look(plain, true), Look::No, "{plain}");
        }
    }

    #[test]
    fn a_reference_that_comes_in_pieces_is_waited_for() {
        for part in ["", "#", "#x", "#10", "#x6", "c", "col", "zw"] {
            assert_eq!(look(part, false), Look::Wait(Wait::NEXT), "{part}");
        }
        for other in [" ", "B", "#g", "#x;", "cola"] {
            assert_eq!(look(other, false), Look::No, "{other}");
        }
    }
}
