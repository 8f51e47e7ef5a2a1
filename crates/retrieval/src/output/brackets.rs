use super::look::{Look, Step, Wait};
use super::markers::{self, Marker};
use super::scan::{Scan, second};
use super::{destination, urls};

impl Scan {
    pub(super) fn bracket(&mut self, rest: &str, ended: bool) -> Step {
        match self.marker(rest, ended) {
            Look::Is(marker) => self.cite(&marker),
            Look::Wait(wait) => Step::Wait(wait),
            Look::No if rest.starts_with('[') => {
                self.draft.settle(Some('['));
                self.doubt.paragraph.link = true;
                self.draft.open(false);
                Step::Took(1)
            }
            Look::No => {
                let first = rest.chars().next();
                self.draft.settle(first);
                self.copy(rest.get(..first.map_or(0, char::len_utf8)).unwrap_or_default())
            }
        }
    }

    /// The marker that `rest` begins with, which is neither code nor the text or the label of a link.
    fn marker(&self, rest: &str, ended: bool) -> Look<Marker> {
        if self.is_span || self.fence.is_some() {
            return Look::No;
        }
        let marker = match markers::look(rest, ended) {
            Look::Is(marker) => marker,
            other => return other,
        };
        if !marker.is_bracketed {
            return Look::Is(marker);
        }
        let after = rest.get(marker.length..).unwrap_or_default();
        if after.starts_with('(') {
            return match destination::look(after, ended) {
                // `[1](#source)`: nothing is left of such a link but its number.
                Look::Is(link)
                    if link.allowed(&self.allowed).is_none() && urls::shown(link.url).is_none() =>
                {
                    let length = marker.length + link.length;
                    Look::Is(Marker { length, ..marker })
                }
                Look::Is(_) => Look::No,
                Look::No => Look::Is(marker),
                Look::Wait(wait) => Look::Wait(wait.after(marker.length)),
            };
        }
        // A definition, as it came or as this filter writes it.
        let may_be_label = self.draft.begins_line();
        if !ended && (after.is_empty() || (may_be_label && after == "\\")) {
            return Look::Wait(Wait::NEXT);
        }
        if may_be_label && (after.starts_with(':') || after.starts_with("\\:")) {
            return Look::No;
        }
        Look::Is(marker)
    }

    /// The marker that is made when the open bracket closes before `next`, because something in it was removed.
    fn marker_made(&self, next: Option<char>) -> Option<Marker> {
        let (text, begins_line) = self
            .draft
            .in_bracket()
            .filter(|_| !self.is_span && self.fence.is_none())?;
        let is_label = begins_line && matches!(next, Some(':' | '\\'));
        match markers::look(&format!("{text}]"), true) {
            Look::Is(marker) if !is_label => Some(marker),
            _ => None,
        }
    }

    fn cite(&mut self, marker: &Marker) -> Step {
        let numbers = marker
            .numbers
            .iter()
            .filter_map(|number| usize::try_from(*number).ok());
        let cited: Vec<usize> = numbers
            .filter(|number| (1..=self.passages).contains(number))
            .collect();
        if cited.is_empty() {
            self.draft.note_removed();
        } else {
            self.draft.settle(Some('['));
            // It may have been written with other brackets, which a backslash does not escape.
            self.draft.keep_apart(&['\\']);
        }
        for number in cited {
            self.draft.add_marker(number);
            self.cited.insert(number);
        }
        Step::Took(marker.length)
    }

    pub(super) fn exclamation(&mut self, rest: &str, ended: bool) -> Step {
        let next = match second(rest, ended) {
            Ok(next) => next,
            Err(wait) => return wait,
        };
        if next == Some('[') {
            match self.marker(rest.get(1..).unwrap_or_default(), ended) {
                Look::Wait(wait) => return Step::Wait(wait.after(1)),
                Look::No => {
                    self.draft.settle(Some('['));
                    self.doubt.paragraph.link = true;
                    self.draft.open(true);
                    return Step::Took(2);
                }
                // The end of a sentence.
                Look::Is(_) => {}
            }
        }
        self.draft.settle(Some('!'));
        self.copy("!")
    }

    pub(super) fn bracket_end(&mut self, rest: &str, ended: bool) -> Step {
        let next = match second(rest, ended) {
            Ok(next) => next,
            Err(wait) => return wait,
        };
        let found = match next {
            Some('(') => destination::look(rest.get(1..).unwrap_or_default(), ended),
            _ => Look::No,
        };
        match found {
            Look::Wait(wait) => Step::Wait(wait.after(1)),
            Look::No => {
                self.draft.settle(Some(']'));
                match self.marker_made(next) {
                    Some(marker) => {
                        self.draft.take_bracket_back();
                        self.cite(&marker);
                    }
                    None => self.draft.close(),
                }
                Step::Took(1)
            }
            Look::Is(found) => {
                self.draft.settle(Some(']'));
                // The host that is shown has brackets.
                self.doubt.paragraph.link = true;
                match found.allowed(&self.allowed) {
                    Some(kept) => self.draft.link(&kept),
                    None => self.draft.unlink(urls::shown(found.url).as_deref()),
                }
                Step::Took(1 + found.length)
            }
        }
    }
}
