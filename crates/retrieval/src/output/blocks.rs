use super::code::{self, Closing, Fence};
use super::draft::Line;
use super::look::{Look, Step, Wait};
use super::scan::Scan;

/// From this length on, a run of backticks or tildes is text.
const LONGEST_RUN: usize = 64;

impl Scan {
    /// Reads a part of a block of code that all renderers take for one.
    pub(super) fn code(&mut self, rest: &str, ended: bool) -> Step {
        let line = rest.split('\n').next().unwrap_or_default();
        let (Line::Blank(column), Some(fence)) = (self.draft.line(), self.fence) else {
            return if line.is_empty() {
                self.code_line_end()
            } else {
                self.copy(line)
            };
        };
        let text = line.trim_start_matches([' ', '\t']);
        if text.len() < line.len() {
            return self.copy(line.get(..line.len() - text.len()).unwrap_or_default());
        }
        if text.is_empty() {
            return self.code_line_end();
        }
        if column < fence.column {
            // The list item around the block is over, and the block with it, if there is a list.
            self.doubt.blocks = true;
            return Step::Took(0);
        }
        if text.starts_with(fence.mark) {
            return match fence.look_at_closing(rest, column, ended) {
                Look::Is((length, closing)) => self.close_fence(rest, length, closing),
                Look::No => self.copy(line),
                Look::Wait(wait) => Step::Wait(wait),
            };
        }
        self.copy(line)
    }

    fn code_line_end(&mut self) -> Step {
        self.draft.end_line();
        Step::Took(1)
    }

    fn close_fence(&mut self, rest: &str, length: usize, closing: Closing) -> Step {
        if closing == Closing::Perhaps {
            self.doubt.blocks = true;
        }
        if closing != Closing::No {
            self.fence = None;
        }
        self.copy(rest.get(..length).unwrap_or_default())
    }

    fn open_fence(&mut self, mark: char, length: usize, line: &str) -> Step {
        self.end_paragraph();
        self.draft.let_go();
        let shown = shown(length, line);
        let column = match self.draft.line() {
            Line::Blank(column) => column,
            Line::Items => 0,
            Line::Marks | Line::Text => {
                self.doubt.blocks = true;
                // Something that was removed may have parted them from the end of a code span.
                self.draft.keep_apart(&['`', '~', '\\']);
                return match shown {
                    Some(shown) => self.write(&shown, line.len()),
                    None => self.copy(line.get(..length).unwrap_or_default()),
                };
            }
        };
        self.doubt.blocks |= self.draft.line() == Line::Items;
        if column > 3 && !self.draft.is_after_blank_line() {
            // Else it may go on the paragraph above. After a blank line it is code, fenced or indented.
            self.draft.end_line();
            self.draft.add(&" ".repeat(column));
        }
        self.fence = Some(Fence { mark, length, column });
        if let Some(shown) = shown {
            return self.write(&shown, line.len());
        }
        let doubtful = line.get(..length).unwrap_or_default();
        self.copy(if self.doubt.blocks { doubtful } else { line })
    }

    pub(super) fn backticks(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('`'));
        let length = code::run(rest, '`');
        if let Some(step) = self.endless(rest, length, ended) {
            return step;
        }
        let ticks = rest.get(..length).unwrap_or_default();
        if self.is_span {
            return self.copy(ticks);
        }
        if let Some(fence) = self.fence {
            return self.marks_in_doubtful_code(fence, rest, length, ended);
        }
        if length > 2 && self.draft.begins_line() {
            match code::look_at_fence(rest, '`', length, ended) {
                Look::Is(line) => return self.open_fence('`', length, rest.get(..line).unwrap_or_default()),
                Look::No => {}
                Look::Wait(wait) => return Step::Wait(wait),
            }
        }
        match code::look_at_span(rest, length, ended) {
            Look::Is(whole) => self.code_span(rest, length, whole),
            Look::No => {
                self.draft.keep_apart(&['`', '\\']);
                self.write(&"\\`".repeat(length), length)
            }
            Look::Wait(wait) => Step::Wait(wait),
        }
    }

    /// What to do about a run of marks that is not over, or that is longer than any that means something.
    fn endless(&mut self, rest: &str, length: usize, ended: bool) -> Option<Step> {
        if length >= LONGEST_RUN {
            let mark = rest.get(..1).unwrap_or_default();
            return Some(self.write(&format!("\\{mark}").repeat(LONGEST_RUN), LONGEST_RUN));
        }
        (length == rest.len() && !ended).then_some(Step::Wait(Wait::NEXT))
    }

    fn code_span(&mut self, rest: &str, length: usize, whole: usize) -> Step {
        let span = rest.get(..whole).unwrap_or_default();
        let (ticks, inside) = span.split_at(length);
        let inside = inside.get(..inside.len() - length).unwrap_or_default();
        self.draft.keep_apart(&['`', '\\']);
        self.draft.end_address();
        let differs = inside.contains('|')
            // A formula, as GitHub and GitLab write it.
            || self.draft.last() == Some('$')
            || (self.doubt.paragraph.formula && ["$", "\\)", "\\]"].iter().any(|end| inside.contains(end)))
            || (self.doubt.paragraph.link && inside.contains("]("))
            || (self.draft.is_in_label() && inside.contains("]:"));
        self.doubt.paragraph.differs |= differs;
        if !self.doubt.blocks && !self.doubt.paragraph.differs {
            return self.copy(span);
        }
        let inside = self.span(inside);
        self.write(&format!("{ticks}{inside}{ticks}"), whole)
    }

    pub(super) fn tildes(&mut self, rest: &str, ended: bool) -> Step {
        self.draft.settle(Some('~'));
        let length = code::run(rest, '~');
        if let Some(step) = self.endless(rest, length, ended) {
            return step;
        }
        // Only something that was removed parted the two.
        self.draft.keep_apart(&['~']);
        if let Some(fence) = self.fence {
            return self.marks_in_doubtful_code(fence, rest, length, ended);
        }
        if length > 2 && self.draft.begins_line() && !self.is_span {
            return match code::look_at_fence(rest, '~', length, ended) {
                Look::Is(line) => self.open_fence('~', length, rest.get(..line).unwrap_or_default()),
                Look::No => self.write(&"\\~".repeat(length), length),
                Look::Wait(wait) => Step::Wait(wait),
            };
        }
        self.copy(rest.get(..length).unwrap_or_default())
    }

    /// Marks within what may be a block of code: they may close it, or open one if it has ended.
    fn marks_in_doubtful_code(&mut self, fence: Fence, rest: &str, length: usize, ended: bool) -> Step {
        let marks = rest.get(..length).unwrap_or_default();
        if !self.draft.begins_line() {
            return self.copy(marks);
        }
        if rest.starts_with(fence.mark) {
            match fence.look_at_closing(rest, 0, ended) {
                Look::Is((_, Closing::No)) | Look::No => {}
                Look::Is((length, closing)) => return self.close_fence(rest, length, closing),
                Look::Wait(wait) => return Step::Wait(wait),
            }
        }
        let mark = marks.chars().next().filter(|_| length > 2);
        match mark.map_or(Look::No, |mark| code::look_at_fence(rest, mark, length, ended)) {
            Look::Is(line) => match shown(length, rest.get(..line).unwrap_or_default()) {
                Some(shown) => self.write(&shown, line),
                None => self.copy(marks),
            },
            Look::No => self.copy(marks),
            Look::Wait(wait) => Step::Wait(wait),
        }
    }

    pub(super) fn dollar(&mut self) -> Step {
        self.draft.settle(Some('$'));
        if self.draft.begins_line() {
            // A block of formulas may have begun, in which no fence is one.
            self.doubt.blocks |= self.draft.last() == Some('$');
        }
        self.doubt.paragraph.formula = true;
        self.copy("$")
    }
}

/// What the line of a fence becomes where it names a language that is drawn.
fn shown(length: usize, line: &str) -> Option<String> {
    let (marks, info) = line.split_at_checked(length)?;
    code::is_drawn(info).then(|| format!("{marks}text"))
}
