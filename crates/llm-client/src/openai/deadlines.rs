use std::time::{Duration, Instant};

use super::CompletionDeadlines;
use crate::{Prompt, Task};

/// For an answer in one piece, of which nothing is heard until it is whole.
const WHOLE: Duration = Duration::from_mins(2);
/// For what comes after the end of the text, as the usage; some servers neither send it nor close the connection.
const LAST_WORD: Duration = Duration::from_secs(5);

impl CompletionDeadlines {
    /// These deadlines, or what `prompt` leaves of them. A query that is not whole when an answer would have begun comes too
    /// late, unless the prompt says how long it may take.
    pub(super) fn of(self, prompt: &Prompt) -> Self {
        let shorter = |own: Duration, left: Option<Duration>| left.map_or(own, |left| left.min(own));
        let first_token = shorter(self.first_token, prompt.budget.first_token);
        let total = match (prompt.task, prompt.budget.total) {
            (Task::Rewrite, None) => self.total.min(first_token),
            (_, left) => shorter(self.total, left),
        };
        Self {
            first_token: first_token.min(total),
            total,
            ..self
        }
    }

    pub(super) fn of_whole_answer(self) -> Duration {
        self.total.min(WHOLE)
    }

    /// The longest silence of a connection that either of both allows.
    pub(super) fn silence(self) -> Duration {
        self.first_token.max(self.between_tokens)
    }
}

/// When the next token has to be there.
pub(super) struct NextToken {
    due: Option<Instant>,
    between: Duration,
}

impl NextToken {
    /// The first token of an answer that is asked for now.
    pub(super) fn first(deadlines: CompletionDeadlines) -> Self {
        Self {
            due: Instant::now().checked_add(deadlines.first_token),
            between: deadlines.between_tokens,
        }
    }

    /// A token came, and has been dealt with.
    pub(super) fn came(&mut self) {
        self.due = Instant::now().checked_add(self.between);
    }

    /// The text has come to its end.
    pub(super) fn is_not_needed(&mut self) {
        self.due = Instant::now().checked_add(self.between.min(LAST_WORD));
    }

    /// How long it may be waited for.
    pub(super) fn left(&self) -> Duration {
        // What no clock can count to never comes.
        self.due
            .map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }
}
