use crate::text::Cleaner;

/// Takes a text as it comes: line ends become `\n`, and what a reader does not see is left out.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    cleaner: Cleaner,
    /// The last character that was kept.
    last: Option<char>,
}

impl Incoming {
    /// Adds what is left of `delta` to `text`.
    pub(super) fn add(&mut self, delta: &str, text: &mut String) {
        let from = text.len();
        self.cleaner.add(delta, text);
        let added = text.get(from..).unwrap_or_default();
        if added.contains(is_joiner) {
            let added = text.split_off(from);
            // Persian, Indic scripts and emoji are written with joiners; after ASCII they only hide that `ht` `tp` is one word.
            text.extend(added.chars().filter(|c| {
                let kept = !is_joiner(*c) || self.last.is_some_and(|last| !last.is_ascii());
                self.last = if kept { Some(*c) } else { self.last };
                kept
            }));
        } else if let Some(last) = added.chars().next_back() {
            self.last = Some(last);
        }
    }
}

/// Whether it is a zero-width joiner or non-joiner.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(deltas: &[&str]) -> String {
        let (mut incoming, mut text) = (Incoming::default(), String::new());
        for delta in deltas {
            incoming.add(delta, &mut text);
        }
        text
    }

    #[test]
    fn line_ends_become_one_character_however_they_are_cut() {
        assert_eq!(added(&["a\r", "\nb\rc\n", "\r\n"]), "a\nb\nc\n\n");
    }

    #[test]
    fn what_hides_is_left_out() {
        assert_eq!(added(&["ht\u{200B}t\u{202E}p\u{E0041}\u{7}"]), "http");
        assert_eq!(added(&["ht\u{200D}", "\u{200C}tp", "s\u{200C}"]), "https");
    }

    #[test]
    fn joiners_of_scripts_and_emoji_stay() {
        for text in ["👩\u{200D}💻", "می\u{200C}خواهم"] {
            assert_eq!(added(&[text]), text);
        }
    }
}
