/// A value that a person gave and that cannot be kept, by the name of its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {reason}")]
pub struct InvalidField {
    /// The field as the API calls it.
    pub field: &'static str,
    /// What is wrong with it, to be read after the field's name.
    pub reason: &'static str,
}

impl InvalidField {
    pub(crate) fn new(field: &'static str, reason: &'static str) -> Self {
        Self { field, reason }
    }
}

/// A single line of 1 to `max` characters after trimming.
pub(crate) fn line(
    field: &'static str,
    text: &str,
    max: usize,
    too_long: &'static str,
) -> Result<String, InvalidField> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidField::new(field, "is empty"));
    }
    if text.chars().count() > max {
        return Err(InvalidField::new(field, too_long));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidField::new(field, "has a control character"));
    }
    Ok(text.to_owned())
}

/// A single line as [`line`] takes it, of which something is left without the characters that [`clean`] removes.
pub(crate) fn visible_line(
    field: &'static str,
    text: &str,
    max: usize,
    too_long: &'static str,
) -> Result<String, InvalidField> {
    let visible = clean(&line(field, text, max, too_long)?);
    match visible.trim() {
        "" => Err(InvalidField::new(field, "has no readable characters")),
        visible => Ok(visible.to_owned()),
    }
}

/// Running text of 1 to `max` characters that is not blank and has no U+0000.
pub(crate) fn prose(
    field: &'static str,
    text: &str,
    max: usize,
    too_long: &'static str,
) -> Result<(), InvalidField> {
    if text.trim().is_empty() {
        return Err(InvalidField::new(field, "is empty"));
    }
    if text.contains('\0') {
        return Err(InvalidField::new(field, "has the character U+0000"));
    }
    if text.chars().count() > max {
        Err(InvalidField::new(field, too_long))
    } else {
        Ok(())
    }
}

/// The text as it is stored: line ends as `\n`, and without the invisible characters that hide instructions from a
/// reader but not from a model (zero-width and other format characters, bidirectional controls, Unicode tags, byte order
/// mark).
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    Cleaner::default().add(text, &mut cleaned);
    cleaned
}

/// Does what [`clean`] does to a text that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    /// Whether a line feed that comes now belongs to the line end before it.
    after_return: bool,
}

impl Cleaner {
    /// Adds what is left of `text` to `cleaned`, and gives its number of characters.
    pub(crate) fn add(&mut self, text: &str, cleaned: &mut String) -> u32 {
        let mut added = 0;
        for c in text.chars() {
            let ends_line = std::mem::replace(&mut self.after_return, c == '\r') && c == '\n';
            let c = if c == '\r' { '\n' } else { c };
            if !ends_line && !is_invisible(c) {
                cleaned.push(c);
                added += 1;
            }
        }
        added
    }
}

fn is_invisible(c: char) -> bool {
    // The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are written with them.
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E007F}')
        || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_removed_and_written_ones_stay() {
        let hidden = "a\u{200B}b\u{202E}c\u{E0041}d\u{FEFF}\u{7}e\u{61C}f\u{206A}\u{180E}\u{FFF9}";
        assert_eq!(clean(hidden), "abcdef");
        assert_eq!(clean("one\r\ntwo\rthree\tfour"), "one\ntwo\nthree\tfour");
        for kept in ["می\u{200C}خواهم", "👩\u{200D}🔬", "שלום", "naïve – “x”"] {
            assert_eq!(clean(kept), kept);
        }
    }

    #[test]
    fn pieces_are_cleaned_as_the_whole() {
        let given = "a\r\nb\r\r\nc\u{200B}\n\rd\r";
        for at in (0..=given.len()).filter(|at| given.is_char_boundary(*at)) {
            let (mut cleaner, mut text) = (Cleaner::default(), String::new());
            let (first, second) = given.split_at(at);
            let added = cleaner.add(first, &mut text) + cleaner.add(second, &mut text);
            assert_eq!(text, "a\nb\n\nc\n\nd\n");
            assert_eq!(usize::try_from(added).unwrap(), text.chars().count());
        }
    }

    #[test]
    fn a_line_is_neither_blank_nor_endless_nor_controlled() {
        assert_eq!(line("name", "  Acme ", 10, "is long"), Ok("Acme".into()));
        for text in ["", " \t", "a\nb", "aaaaaaaaaaa", "a\0"] {
            assert!(line("name", text, 10, "is long").is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_visible_line_is_what_a_reader_sees_of_it() {
        let hidden = "Returns\u{E0049}\u{E0067}\u{202E} \u{200B}";
        assert_eq!(visible_line("title", hidden, 20, "is long"), Ok("Returns".into()));
        for text in ["", "\u{200B}", "\u{E0049}\u{2066}", "a\0"] {
            assert!(visible_line("title", text, 10, "is long").is_err(), "{text:?}");
        }
    }

    #[test]
    fn prose_may_have_lines_but_not_nothing() {
        assert_eq!(prose("text", "a\nb", 10, "is long"), Ok(()));
        for text in ["", "\n ", "a\0b", "aaaaaaaaaaa"] {
            assert!(prose("text", text, 10, "is long").is_err(), "{text:?}");
        }
    }
}
