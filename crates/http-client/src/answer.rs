use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An answer that [`crate::MemoryTransport`] gives and a stub server sends.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// What happens between the request and the head of the answer; bytes among it are ignored.
    pub before_head: Vec<Piece>,
    /// The body.
    pub body: AnswerBody,
}

/// The body of an [`Answer`].
#[derive(Debug, Clone)]
pub enum AnswerBody {
    /// Sent at once, with its length.
    Whole(Vec<u8>),
    /// Sent piece by piece, chunked.
    Pieces(Vec<Piece>),
    /// Sent instead of a whole answer, head included, after which the connection is closed.
    Raw(Vec<u8>),
}

/// A step of an answer that comes bit by bit.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Sends nothing for a while; in memory the time passes at once.
    Pause(Duration),
    /// Opens a gate for whoever waits at it.
    Open(Gate),
    /// Waits until a gate is open.
    Wait(Gate),
    /// Sends nothing until the client leaves.
    Hold,
    /// Sends the same bytes again and again until the client leaves.
    Trickle {
        /// The bytes of each time.
        bytes: Vec<u8>,
        /// The pause between two times.
        every: Duration,
    },
    /// Closes the connection in the middle of the answer.
    Break,
}

impl Answer {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            before_head: Vec::new(),
            body: AnswerBody::Whole(Vec::new()),
        }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// A stream of server-sent events, one for each text, each in its own piece.
    pub fn events<T: AsRef<str>>(data: impl IntoIterator<Item = T>) -> Self {
        let pieces = data
            .into_iter()
            .map(|data| Piece::Bytes(format!("data: {}\n\n", data.as_ref()).into()));
        Self::new(200)
            .header("content-type", "text/event-stream")
            .pieces(pieces)
    }

    /// Bytes sent in place of an answer, after which the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            body: AnswerBody::Raw(bytes.into()),
            ..Self::new(200)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the whole body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = AnswerBody::Whole(body.into());
        self
    }

    /// Sets a body that comes piece by piece.
    #[must_use]
    pub fn pieces(mut self, pieces: impl IntoIterator<Item = Piece>) -> Self {
        self.body = AnswerBody::Pieces(pieces.into_iter().collect());
        self
    }

    /// Adds a step before the head is sent.
    #[must_use]
    pub fn before_head(mut self, piece: Piece) -> Self {
        self.before_head.push(piece);
        self
    }
}

/// A point that one thread waits at until another opens it; clones are one gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        let (open, changed) = &*self.0;
        *open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether the gate is open.
    pub fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the gate, at most that long; says whether it is open.
    pub fn wait(&self, at_most: Duration) -> bool {
        let (open, changed) = &*self.0;
        let started = Instant::now();
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            let Some(left) = at_most
                .checked_sub(started.elapsed())
                .filter(|left| !left.is_zero())
            else {
                return false;
            };
            open = changed
                .wait_timeout(open, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("open", &self.is_open()).finish()
    }
}
