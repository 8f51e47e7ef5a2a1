mod links;

/// How much of what was sent is remembered, in bytes: enough for a scheme or a character reference.
const CONTEXT: usize = 48;
/// The longest character reference that can hide anything, in bytes.
const REFERENCE: usize = 32;
/// How much is held back for a `[` that may begin a link, in bytes.
const HELD: usize = 256;

/// What the output's last line has so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing but white space, up to this column.
    Blank(usize),
    /// Nothing but what list items and quotes begin with.
    Items,
    /// No letter, so that something else may stand here that blocks begin behind.
    Marks,
    /// Text.
    Text,
}

/// A `[` or `![` whose end has not come.
#[derive(Debug)]
struct Open {
    at: usize,
    is_image: bool,
    /// The line before it.
    line: Line,
}

/// What was left between the last character and the next one.
#[derive(Debug, Clone, Copy, Default)]
struct Gap {
    /// A blank, which goes if a marker after it is removed.
    blank: bool,
    /// Something that was removed.
    removed: bool,
}

/// What could be the label of a reference definition.
#[derive(Debug, Clone, Copy, Default)]
struct Label {
    /// Whether its `[` came and its `]` did not.
    open: bool,
    /// Whether the last `]` was its end.
    closed: bool,
}

/// The output as it grows. Its end may still change where a bracket is open, so that is not sent.
#[derive(Debug)]
pub(super) struct Draft {
    text: String,
    sent: usize,
    open: Vec<Open>,
    line: Line,
    /// Whether the line before is blank, or there is none.
    after_blank: bool,
    gap: Gap,
    label: Label,
    /// Whether the last word is an address that stays.
    in_address: bool,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            sent: 0,
            open: Vec::new(),
            line: Line::Blank(0),
            after_blank: true,
            gap: Gap::default(),
            label: Label::default(),
            in_address: false,
        }
    }

    /// A draft that goes on within the line of `self`, after a backtick.
    pub(super) fn within(&self) -> Self {
        Self {
            text: "`".to_owned(),
            sent: 1,
            line: Line::Text,
            label: Label {
                open: self.label.open,
                closed: false,
            },
            ..Self::new()
        }
    }

    /// What may be sent and was not.
    pub(super) fn take(&mut self) -> String {
        let ready = self.open.first().map_or(self.text.len(), |open| open.at);
        let taken = self.text.get(self.sent..ready).unwrap_or_default().to_owned();
        let cut = self.text.floor_char_boundary(ready.saturating_sub(CONTEXT));
        self.text.drain(..cut);
        self.sent = ready - cut;
        for open in &mut self.open {
            open.at -= cut;
        }
        taken
    }

    /// How many bytes are not sent.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.text.len() - self.sent
    }

    pub(super) fn line(&self) -> Line {
        self.line
    }

    /// Whether the line has no text yet, so that what comes may begin a block.
    pub(super) fn begins_line(&self) -> bool {
        self.line != Line::Text
    }

    pub(super) fn is_after_blank_line(&self) -> bool {
        self.after_blank
    }

    pub(super) fn last(&self) -> Option<char> {
        self.text.chars().next_back()
    }

    /// Whether a `:` would now end the label of a definition.
    pub(super) fn ends_label(&self) -> bool {
        self.label.closed && self.text.ends_with(']')
    }

    pub(super) fn is_in_label(&self) -> bool {
        self.label.open
    }

    /// Whether the text ends with `word`, in any case of letters.
    pub(super) fn ends_with(&self, word: &str) -> bool {
        let from = self.text.len().checked_sub(word.len());
        from.and_then(|from| self.text.as_bytes().get(from..))
            .is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Adds the address of an allowed host, or its end.
    pub(super) fn add_address(&mut self, text: &str) {
        self.add(text);
        self.in_address = true;
    }

    /// Ends an address that the last word is, for renderers that take backticks for a part of it.
    pub(super) fn end_address(&mut self) {
        if self.in_address {
            self.add(" ");
        }
    }

    /// Adds text without a line end as it is.
    pub(super) fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.in_address &= !text.contains(char::is_whitespace);
        for c in text.chars() {
            self.line = match (self.line, c) {
                (Line::Text, _) => break,
                (Line::Blank(column), ' ') => Line::Blank(column + 1),
                (Line::Blank(column), '\t') => Line::Blank(column + 4 - column % 4),
                (
                    Line::Blank(_) | Line::Items,
                    '0'..='9' | '>' | '*' | '+' | '-' | '.' | ')' | ' ' | '\t',
                ) => Line::Items,
                // `[x]` is a mark too.
                _ if c.is_ascii() && (!c.is_ascii_alphabetic() || matches!(c, 'x' | 'X')) => Line::Marks,
                _ => Line::Text,
            };
        }
        self.let_long_go();
    }

    /// Adds a blank, once it is known what follows it.
    pub(super) fn add_blank(&mut self) {
        if self.gap.removed && !self.gap.blank && self.last().is_none_or(char::is_whitespace) {
            return;
        }
        if self.gap.blank && !self.gap.removed {
            self.add(" ");
        }
        self.gap.blank = true;
        self.gap.removed = false;
    }

    /// Settles what a removed marker leaves, now that `next` follows: `None` at the end.
    pub(super) fn settle(&mut self, next: Option<char>) {
        let closes = next.is_none_or(|next| "\n.,;:!?)]}。，；：！？）」".contains(next));
        let blank = match (self.gap.blank, self.gap.removed) {
            (blank, false) => blank,
            (true, true) if !closes => true,
            (_, true) => next.is_some_and(|next| next != '\n' && self.may_go_on(next)),
        };
        self.gap = Gap::default();
        if blank {
            self.add(" ");
        }
    }

    /// Whether the text ends with the beginning of something that `next`, which follows what was removed, could go on:
    /// an address, a tag, an escape or a character reference.
    fn may_go_on(&self, next: char) -> bool {
        let near = self.text.len().saturating_sub(REFERENCE);
        let near = self
            .text
            .get(self.text.floor_char_boundary(near)..)
            .unwrap_or_default();
        self.in_address
            || near.ends_with(['<', '\\'])
            || (near.ends_with('.') && next.is_alphanumeric())
            || near.rsplit_once('&').is_some_and(|(_, name)| {
                name.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
            })
    }

    /// Remembers that something was removed at the end.
    pub(super) fn note_removed(&mut self) {
        self.gap.removed = true;
    }

    /// Sees to it that what comes does not become one with `last`.
    pub(super) fn keep_apart(&mut self, last: &[char]) {
        if self.text.ends_with(last) {
            self.add(" ");
        }
    }

    /// Ends the line; whether it was blank.
    pub(super) fn end_line(&mut self) -> bool {
        let blank = matches!(self.line, Line::Blank(_));
        self.text.push('\n');
        self.in_address = false;
        self.line = Line::Blank(0);
        self.after_blank = blank;
        self.label.open &= !blank;
        self.let_go();
        blank
    }

    /// Lets out what open brackets hold; they will be no link's beginning that could be removed.
    pub(super) fn let_go(&mut self) {
        self.open.clear();
    }

    fn let_long_go(&mut self) {
        while let Some(open) = self.open.first()
            && self.text.len() - open.at > HELD
        {
            self.open.remove(0);
        }
    }
}
