/// What a look at the text ahead found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look<T> {
    Is(T),
    No,
    Wait(Wait),
}

/// What a step of the filter did with the beginning of the text ahead.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// It is done with that many bytes.
    Took(usize),
    Wait(Wait),
}

/// When a second look at text that is not over is worth it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// The bytes that could decide.
    wakes: fn(u8) -> bool,
    /// The length from which on it is decided in any case.
    up_to: usize,
}

impl PartialEq for Wait {
    fn eq(&self, other: &Self) -> bool {
        self.up_to == other.up_to
    }
}

impl Eq for Wait {}

impl Wait {
    /// Until there is more.
    pub(super) const NEXT: Self = Self {
        wakes: |_| true,
        up_to: 0,
    };

    /// Until one of the bytes, or `up_to` bytes in all.
    pub(super) const fn until(wakes: fn(u8) -> bool, up_to: usize) -> Self {
        Self { wakes, up_to }
    }

    /// The same for a text that begins `length` bytes before.
    pub(super) const fn after(self, length: usize) -> Self {
        let up_to = if self.up_to == 0 { 0 } else { self.up_to + length };
        Self { up_to, ..self }
    }

    /// Whether a look at `tail`, of which `known` bytes were seen, would find nothing new. So a long URL that comes letter by
    /// letter is not read anew at each.
    pub(super) fn goes_on(self, tail: &str, known: usize) -> bool {
        let new = tail.as_bytes().get(known..).unwrap_or_default();
        (tail.len() < self.up_to || new.is_empty()) && !new.iter().any(|byte| (self.wakes)(*byte))
    }
}

impl<T> Look<T> {
    /// The answer where the text ahead ran out undecided.
    pub(super) fn undecided(rest: &str, ended: bool, wait: Wait) -> Self {
        if ended || (wait.up_to > 0 && rest.len() >= wait.up_to) {
            Self::No
        } else {
            Self::Wait(wait)
        }
    }
}
