use super::{Draft, Line, Open};

impl Draft {
    /// Adds the beginning of what may be a link or an image.
    pub(in crate::output) fn open(&mut self, is_image: bool) {
        self.open.push(Open {
            at: self.text.len(),
            is_image,
            line: self.line,
        });
        self.label.open |= self.begins_line();
        self.add(if is_image { "![" } else { "[" });
    }

    /// Adds a `]` that ends no link.
    pub(in crate::output) fn close(&mut self) {
        self.open.pop();
        self.label.closed = std::mem::take(&mut self.label.open);
        self.add("]");
    }

    /// Adds a `]` that ends a link to an allowed host, and its `destination`.
    pub(in crate::output) fn link(&mut self, destination: &str) {
        self.close();
        self.add_address(destination);
    }

    /// What stands in the innermost open bracket, with its beginning, and whether it began the line.
    pub(in crate::output) fn in_bracket(&self) -> Option<(&str, bool)> {
        let open = self.open.last().filter(|open| !open.is_image)?;
        Some((self.text.get(open.at..)?, open.line != Line::Text))
    }

    /// Takes back the innermost open bracket with what stands in it.
    pub(in crate::output) fn take_bracket_back(&mut self) {
        if let Some(open) = self.open.pop() {
            self.text.truncate(open.at);
            self.line = open.line;
        }
    }

    /// Adds a marker.
    pub(in crate::output) fn add_marker(&mut self, number: usize) {
        self.label.closed = self.begins_line();
        self.label.open = false;
        self.add(&format!("[{number}]"));
    }

    /// Ends a link or image that may not be: it becomes its text, and a link also names its `target`.
    pub(in crate::output) fn unlink(&mut self, target: Option<&str>) {
        let Some(open) = self.open.pop() else {
            self.close();
            self.name(target);
            return;
        };
        let mark = if open.is_image { 2 } else { 1 };
        let (before, linked) = self.text.split_at(open.at);
        let linked = linked.get(mark..).unwrap_or_default();
        let is_named = open.is_image || target.is_some_and(|target| linked.contains(target));
        if linked.is_empty() {
            self.text.truncate(open.at);
            self.line = open.line;
        } else {
            let joins = before.chars().next_back().is_some_and(may_join);
            self.text
                .replace_range(open.at..open.at + mark, if joins { " " } else { "" });
        }
        self.name(target.filter(|_| !is_named));
    }

    fn name(&mut self, target: Option<&str>) {
        if let Some(target) = target {
            let apart = self.last().is_some_and(|last| !last.is_whitespace());
            self.add(if apart { " (" } else { "(" });
            self.add(target);
            self.add(")");
        } else {
            self.gap.removed = true;
        }
    }
}

/// Whether a character before a bracket that goes could form something new with what stands in the bracket, as `ht` and
/// `tp:`.
fn may_join(before: char) -> bool {
    before.is_ascii()
        && !before.is_ascii_whitespace()
        && !matches!(before, '(' | '[' | '*' | '_' | '"' | '\'' | ',' | ';')
}
