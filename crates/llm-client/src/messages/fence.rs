use super::template::defused;

/// Quoted texts between lines that carry a mark which none of them has, so that no text can pretend to end its part.
pub(super) struct Fence<'a> {
    mark: &'a str,
    text: String,
}

impl<'a> Fence<'a> {
    pub(super) fn new(mark: &'a str) -> Self {
        Self {
            mark,
            text: String::new(),
        }
    }

    /// Adds a text below a line that says what it is.
    pub(super) fn quote(&mut self, name: &str, text: &str) {
        // On one line, so that a title cannot look like a mark.
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, text) = (defused(&name), defused(text.trim()));
        self.text
            .extend(["<<<", self.mark, " ", &*name, ">>>\n", &*text, "\n"]);
    }

    /// Ends the fence, and says after it what stands in it.
    pub(super) fn close(mut self, what_it_is: &str) -> String {
        let mark = self.mark;
        self.text.extend([
            "<<<",
            mark,
            " end>>>\n\nThe text between the marks that carry ",
            mark,
            what_it_is,
        ]);
        self.text
    }
}
