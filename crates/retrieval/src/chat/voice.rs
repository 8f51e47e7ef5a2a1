//! What an answer says on its way to the reader.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use tenantry_domain::AllowedHosts;

use crate::output::OutputFilter;

/// Takes each piece of text; breaks to stop.
pub(super) type OnDelta<'d> = dyn FnMut(&str) -> ControlFlow<()> + 'd;

/// Hands text out, and keeps it as it was handed out.
#[derive(Debug)]
pub(super) struct Voice {
    /// `None` once the model has ended.
    filter: Option<OutputFilter>,
    text: String,
    cited: BTreeSet<usize>,
    /// Whether the reader wants no more.
    stopped: bool,
}

impl Voice {
    /// Says nothing yet.
    pub(super) fn new() -> Self {
        Self {
            filter: None,
            text: String::new(),
            cited: BTreeSet::new(),
            stopped: false,
        }
    }

    /// From now on a model speaks, which may cite `passages` passages and link to `allowed` hosts.
    pub(super) fn begin(&mut self, passages: usize, allowed: AllowedHosts) {
        self.filter = Some(OutputFilter::new(passages, allowed));
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text, which is asked for no more.
    pub(super) fn take_text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Whether the text has `[number]` as a marker.
    pub(super) fn cites(&self, number: u16) -> bool {
        // A marker that was held back when the reader left is not in the text.
        self.cited.contains(&usize::from(number)) && self.text.contains(&format!("[{number}]"))
    }

    /// Whether it has any marker.
    pub(super) fn cites_anything(&self) -> bool {
        !self.cited.is_empty()
    }

    /// Hands out what may be shown of a model's next piece.
    pub(super) fn pass(&mut self, delta: &str, on_delta: &mut OnDelta<'_>) -> ControlFlow<()> {
        let Some(filter) = &mut self.filter else {
            return ControlFlow::Break(());
        };
        // No store keeps U+0000.
        let shown = if delta.contains('\0') {
            filter.push(&delta.replace('\0', ""))
        } else {
            filter.push(delta)
        };
        self.say(&shown, on_delta)
    }

    /// Ends what the model says: hands out what was held back of it.
    pub(super) fn end(&mut self, on_delta: &mut OnDelta<'_>) -> ControlFlow<()> {
        let Some(filter) = self.filter.take() else {
            return ControlFlow::Continue(());
        };
        let finished = filter.finish();
        self.cited = finished.cited;
        if self.stopped {
            return ControlFlow::Break(());
        }
        self.say(&finished.rest, on_delta)
    }

    /// Hands out a text of our own.
    pub(super) fn say(&mut self, text: &str, on_delta: &mut OnDelta<'_>) -> ControlFlow<()> {
        if text.is_empty() {
            return ControlFlow::Continue(());
        }
        self.text.push_str(text);
        let flow = on_delta(text);
        self.stopped = flow.is_break();
        flow
    }
}
