use std::borrow::Cow;
use std::io::{ErrorKind, Read};
use std::time::Duration;

use crate::{HttpError, Patience, StreamResponse};

/// An event of a `text/event-stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// Its type; `message` when none is named.
    pub event: Cow<'static, str>,
    /// Its data, lines joined by `\n`.
    pub data: String,
}

/// Reads server-sent events from a body as the WHATWG HTML standard says (section 9.2.6): lines end in LF, CR or CRLF,
/// comments and unknown fields are passed over, and an event without its closing empty line is dropped. The fields
/// `id` and `retry` are of no use here and ignored.
///
/// A stream may be kept alive by comments and still say nothing: [`SseReader::next_within`] bounds the wait for an
/// event, whatever else comes.
///
/// # Examples
/// ```
/// use tenantry_http_client::SseReader;
///
/// let body = "data: {\"a\":1}\n\n: keep-alive\n\ndata: [DONE]\n\n";
/// let events = SseReader::new(body.as_bytes()).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(events[0].data, "{\"a\":1}");
/// assert_eq!(events[1].data, "[DONE]");
/// # Ok::<(), tenantry_http_client::HttpError>(())
/// ```
#[derive(Debug)]
pub struct SseReader<R> {
    source: R,
    patience: Patience,
    buffer: Vec<u8>,
    /// What of `buffer` is not yet looked at.
    unread: std::ops::Range<usize>,
    line: Vec<u8>,
    /// The last line ended in CR, so that an LF right after it belongs to it.
    after_cr: bool,
    first_line: bool,
    event: String,
    data: Option<String>,
    limit: usize,
    ended: bool,
}

/// Some events; streams are many, and below this buffer there is the one of the connection.
const BUFFER: usize = 2 << 10;
/// The longest line whose memory is kept for the next one.
const KEPT_LINE: usize = 16 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: Read> SseReader<R> {
    /// The longest line and the most data of one event unless the caller says otherwise: 1 MiB.
    pub const DEFAULT_LIMIT: usize = 1 << 20;

    /// Reads events from `source`.
    pub fn new(source: R) -> Self {
        Self::limited(source, Self::DEFAULT_LIMIT)
    }

    /// Reads events whose lines and data have at most `limit` bytes each.
    pub fn limited(source: R, limit: usize) -> Self {
        Self {
            source,
            patience: Patience::new(),
            buffer: vec![0; BUFFER],
            unread: 0..0,
            line: Vec::new(),
            after_cr: false,
            first_line: true,
            event: String::new(),
            data: None,
            limit,
            ended: false,
        }
    }

    /// Waits for the next event for `at_most`, however many comments and unfinished events come meanwhile; `None` at the
    /// end of the stream.
    ///
    /// The wait is exact for a reader made of a [`StreamResponse`]. Any other source is not interrupted: the time is
    /// looked at whenever its bytes come.
    ///
    /// # Errors
    /// [`HttpError::Timeout`] when no event came in time, which ends the stream; else as [`SseReader::next`].
    pub fn next_within(&mut self, at_most: Duration) -> Option<Result<SseEvent, HttpError>> {
        self.patience.limit(at_most);
        let next = self.next();
        self.patience.lift();
        next
    }

    fn next_event(&mut self) -> Result<Option<SseEvent>, HttpError> {
        loop {
            if self.unread.is_empty() && !self.fill()? {
                return Ok(None);
            }
            if !self.take_line()? {
                continue;
            }
            let mut line = std::mem::take(&mut self.line);
            let event = self.accept(&line)?;
            if line.capacity() <= KEPT_LINE {
                line.clear();
                self.line = line;
            }
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads more bytes; says whether any came.
    fn fill(&mut self) -> Result<bool, HttpError> {
        loop {
            if self.patience.left().is_some_and(|left| left.is_zero()) {
                return Err(HttpError::Timeout);
            }
            match self.source.read(&mut self.buffer) {
                Ok(count) => {
                    self.unread = 0..count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(HttpError::from_io(error)),
            }
        }
    }

    /// Moves bytes from the buffer to the line; says whether the line is complete.
    fn take_line(&mut self) -> Result<bool, HttpError> {
        let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        if std::mem::take(&mut self.after_cr) && unread.first() == Some(&b'\n') {
            self.unread.start += 1;
            return Ok(false);
        }
        let end = unread.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let piece = unread.get(..end.unwrap_or(unread.len())).unwrap_or_default();
        if self.line.len() + piece.len() > self.limit {
            return Err(self.too_large());
        }
        self.line.extend_from_slice(piece);
        self.after_cr = end.is_some_and(|end| unread.get(end) == Some(&b'\r'));
        self.unread.start += piece.len() + usize::from(end.is_some());
        Ok(end.is_some())
    }

    /// Takes a line in; gives an event when the line ends one.
    fn accept(&mut self, line: &[u8]) -> Result<Option<SseEvent>, HttpError> {
        let first = std::mem::take(&mut self.first_line);
        let line = if first {
            line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let event = if event.is_empty() {
                Cow::Borrowed("message")
            } else {
                Cow::Owned(event)
            };
            return Ok(self.data.take().map(|data| SseEvent { event, data }));
        }
        // Only now, so that a character split between two reads is whole.
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => match &mut self.data {
                Some(data) if data.len() + value.len() >= self.limit => return Err(self.too_large()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        Ok(None)
    }

    fn too_large(&self) -> HttpError {
        HttpError::TooLarge {
            limit: u64::try_from(self.limit).unwrap_or(u64::MAX),
        }
    }
}

impl From<StreamResponse> for SseReader<Box<dyn Read + Send>> {
    fn from(answer: StreamResponse) -> Self {
        Self {
            patience: answer.patience,
            ..Self::new(answer.body)
        }
    }
}

impl<R: Read> Iterator for SseReader<R> {
    type Item = Result<SseEvent, HttpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_event().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Answer, Cancel, MemoryTransport, Method, Piece, Request, Transport, Trust};

    /// Gives its bytes in pieces of the lengths named, then the rest.
    struct InPieces<'a>(&'a [u8], Vec<usize>);

    impl Read for InPieces<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let wanted = self.1.pop().unwrap_or(self.0.len()).max(1);
            let count = wanted.min(self.0.len()).min(buf.len());
            let (now, later) = self.0.split_at(count);
            buf[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn read(bytes: &[u8], pieces: Vec<usize>) -> Vec<SseEvent> {
        SseReader::new(InPieces(bytes, pieces))
            .collect::<Result<_, _>>()
            .unwrap()
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let events = read(text.as_bytes(), Vec::new());
        let events = events
            .iter()
            .map(|e| (e.event.as_ref(), e.data.as_str()))
            .collect::<Vec<_>>();
        assert_eq!(events, expected, "{text:?}");
    }

    #[test]
    fn every_line_end_ends_a_line() {
        for end in ["\n", "\r", "\r\n"] {
            let text = "data: a\ndata: b\n\nevent: x\ndata: c\n\n".replace('\n', end);
            check(&text, &[("message", "a\nb"), ("x", "c")]);
        }
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        check("data:a\ndata:  b\n\n", &[("message", "a\n b")]);
        check(
            "data\n\ndata\ndata\n\ndata:",
            &[("message", ""), ("message", "\n")],
        );
        check(
            ":\n: comment\nid: 1\nretry: 5\nunknown: x\ndata: a\n\n",
            &[("message", "a")],
        );
        check("event: error\n\ndata: a\n\n", &[("message", "a")]);
        check("\u{feff}data: a\n\n\u{feff}data: b\n\n", &[("message", "a")]);
        check(" data: a\n\nDATA: b\n\n", &[]);
    }

    #[test]
    fn an_event_without_its_empty_line_is_dropped() {
        check("data: a\n\ndata: b\n", &[("message", "a")]);
        check("data: b", &[]);
    }

    #[test]
    fn broken_utf_8_is_replaced() {
        assert_eq!(read(b"data: a\xff\n\n", Vec::new())[0].data, "a\u{fffd}");
    }

    #[test]
    fn a_line_and_an_event_have_a_limit() {
        let check = |text: String| {
            let mut events = SseReader::limited(text.as_bytes(), 20);
            assert!(matches!(
                events.next(),
                Some(Err(HttpError::TooLarge { limit: 20 }))
            ));
            assert!(events.next().is_none());
        };
        check("x".repeat(21));
        check("data: 12345\n".repeat(5));
        check("data:\n".repeat(25));
    }

    #[test]
    fn a_carriage_return_ends_an_event_before_the_next_byte_comes() {
        struct Endless<'a>(&'a [u8]);
        impl Read for Endless<'_> {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                assert!(!self.0.is_empty(), "more was read than the event has");
                self.0.read(buf)
            }
        }
        let mut events = SseReader::new(Endless(b"data: a\r\r"));
        assert_eq!(events.next().unwrap().unwrap().data, "a");
    }

    #[test]
    fn an_error_of_the_body_is_passed_on_once() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(HttpError::Timeout.into())
            }
        }
        let mut events = SseReader::new(Failing);
        assert!(matches!(events.next(), Some(Err(HttpError::Timeout))));
        assert!(events.next().is_none());
    }

    #[test]
    fn each_wait_for_an_event_begins_anew() {
        let event = Piece::Bytes(b"data: a\n\n".to_vec());
        let pause = || Piece::Pause(Duration::from_secs(10));
        let pieces = [pause(), event.clone(), pause(), event.clone(), pause(), pause()];
        let upstream = MemoryTransport::new(move |_| Ok(Answer::new(200).pieces(pieces.clone())));
        let url = "http://upstream.test/".parse().unwrap();
        let request = Request::new(Method::Get, url, Trust::Operator);
        let mut events = SseReader::from(upstream.stream(&request, &Cancel::new()).unwrap());
        let mut wait = || events.next_within(Duration::from_secs(15));
        assert_eq!(wait().unwrap().unwrap().data, "a");
        assert_eq!(wait().unwrap().unwrap().data, "a");
        assert!(matches!(wait(), Some(Err(HttpError::Timeout))));
    }

    #[test]
    fn the_time_is_looked_at_whenever_a_source_of_bytes_alone_gives_some() {
        struct Comments;
        impl Read for Comments {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                Read::read(&mut &b":\n"[..], buf)
            }
        }
        let next = SseReader::new(Comments).next_within(Duration::from_millis(20));
        assert!(matches!(next, Some(Err(HttpError::Timeout))));
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_events(
            text in "(data: ?|event: ?|:|[a-zé€😀]{1,5}|\\r|\\n|\\r\\n|\\n\\n|\u{feff}){0,40}",
            pieces in proptest::collection::vec(1_usize..7, 0..80),
        ) {
            prop_assert_eq!(read(text.as_bytes(), pieces), read(text.as_bytes(), Vec::new()));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>, pieces in proptest::collection::vec(1_usize..9, 0..50)) {
            drop(read(&bytes, pieces));
        }
    }
}
