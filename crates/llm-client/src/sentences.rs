/// A sentence of a passage, with the heading it stands under.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sentence<'t> {
    pub(crate) heading: &'t str,
    pub(crate) text: &'t str,
}

/// The sentences of plain text or Markdown, in their order; headings and what holds no letter are left out.
pub(crate) fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    let mut heading = "";
    for block in blocks(text) {
        if let Some(title) = heading_of(block) {
            heading = title;
            continue;
        }
        let mut rest = block;
        while !rest.is_empty() {
            let (sentence, after) = rest.split_at(sentence_end(rest));
            let sentence = sentence.trim();
            if sentence.chars().any(char::is_alphabetic) {
                found.push(Sentence {
                    heading,
                    text: sentence,
                });
            }
            rest = after;
        }
    }
    found
}

/// Paragraphs, list items and headings: a line starts a new block after an empty line, before and after a heading,
/// and where a list marker stands; other line ends are only the width of somebody's screen.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut after_heading = false;
    for line in text.split_inclusive('\n') {
        let marker = marker_length(line);
        if after_heading || line.trim().is_empty() || marker > 0 || line.trim_start().starts_with('#') {
            blocks.push(text.get(start..at).unwrap_or_default());
            start = at + marker;
        }
        after_heading = line.trim_start().starts_with('#');
        at += line.len();
    }
    blocks.push(text.get(start..at).unwrap_or_default());
    blocks.retain(|block| !block.trim().is_empty());
    blocks
}

/// How many bytes of `line` are the marker of a list item or a quote, indentation included.
fn marker_length(line: &str) -> usize {
    let inner = line.trim_start();
    let indent = line.len() - inner.len();
    for bullet in ["- ", "* ", "+ ", "• ", "> "] {
        if inner.starts_with(bullet) {
            return indent + bullet.len();
        }
    }
    let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = inner.get(digits..).unwrap_or_default();
    if (1..=3).contains(&digits) && (after.starts_with(". ") || after.starts_with(") ")) {
        indent + digits + 2
    } else {
        0
    }
}

fn heading_of(block: &str) -> Option<&str> {
    let block = block.trim();
    block.starts_with('#').then(|| block.trim_matches(['#', ' ']))
}

/// Where the first sentence of `text` ends, in bytes.
fn sentence_end(text: &str) -> usize {
    for (at, c) in text.char_indices() {
        match c {
            '。' | '！' | '？' | '｡' | '।' | '؟' => return skip_closing(text, at + c.len_utf8()),
            '.' | '!' | '?' | '…' => {
                let end = skip_closing(text, at + c.len_utf8());
                let rest = text.get(end..).unwrap_or_default();
                // "e.g. this" goes on; so do "3.5" and "example.org".
                let next = rest.trim_start().chars().next();
                let blank = rest.starts_with(char::is_whitespace);
                if next.is_none()
                    || (blank && !next.is_some_and(char::is_lowercase) && !abbreviation(text, at))
                {
                    return end;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn skip_closing(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let after = rest.trim_start_matches([
        '.', '!', '?', '"', '\'', '”', '’', '»', ')', ']', '」', '』', '）', '*', '_',
    ]);
    end + (rest.len() - after.len())
}

/// Whether the dot at `at` belongs to a short title or an initial, as in "Dr. Who" or "J. Doe".
fn abbreviation(text: &str, at: usize) -> bool {
    const KNOWN: [&str; 12] = [
        "dr", "mr", "mrs", "ms", "prof", "st", "no", "nr", "vs", "fig", "approx", "inc",
    ];
    let before = text.get(..at).unwrap_or_default();
    let word = before
        .rsplit(|c: char| !c.is_alphanumeric() && c != '.')
        .next()
        .unwrap_or_default();
    let single = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    single || KNOWN.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(
            sentences(text).iter().map(|s| s.text).collect::<Vec<_>>(),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn a_sentence_ends_where_a_reader_says_so() {
        check("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]);
        check(
            "Costs 3.5 euros, e.g. at example.org. Ask Dr. Who.",
            &["Costs 3.5 euros, e.g. at example.org.", "Ask Dr. Who."],
        );
        check(
            "He said \"stop.\" Then left (at last). End",
            &["He said \"stop.\"", "Then left (at last).", "End"],
        );
        check(
            "退款期限是三十天。请联系客服！",
            &["退款期限是三十天。", "请联系客服！"],
        );
        check("Wait... Go on", &["Wait...", "Go on"]);
    }

    #[test]
    fn a_line_end_within_a_paragraph_is_no_end() {
        check(
            "A sentence over\ntwo lines. And\nanother.\n\nA new one",
            &["A sentence over\ntwo lines.", "And\nanother.", "A new one"],
        );
    }

    #[test]
    fn markdown_gives_items_and_headings_apart() {
        let text = "# Refunds\nWithin 30 days.\n\n## Shipping\n\n- Two days\n- Free above 50\n1. First\n2) Second\n---\n";
        let found = sentences(text);
        assert_eq!(
            found.iter().map(|s| (s.heading, s.text)).collect::<Vec<_>>(),
            [
                ("Refunds", "Within 30 days."),
                ("Shipping", "Two days"),
                ("Shipping", "Free above 50"),
                ("Shipping", "First"),
                ("Shipping", "Second\n---"),
            ]
        );
    }

    proptest! {
        #[test]
        fn every_sentence_is_a_piece_of_the_text(text in "(?s)[a-zA-Z0-9 .!?\\n#\"*>)。é😀-]{0,200}") {
            for sentence in sentences(&text) {
                prop_assert!(text.contains(sentence.text));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            drop(sentences(&text));
        }
    }
}
