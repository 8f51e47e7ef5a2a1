use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_domain::AllowedHosts;

use super::code::{Doubt, Fence, Paragraph};
use super::draft::Draft;
use super::incoming::is_joiner;
use super::look::{Step, Wait};
use super::markers;

/// Reads a text from its beginning to its end, and writes the output.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) passages: usize,
    pub(super) allowed: Arc<AllowedHosts>,
    pub(super) cited: BTreeSet<usize>,
    pub(super) draft: Draft,
    /// The block of code that is open.
    pub(super) fence: Option<Fence>,
    pub(super) doubt: Doubt,
    /// Whether this is the inside of a code span that some renderers may take for text.
    pub(super) is_span: bool,
    /// Whether the name of a host that is not allowed goes on.
    pub(super) in_host: bool,
}

impl Scan {
    pub(super) fn new(passages: usize, allowed: AllowedHosts) -> Self {
        Self {
            passages,
            allowed: Arc::new(allowed),
            cited: BTreeSet::new(),
            draft: Draft::new(),
            fence: None,
            doubt: Doubt::default(),
            is_span: false,
            in_host: false,
        }
    }

    /// What the inside of a code span becomes where it may be text.
    pub(super) fn span(&self, inside: &str) -> String {
        let mut span = Self {
            allowed: Arc::clone(&self.allowed),
            draft: self.draft.within(),
            is_span: true,
            ..Self::new(self.passages, AllowedHosts::default())
        };
        let mut rest = inside;
        while let Some(first) = rest.chars().next() {
            let length = match span.step(rest, true) {
                Step::Took(length) => length,
                Step::Wait(_) => first.len_utf8(),
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        span.finish()
    }

    /// What may be sent now.
    pub(super) fn take(&mut self) -> String {
        self.draft.take()
    }

    /// How many bytes wait for an open bracket.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.draft.held()
    }

    /// What is left to send at the end of the text.
    pub(super) fn finish(&mut self) -> String {
        self.draft.settle(None);
        self.draft.let_go();
        self.draft.take()
    }

    pub(super) fn into_cited(self) -> BTreeSet<usize> {
        self.cited
    }

    /// Reads what `rest` begins with. Nothing waits once the text has `ended`.
    pub(super) fn step(&mut self, rest: &str, ended: bool) -> Step {
        if self.fence.is_some() && !self.doubt.blocks {
            return self.code(rest, ended);
        }
        let plain = if self.in_host { 0 } else { plain(rest) };
        if plain > 0 {
            let text = rest.get(..plain).unwrap_or_default();
            self.draft.settle(text.chars().next());
            self.begin_attributes(text);
            self.draft.add(text);
            return Step::Took(plain);
        }
        let Some(first) = rest.chars().next() else {
            return Step::Took(0);
        };
        self.in_host &= !(first.is_whitespace() || matches!(first, '/' | '?' | '#'));
        self.special(first, rest, ended)
    }

    fn special(&mut self, first: char, rest: &str, ended: bool) -> Step {
        match first {
            ' ' => {
                self.draft.add_blank();
                Step::Took(1)
            }
            '\n' => self.line_end(),
            '`' => self.backticks(rest, ended),
            '~' => self.tildes(rest, ended),
            '$' => self.dollar(),
            '!' => self.exclamation(rest, ended),
            ']' => self.bracket_end(rest, ended),
            '(' => {
                self.draft.settle(Some('('));
                // Something was removed between the two.
                self.draft.keep_apart(&[']']);
                self.copy("(")
            }
            '<' => self.angle(rest, ended),
            '&' => self.ampersand(rest, ended),
            '\\' => self.backslash(rest, ended),
            ':' => self.colon(rest, ended),
            '/' => self.slash(rest, ended),
            '.' => self.dot(rest, ended),
            c if markers::may_begin(c) => self.bracket(rest, ended),
            c => {
                self.draft.settle(Some(c));
                self.begin_attributes(rest);
                // A joiner that something which is removed stood before.
                if is_joiner(c) && self.draft.last().is_none_or(|last| last.is_ascii()) {
                    return Step::Took(c.len_utf8());
                }
                self.copy(c.encode_utf8(&mut [0; 4]))
            }
        }
    }

    /// Keeps what may be attributes from the code before it: some make HTML of the code by them.
    fn begin_attributes(&mut self, rest: &str) {
        if rest.starts_with('{') && !self.is_span {
            self.draft.keep_apart(&['`']);
        }
    }

    fn line_end(&mut self) -> Step {
        self.draft.settle(Some('\n'));
        if self.draft.end_line() {
            self.end_paragraph();
        }
        Step::Took(1)
    }

    pub(super) fn end_paragraph(&mut self) {
        self.doubt.paragraph = Paragraph::default();
    }

    /// Writes what was read as it is.
    pub(super) fn copy(&mut self, text: &str) -> Step {
        self.draft.add(text);
        Step::Took(text.len())
    }

    /// Writes `text` for `length` bytes.
    pub(super) fn write(&mut self, text: &str, length: usize) -> Step {
        self.draft.add(text);
        Step::Took(length)
    }
}

/// What follows the first character of `rest`, which is ASCII; `Err` where it is not known yet.
pub(super) fn second(rest: &str, ended: bool) -> Result<Option<char>, Step> {
    match rest.chars().nth(1) {
        None if !ended => Err(Step::Wait(Wait::NEXT)),
        second => Ok(second),
    }
}

/// The length of the text that `rest` begins with and that means nothing but itself, wherever it stands.
fn plain(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut from = 0;
    loop {
        let ahead = bytes.get(from..).unwrap_or_default();
        let length = ahead
            .iter()
            .position(|byte| is_special(*byte))
            .unwrap_or(ahead.len());
        let end = from + length;
        // A blank between words is plain, if no marker before it was removed: that is so within a run.
        let within = length > 0
            && bytes.get(end) == Some(&b' ')
            && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
        if !within {
            return end;
        }
        from = end + 1;
    }
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\n' | b'`' | b'~' | b'$' | b'!' | b'[' | b']' | b'(' | b'<' | b'&' | b'\\' | b':' | b'/' | b'.'
        // The first byte of joiners, of `【` and `〔`, and of `［`.
        | 0xE2 | 0xE3 | 0xEF
    )
}
