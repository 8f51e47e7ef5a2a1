use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::answer::{Answer, AnswerBody, Piece};
use crate::{Cancel, HttpError, Patience, Recorded, Request, Response, StreamResponse, Transport, policy};

/// A transport without a network: a script answers, and every request is kept for assertions. It keeps the rules for
/// URLs, headers and sizes; pauses of an answer count against the deadlines but pass at once.
///
/// # Examples
/// ```
/// use tenantry_http_client::{Answer, MemoryTransport, Method, Request, Transport, Trust};
///
/// let upstream = MemoryTransport::new(|request| Ok(Answer::new(if request.path() == "/up" { 200 } else { 404 })));
/// let url = url::Url::parse("http://upstream.test/up")?;
/// assert_eq!(upstream.send(&Request::new(Method::Get, url, Trust::Operator))?.status, 200);
/// assert_eq!(upstream.requests()[0].path(), "/up");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryTransport {
    script: Box<Script>,
    requests: Mutex<Vec<Recorded>>,
}

type Script = dyn Fn(&Recorded) -> Result<Answer, HttpError> + Send + Sync;

impl MemoryTransport {
    /// A transport that answers every request by `script`.
    pub fn new(script: impl Fn(&Recorded) -> Result<Answer, HttpError> + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            requests: Mutex::default(),
        }
    }

    /// A transport that gives each of `answers` once, in their order, and has no connection after the last.
    pub fn queue(answers: impl IntoIterator<Item = Result<Answer, HttpError>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::new(move |_| {
            let next = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| Err(HttpError::Connect("no answer is left in the script".into())))
        })
    }

    /// The requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn start(&self, request: &Request, cancel: &Cancel) -> Result<(Answer, Playback), HttpError> {
        policy::check(request)?;
        if cancel.is_cancelled() {
            return Err(HttpError::Cancelled);
        }
        let recorded = Recorded::of(request);
        let answer = (self.script)(&recorded);
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(recorded);
        let mut answer = answer?;
        let mut playback = Playback::new(request, cancel.clone());
        for piece in std::mem::take(&mut answer.before_head) {
            playback
                .play(piece, request.deadlines.first_byte)
                .map_err(|error| match error {
                    HttpError::Protocol(cause) => HttpError::Connect(cause),
                    other => other,
                })?;
        }
        playback.ready.clear();
        playback.left = match std::mem::replace(&mut answer.body, AnswerBody::Whole(Vec::new())) {
            AnswerBody::Whole(bytes) => VecDeque::from([Piece::Bytes(bytes)]),
            AnswerBody::Pieces(pieces) => pieces.into(),
            AnswerBody::Raw(_) => return Err(HttpError::Protocol("the answer is not http".into())),
        };
        Ok((answer, playback))
    }
}

impl Transport for MemoryTransport {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let (answer, mut playback) = self.start(request, &Cancel::new())?;
        let mut body = Vec::new();
        playback.read_to_end(&mut body).map_err(HttpError::from_io)?;
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body,
        })
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        let (answer, playback) = self.start(request, cancel)?;
        Ok(StreamResponse {
            status: answer.status,
            headers: answer.headers,
            patience: playback.patience.clone(),
            body: Box::new(playback),
        })
    }
}

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransport")
            .field("requests", &self.requests().len())
            .finish_non_exhaustive()
    }
}

/// Plays the pieces of an answer under the deadlines and limits of its request.
struct Playback {
    left: VecDeque<Piece>,
    ready: VecDeque<u8>,
    cancel: Cancel,
    idle: Duration,
    total: Duration,
    passed: Duration,
    patience: Patience,
    /// The limit that the reader has set, by its number, and when it ends.
    limit: Option<(u64, Duration)>,
    max_answer: u64,
    read: u64,
}

impl Playback {
    fn new(request: &Request, cancel: Cancel) -> Self {
        Self {
            left: VecDeque::new(),
            ready: VecDeque::new(),
            cancel,
            idle: request.deadlines.idle,
            total: request.deadlines.total,
            passed: Duration::ZERO,
            patience: Patience::new(),
            limit: None,
            max_answer: request.max_answer,
            read: 0,
        }
    }

    fn play(&mut self, piece: Piece, patience: Duration) -> Result<(), HttpError> {
        match piece {
            Piece::Bytes(bytes) => self.ready.extend(bytes),
            Piece::Pause(pause) => self.pass(pause, patience)?,
            Piece::Open(gate) => gate.open(),
            Piece::Wait(gate) => {
                while !gate.wait(Duration::from_millis(1)) {
                    self.pass(Duration::from_millis(1), Duration::MAX)?;
                }
            }
            // Nobody else may be there to cancel: wait as long as the caller would, then give up.
            Piece::Hold => {
                self.cancel
                    .wait(patience.min(self.end().saturating_sub(self.passed)));
                self.pass(patience, Duration::ZERO)?;
            }
            Piece::Trickle { bytes, every } => {
                self.pass(every, patience)?;
                self.ready.extend(&bytes);
                self.left.push_front(Piece::Trickle { bytes, every });
            }
            Piece::Break => return Err(HttpError::Protocol("the connection was closed".into())),
        }
        Ok(())
    }

    /// Takes over the limit that the reader has set; a new one begins now.
    fn heed_reader(&mut self) {
        let known = self.limit.map(|(number, _)| number);
        self.limit = match self.patience.current() {
            Some(limit) if known == Some(limit.number) => self.limit,
            Some(limit) => Some((limit.number, self.passed.saturating_add(limit.at_most))),
            None => None,
        };
    }

    fn end(&self) -> Duration {
        self.limit.map_or(self.total, |(_, end)| end.min(self.total))
    }

    fn pass(&mut self, time: Duration, patience: Duration) -> Result<(), HttpError> {
        self.passed = self.passed.saturating_add(time);
        if self.cancel.is_cancelled() {
            Err(HttpError::Cancelled)
        } else if time > patience || self.passed > self.end() {
            Err(HttpError::Timeout)
        } else {
            Ok(())
        }
    }
}

impl Read for Playback {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.heed_reader();
        loop {
            if self.cancel.is_cancelled() {
                return Err(HttpError::Cancelled.into());
            }
            if !self.ready.is_empty() {
                let count = self.ready.read(buf)?;
                self.read = self.read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                if self.read > self.max_answer {
                    return Err(HttpError::TooLarge {
                        limit: self.max_answer,
                    }
                    .into());
                }
                return Ok(count);
            }
            match self.left.pop_front() {
                Some(piece) => self.play(piece, self.idle)?,
                None => return Ok(0),
            }
        }
    }
}
