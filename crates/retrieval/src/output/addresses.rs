use super::look::{Look, Step, Wait};
use super::scan::{Scan, second};
use super::{destination, entities, markers, urls};

/// The schemes that renderers link without any mark of Markdown.
const LINKED: [&str; 3] = ["https", "http", "ftp"];

impl Scan {
    pub(super) fn angle(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('<'));
        match second(rest, ended) {
            Err(wait) => return wait,
            // A comparison.
            Ok(None | Some(' ' | '\n' | '\t')) => return self.copy("<"),
            Ok(_) => {}
        }
        match urls::look_at_autolink(rest, ended, &self.allowed) {
            Look::Is(length) => self.copy(rest.get(..length).unwrap_or_default()),
            Look::No => self.write("&lt;", 1),
            Look::Wait(wait) => Step::Wait(wait),
        }
    }

    pub(super) fn ampersand(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('&'));
        match entities::look(rest.get(1..).unwrap_or_default(), ended) {
            Look::Is(()) => self.write("&amp;", 1),
            Look::No => self.copy("&"),
            Look::Wait(wait) => Step::Wait(wait),
        }
    }

    pub(super) fn backslash(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('\\'));
        let next = match second(rest, ended) {
            Ok(next) => next,
            Err(wait) => return wait,
        };
        match next {
            // The same without it, and seen as what it is.
            Some('<' | '/') => return Step::Took(1),
            Some(':') if self.ends_with_scheme() => return Step::Took(1),
            Some('.') if self.in_host || self.draft.ends_with("www") => return Step::Took(1),
            Some('[') if self.draft.begins_line() => {
                // A block of formulas may have begun, in which no fence is one.
                self.doubt.blocks = true;
                self.doubt.paragraph.formula = true;
            }
            Some('[' | '(' | '$') => self.doubt.paragraph.formula = true,
            _ => {}
        }
        match next {
            Some(next) if next.is_ascii_punctuation() => self.copy(rest.get(..2).unwrap_or_default()),
            _ => self.copy("\\"),
        }
    }

    /// Writes a mark of an address in brackets, with which what is read next time begins as the text of a link.
    fn mark(&mut self, text: &str, length: usize) -> Step {
        self.doubt.paragraph.link = true;
        self.write(text, length)
    }

    fn address(&mut self, text: &str) -> Step {
        self.draft.add_address(text);
        Step::Took(text.len())
    }

    fn ends_with_scheme(&self) -> bool {
        LINKED.iter().any(|scheme| self.draft.ends_with(scheme))
    }

    pub(super) fn colon(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some(':'));
        let after = rest.get(1..).unwrap_or_default();
        if self.draft.ends_label() {
            return match destination::look_after_label(after, ended, &self.allowed) {
                Look::Is(length) => self.address(rest.get(..=length).unwrap_or_default()),
                Look::No => self.write("\\:", 1),
                Look::Wait(wait) => Step::Wait(wait.after(1)),
            };
        }
        if !self.ends_with_scheme() {
            return self.copy(":");
        }
        if !ended && (after.is_empty() || after == "/") {
            return Step::Wait(Wait::NEXT);
        }
        let Some(name) = after.strip_prefix("//") else {
            // The slashes may follow in a form that some renderer decodes, as `&sol;`, or behind something that is removed.
            let hides = after
                .chars()
                .next()
                .is_some_and(|next| "/\\&!]<`~".contains(next) || markers::may_begin(next));
            return if hides {
                self.mark("[:]", 1)
            } else {
                self.copy(":")
            };
        };
        let found = if self.draft.ends_with("ftp") {
            Look::No
        } else {
            urls::allowed_authority("", name, ended, &self.allowed)
        };
        match found {
            Look::Is(length) => self.address(rest.get(..3 + length).unwrap_or_default()),
            Look::No => {
                self.in_host = true;
                self.mark("[:]//", 3)
            }
            Look::Wait(wait) => Step::Wait(wait.after(3)),
        }
    }

    pub(super) fn slash(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('/'));
        if self.draft.last() != Some('/') {
            return self.copy("/");
        }
        match urls::allowed_authority("", rest.get(1..).unwrap_or_default(), ended, &self.allowed) {
            Look::Is(length) => self.address(rest.get(..=length).unwrap_or_default()),
            Look::No => {
                self.in_host = true;
                self.copy("/")
            }
            Look::Wait(wait) => Step::Wait(wait.after(1)),
        }
    }

    pub(super) fn dot(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('.'));
        // Some renderers link it behind other letters too, and whatever follows it.
        let begins_host = self.draft.ends_with("www");
        if !begins_host {
            if !self.in_host {
                return self.copy(".");
            }
            match second(rest, ended) {
                Err(wait) => return wait,
                Ok(Some(next)) if !next.is_whitespace() && !next.is_ascii_punctuation() => {}
                Ok(_) => return self.copy("."),
            }
        }
        let found = if self.in_host {
            Look::No
        } else {
            urls::allowed_authority("www.", rest.get(1..).unwrap_or_default(), ended, &self.allowed)
        };
        match found {
            Look::Is(length) => self.address(rest.get(..=length).unwrap_or_default()),
            Look::No => {
                self.in_host = true;
                self.mark("[.]", 1)
            }
            Look::Wait(wait) => Step::Wait(wait.after(1)),
        }
    }
}
