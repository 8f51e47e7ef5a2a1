use std::ops::Range;

/// As much of a line as is looked at; a longer one is no heading.
const MAX_LINE: usize = 400;

/// The Markdown headings that are open at a point of a text, found line by line: lines that begin with `#`, outside of fenced
/// code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    /// The heading of each level; empty where a level was skipped.
    levels: Vec<String>,
    /// What was seen of the line that is not over.
    line: String,
    fence: Option<Fence>,
}

/// A run of backticks or tildes that opened a block of code, as `CommonMark` 0.31 section 4.5 has it.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
}

impl Outline {
    /// The outline at a point where `levels` are open.
    pub(crate) fn resume(levels: &[String]) -> Self {
        Self {
            levels: levels.to_vec(),
            ..Self::default()
        }
    }

    /// The heading of each level, outermost first; empty where a level was skipped.
    pub(crate) fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The headings above text that goes on with `rest`, its own first line among them when that is one.
    pub(crate) fn path_at(&self, rest: &str) -> Vec<String> {
        let mut here = self.clone();
        if here.line.trim().is_empty() && here.fence.is_none() {
            let line = rest.split('\n').next().unwrap_or_default();
            here.line.clear();
            here.append(line);
            here.end_line();
        }
        here.levels.retain(|heading| !heading.is_empty());
        here.levels
    }

    /// Moves on past `text`.
    pub(crate) fn pass(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            self.append(line.trim_end_matches('\n'));
            if line.ends_with('\n') {
                self.end_line();
            }
        }
    }

    /// The parts of `text`, which comes next, that stand within fenced code.
    pub(crate) fn fences(&self, text: &str) -> Vec<Range<usize>> {
        let (mut here, mut at, mut found) = (self.clone(), 0, Vec::<Range<usize>>::new());
        for line in text.split_inclusive('\n') {
            let was_open = here.fence.is_some();
            here.pass(line);
            if was_open || here.fence.is_some() {
                match found.last_mut() {
                    Some(last) if last.end == at && was_open => last.end = at + line.len(),
                    _ => found.push(at..at + line.len()),
                }
            }
            at += line.len();
        }
        found
    }

    fn append(&mut self, part: &str) {
        let room = (MAX_LINE + 1).saturating_sub(self.line.len());
        self.line
            .push_str(part.split_at(part.floor_char_boundary(room)).0);
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_start_matches(' ');
        // Four blanks make a line code.
        if line.len() - text.len() > 3 {
            return;
        }
        match (self.fence, fence(text)) {
            (Some(open), Some((mark, info)))
                if mark.mark == open.mark && mark.length >= open.length && info.trim().is_empty() =>
            {
                self.fence = None;
            }
            (None, Some((mark, _))) => self.fence = Some(mark),
            (None, None) if line.len() <= MAX_LINE => {
                if let Some((level, heading)) = heading(text) {
                    self.levels.resize(level - 1, String::new());
                    self.levels.push(heading.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The fence that a line begins with, and what follows it.
fn fence(line: &str) -> Option<(Fence, &str)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    // Inline code is written with backticks too.
    let opens = length >= 3 && !(mark == '`' && info.contains('`'));
    opens.then_some((Fence { mark, length }, info))
}

/// The level and the text of a heading line.
pub(crate) fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    if !(1..=6).contains(&level) || !(text.is_empty() || text.starts_with([' ', '\t'])) {
        return None;
    }
    let text = text.trim();
    let closed = text.trim_end_matches('#');
    // Closing marks stand apart: `# C#` is about C#.
    let text = if closed.is_empty() || closed.ends_with([' ', '\t']) {
        closed.trim_end()
    } else {
        text
    };
    Some((level, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Vec<String> {
        let mut outline = Outline::default();
        outline.pass(text);
        outline.path_at("")
    }

    #[test]
    fn a_heading_closes_those_of_its_level_and_below() {
        assert_eq!(after("# A\n## B\n### C\ntext\n"), ["A", "B", "C"]);
        assert_eq!(after("# A\n## B\n### C\n## D ##\n"), ["A", "D"]);
        assert_eq!(after("### C\n# A\n"), ["A"]);
        assert_eq!(after("## B\n### C\n## D\n"), ["D"]);
        assert_eq!(after("# C#\n#no heading\n####### seven\n    # code\n"), ["C#"]);
    }

    #[test]
    fn code_has_no_headings() {
        assert_eq!(after("# A\n```sh\n# comment\n```\n"), ["A"]);
        assert_eq!(after("# A\n~~~~\n```\n# x\n~~~\n# y\n~~~~\n## B\n"), ["A", "B"]);
        assert_eq!(after("``` inline ` code\n# A\n"), ["A"]);
    }

    #[test]
    fn a_heading_may_come_in_pieces() {
        let mut outline = Outline::default();
        for piece in ["text\n#", "# Se", "ction\nmore"] {
            outline.pass(piece);
        }
        assert_eq!(outline.levels(), ["", "Section"]);
        assert_eq!(outline.path_at(" text"), ["Section"]);
    }

    #[test]
    fn text_that_begins_with_a_heading_stands_below_it() {
        let mut outline = Outline::resume(&["A".into(), "B".into()]);
        outline.pass("text\n\n");
        assert_eq!(outline.path_at("## C\ntext"), ["A", "C"]);
        outline.pass("a line that goes ");
        assert_eq!(outline.path_at("# on"), ["A", "B"]);
    }

    #[test]
    fn fences_are_known_by_their_place() {
        let text = "a\n```\nb\n```\nc\n~~~\nd";
        let fences = Outline::default().fences(text);
        let inside: Vec<&str> = fences.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(inside, ["```\nb\n```\n", "~~~\nd"]);
    }

    #[test]
    fn an_endless_line_is_not_kept() {
        let mut outline = Outline::default();
        outline.pass(&"# x".repeat(10_000));
        assert!(outline.line.len() <= MAX_LINE + 1);
        outline.pass("\n");
        assert!(outline.levels().is_empty());
    }
}
