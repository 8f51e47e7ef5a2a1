//! What a conversation is called until its owner says otherwise.

use crate::text::clean;

/// The longest title that is made out of a message, in characters.
const MAX_CHARACTERS: usize = 80;

/// What a conversation without a title is called.
pub(crate) const UNTITLED: &str = "Conversation";

/// The first line of `message` that has anything in it, shortened at a word.
pub(crate) fn of(message: &str) -> String {
    let cleaned = clean(message);
    let lines = cleaned.split(['\n', '\u{2028}', '\u{2029}']);
    let mut lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    match lines.find(|line| !line.is_empty()) {
        Some(line) => shortened(&line),
        None => UNTITLED.to_owned(),
    }
}

fn shortened(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(MAX_CHARACTERS) else {
        return line.to_owned();
    };
    // Room for the sign that something is missing.
    let head: String = line.chars().take(MAX_CHARACTERS - 1).collect();
    let next_is_blank = line.get(head.len()..end).is_some_and(|c| c == " ");
    let whole = if next_is_blank {
        head.as_str()
    } else {
        // Of one endless word, as much as fits.
        head.rsplit_once(' ').map_or(head.as_str(), |(words, _)| words)
    };
    format!("{}…", whole.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_is_the_first_line_with_words() {
        assert_eq!(
            of("\n \u{200b}\n  How  long?\tAnd why?\nMore."),
            "How long? And why?"
        );
        assert_eq!(of("\u{200b}"), "Conversation");
        assert_eq!(of("a\u{7}b"), "ab");
    }

    #[test]
    fn a_long_line_is_cut_at_a_word() {
        let line = "word ".repeat(30);
        let title = of(&line);
        assert!(title.ends_with("word…") && title.chars().count() <= 80, "{title}");
        assert_eq!(of(&"x".repeat(81)).chars().count(), 80);
        assert_eq!(of(&"x".repeat(80)), "x".repeat(80));
        let exact = format!("{} yes", "x".repeat(79));
        assert_eq!(of(&exact), format!("{}…", "x".repeat(79)));
    }

    proptest! {
        #[test]
        fn every_title_is_one_visible_line_of_at_most_80_characters(message in "(\\PC|\n|\r|\t|\u{200b}|\u{2028}| ){0,200}") {
            let title = of(&message);
            prop_assert!((1..=80).contains(&title.chars().count()));
            prop_assert!(!title.chars().any(char::is_control) && title.trim() == title);
        }
    }
}
