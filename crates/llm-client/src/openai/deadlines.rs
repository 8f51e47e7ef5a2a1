use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use tenantry_http_client::HttpError;

use super::CompletionDeadlines;
use crate::{Prompt, Task};

/// For an answer in one piece, of which nothing is heard until it is whole.
const WHOLE: Duration = Duration::from_mins(2);

impl CompletionDeadlines {
    /// These deadlines, or what `prompt` leaves of them. A query that is not there when an answer would have begun comes too late.
    pub(super) fn of(self, prompt: &Prompt) -> Self {
        let first_token = prompt
            .budget
            .first_token
            .map_or(self.first_token, |left| left.min(self.first_token));
        let total = prompt
            .budget
            .total
            .map_or(self.total, |left| left.min(self.total));
        Self {
            first_token,
            total: match prompt.task {
                Task::Answer => total,
                Task::Rewrite => total.min(first_token),
            },
            ..self
        }
    }

    pub(super) fn of_whole_answer(self) -> Duration {
        self.total.min(WHOLE)
    }

    /// The longest silence of a connection. The shorter deadline is kept as soon as anything comes.
    pub(super) fn silence(self) -> Duration {
        self.first_token.max(self.between_tokens)
    }
}

/// The moment by which the next token has to be there.
pub(super) struct NextToken {
    by: Cell<Option<Instant>>,
    between: Duration,
}

impl NextToken {
    pub(super) fn after(started: Instant, deadlines: CompletionDeadlines) -> Self {
        Self {
            by: Cell::new(started.checked_add(deadlines.first_token)),
            between: deadlines.between_tokens,
        }
    }

    /// A token came, and has been dealt with.
    pub(super) fn came(&self) {
        self.by.set(Instant::now().checked_add(self.between));
    }
}

/// A body that ends in [`HttpError::Timeout`] when bytes come after the next token is due: servers keep connections alive by
/// bytes that are no tokens.
pub(super) struct Timed<'a, R> {
    pub(super) body: R,
    pub(super) due: &'a NextToken,
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buf)?;
        let late = self.due.by.get().is_some_and(|by| Instant::now() >= by);
        // The end is no byte: what came in time is judged for itself.
        if late && count > 0 {
            return Err(HttpError::Timeout.into());
        }
        Ok(count)
    }
}
