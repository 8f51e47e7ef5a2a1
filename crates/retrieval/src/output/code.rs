//! What is code for every renderer, and so stays as it is.
//!
//! - A code span that closes on its line, where no cell of a table, no formula and no text of a link could
//!   begin or end within it.
//! - A fenced block. An opening fence within a list item is known by its column alone: lines that are indented less may or may
//!   not end the item and with it the block, so from such a line on no code is trusted any more. The same goes for a fence that
//!   stands behind the mark of a list item or a quote.
//! - What stands behind a fence that names a language which is drawn rather than shown is still code, by another name: `text`.
//!
//! Backticks that open nothing are escaped, so that those that do open something do so for every renderer.

use super::look::{Look, Wait};

/// The longest code span, in bytes; a longer one is read as text.
const SPAN: usize = 1024;
/// The longest line that opens or closes a block.
const FENCE: usize = 256;

/// What chat pages, wikis and notebooks do not show as code but draw, preview or run, by the first word behind the fence: a picture
/// in a diagram or a page is fetched like any other.
const DRAWN: [&str; 40] = [
    "abc",
    "asciimath",
    "bpmn",
    "chart",
    "chartjs",
    "d2",
    "dataview",
    "dataviewjs",
    "ditaa",
    "dot",
    "echarts",
    "embed",
    "excalidraw",
    "flow",
    "flowchart",
    "geojson",
    "graphviz",
    "htm",
    "html",
    "iframe",
    "katex",
    "kroki",
    "latex",
    "markmap",
    "math",
    "mermaid",
    "mindmap",
    "nomnoml",
    "plantuml",
    "plotly",
    "puml",
    "sequence",
    "svg",
    "tex",
    "topojson",
    "vega",
    "vega-lite",
    "wavedrom",
    "xhtml",
    "xml",
];

/// Whether somebody draws what stands behind a fence with that `info`: what is in braces are attributes, which may name anything.
pub(super) fn is_drawn(info: &str) -> bool {
    let word = info.split_whitespace().next().unwrap_or_default();
    let word = word
        .split([',', ':', ';'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    info.contains('{') || DRAWN.contains(&word.as_str())
}

/// An open block of code, as `CommonMark` 0.31 section 4.5 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) mark: char,
    pub(super) length: usize,
    pub(super) column: usize,
}

/// Where renderers may differ about what is code.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubt {
    /// About blocks, from here to the end.
    pub(super) blocks: bool,
    /// About spans.
    pub(super) paragraph: Paragraph,
}

/// What has been read of a paragraph that makes renderers differ about code spans.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paragraph {
    /// Whether they do from here on.
    pub(super) differs: bool,
    /// Whether a formula may have begun: some renderers look for its end before they look for code.
    pub(super) formula: bool,
    /// Whether the text of a link may have begun: the same goes for that.
    pub(super) link: bool,
}

/// Whether a line closes a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    Closes,
    /// That depends on where the list item around it begins.
    Perhaps,
    No,
}

/// How many of `mark` the text begins with.
pub(super) fn run(rest: &str, mark: char) -> usize {
    rest.len() - rest.trim_start_matches(mark).len()
}

/// The length of the line that opens a block with `length` marks at its beginning, without its end.
pub(super) fn look_at_fence(rest: &str, mark: char, length: usize, ended: bool) -> Look<usize> {
    let info = rest.get(length..).unwrap_or_default();
    let stops = |c: char| c == '\n' || (c == '`' && mark == '`');
    match info.find(stops) {
        Some(at) if info.get(at..).is_some_and(|end| end.starts_with('\n')) && at <= FENCE => {
            Look::Is(length + at)
        }
        Some(_) => Look::No,
        None if ended && info.len() <= FENCE => Look::Is(rest.len()),
        None => {
            let wakes = |byte| matches!(byte, b'\n' | b'`');
            Look::undecided(rest, ended, Wait::until(wakes, length + FENCE + 1))
        }
    }
}

/// The length of the code span that begins with a run of `length` backticks and closes on its line.
pub(super) fn look_at_span(rest: &str, length: usize, ended: bool) -> Look<usize> {
    let mut at = length;
    loop {
        let ahead = rest.get(at..).unwrap_or_default();
        let Some(next) = ahead.find(['`', '\n']) else {
            let wakes = |byte| matches!(byte, b'\n' | b'`');
            return Look::undecided(rest, ended, Wait::until(wakes, SPAN));
        };
        at += next;
        let closing = run(ahead.get(next..).unwrap_or_default(), '`');
        if closing == 0 {
            return Look::No;
        }
        at += closing;
        if at >= SPAN {
            return Look::No;
        }
        if at == rest.len() && !ended {
            // The run may go on.
            return Look::Wait(Wait::NEXT);
        }
        if closing == length {
            return Look::Is(at);
        }
    }
}

impl Fence {
    /// Whether the line that goes on with `rest` at `column` closes this block, and its length up to its end.
    pub(super) fn look_at_closing(self, rest: &str, column: usize, ended: bool) -> Look<(usize, Closing)> {
        let near = rest.get(..rest.floor_char_boundary(FENCE)).unwrap_or_default();
        let length = run(near, self.mark);
        let blanks = near.get(length..).unwrap_or_default();
        let after = blanks.trim_start_matches([' ', '\t']);
        let whole = near.len() - after.len();
        if after.is_empty() && near.len() == rest.len() && rest.len() < FENCE && !ended {
            return Look::Wait(Wait::until(|byte| !matches!(byte, b' ' | b'\t'), FENCE));
        }
        let ends = after.is_empty() || after.starts_with('\n');
        let closing = match () {
            () if length < self.length || !ends => Closing::No,
            () if after.is_empty() && near.len() < rest.len() => Closing::Perhaps,
            () if column <= self.column.max(3) => Closing::Closes,
            () if column <= self.column + 3 => Closing::Perhaps,
            () => Closing::No,
        };
        Look::Is((whole, closing))
    }
}
