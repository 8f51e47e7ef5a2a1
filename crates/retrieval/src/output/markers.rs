//! What models write to cite passages: `[1]`, and much that looks like it.

use super::look::{Look, Wait};

/// The longest marker, in bytes.
const LONGEST: usize = 64;
/// The widest range of which each number counts; of a wider one the ends do.
const WIDEST: u32 = 10;
/// How a marker begins and ends; the first two are brackets of Markdown as well.
const BRACKETS: [(&str, &str); 5] = [("[[", "]]"), ("[", "]"), ("【", "】"), ("［", "］"), ("〔", "〕")];

/// A marker as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// The numbers, in their order.
    pub(super) numbers: Vec<u32>,
    /// In bytes.
    pub(super) length: usize,
    /// Whether Markdown may take it for the text or the label of a link.
    pub(super) is_bracketed: bool,
}

/// Whether `c` may begin a marker.
pub(super) fn may_begin(c: char) -> bool {
    matches!(c, '[' | '【' | '［' | '〔')
}

/// Whether `rest` begins with a marker: numbers of at most three digits in brackets, lists and ranges of them, with the
/// `†source` that some models add.
pub(super) fn look(rest: &str, ended: bool) -> Look<Marker> {
    let mut found = Look::No;
    for (open, close) in BRACKETS {
        let Some(inner) = rest.strip_prefix(open) else {
            // A single `[` may become two.
            continue;
        };
        found = match look_inside(inner, close, ended) {
            Look::Is((numbers, length)) => Look::Is(Marker {
                numbers,
                length: open.len() + length + close.len(),
                is_bracketed: open.starts_with('['),
            }),
            Look::No => Look::No,
            Look::Wait(wait) => Look::Wait(wait),
        };
        if found != Look::No {
            break;
        }
    }
    found
}

fn look_inside(inner: &str, close: &str, ended: bool) -> Look<(Vec<u32>, usize)> {
    let mut noted = false;
    for (at, c) in inner.char_indices() {
        if inner.get(at..).is_some_and(|rest| rest.starts_with(close)) {
            let body = inner.get(..at).unwrap_or_default();
            return numbers(body).map_or(Look::No, |numbers| Look::Is((numbers, at)));
        }
        noted |= c == '†';
        let belongs = is_digit(c) || is_separator(c) || is_dash(c) || matches!(c, ' ' | '^' | ':' | '†');
        let closing = close.starts_with(c) && inner.len() == at + c.len_utf8();
        if at > LONGEST || !(belongs || closing || (noted && !"[]\n【】［］〔〕<>()`".contains(c))) {
            return Look::No;
        }
    }
    Look::undecided(inner, ended, Wait::NEXT)
}

fn numbers(body: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    let mut add = |number| {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    };
    for item in body.split(is_separator) {
        let (item, note) = item
            .split_once('†')
            .map_or((item, false), |(item, _)| (item, true));
        let item = item.trim_matches(' ');
        let item = item.strip_prefix('^').unwrap_or(item);
        match range(item) {
            Some((from, to)) if from <= to && to - from <= WIDEST => (from..=to).for_each(&mut add),
            Some((from, to)) => [from, to].into_iter().for_each(&mut add),
            // `【4:0†source】` names a file of the provider's own.
            None if note && item.starts_with(is_digit) => {}
            None => return None,
        }
    }
    Some(numbers)
}

fn range(item: &str) -> Option<(u32, u32)> {
    match item.split_once(is_dash) {
        Some((from, to)) => Some((number(from)?, number(to)?)),
        None => number(item).map(|number| (number, number)),
    }
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(' ');
    // A year in brackets is no marker.
    if text.is_empty() || text.chars().count() > 3 {
        return None;
    }
    text.chars().try_fold(0, |sum, c| Some(sum * 10 + digit(c)?))
}

fn digit(c: char) -> Option<u32> {
    c.to_digit(10)
        .or_else(|| ('０'..='９').contains(&c).then(|| u32::from(c) - u32::from('０')))
}

fn is_digit(c: char) -> bool {
    digit(c).is_some()
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '，' | '、' | '；')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '–' | '—')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<u32>> {
        match look(text, true) {
            Look::Is(marker) => {
                assert_eq!(marker.length, text.len(), "{text}");
                Some(marker.numbers)
            }
            _ => None,
        }
    }

    #[test]
    fn whatever_looks_like_a_marker_is_read() {
        let cases: [(&str, &[u32]); 18] = [
            ("[1]", &[1]),
            ("[0]", &[0]),
            ("[012]", &[12]),
            ("[ 1 ]", &[1]),
            ("[1, 9]", &[1, 9]),
            ("[1;1; 2]", &[1, 2]),
            ("[1-3]", &[1, 2, 3]),
            ("[2–3, 7]", &[2, 3, 7]),
            ("[3-1]", &[3, 1]),
            ("[1-999]", &[1, 999]),
            ("[^1]", &[1]),
            ("[[1]]", &[1]),
            ("【1】", &[1]),
            ("［１２］", &[12]),
            ("〔2、3〕", &[2, 3]),
            ("【1†source】", &[1]),
            ("【4:0†source】", &[]),
            ("[3†L1-L5]", &[3]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_brackets_are_no_markers() {
        for text in [
            "[]",
            "[ ]",
            "[x]",
            "[a1]",
            "[1a]",
            "[2024]",
            "[-1]",
            "[1-]",
            "[1,]",
            "[,]",
            "[12:30]",
            "[1 2]",
            "[1.5]",
            "[1",
            "1]",
            "[1\n]",
            "【注意】",
            "[[1]",
            "[†]",
            "[1](",
        ] {
            let found = look(text, true);
            assert!(
                !matches!(found, Look::Is(Marker { length, .. }) if length == text.len()),
                "{text}"
            );
        }
        assert_eq!(look(&format!("[{}1]", " ".repeat(80)), false), Look::No);
    }

    #[test]
    fn a_marker_that_comes_in_pieces_is_waited_for() {
        for part in ["[", "[1", "[1,", "[[", "[[1", "[[1]", "【", "【1†sou"] {
            assert_eq!(look(part, false), Look::Wait(Wait::NEXT), "{part}");
        }
        for other in ["[a", "[see", "[1a", "[[a", "【注"] {
            assert_eq!(look(other, false), Look::No, "{other}");
        }
    }
}
