//! A small HTTP/1.1 server for tests and benchmarks.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use url::Url;

use crate::answer::{Answer, AnswerBody, Gate, Piece};
use crate::{Cancel, Recorded};

const MAX_HEAD: u64 = 64 << 10;
const MAX_BODY: u64 = 64 << 20;

/// A real HTTP/1.1 server on a free port of the loopback interface, one thread a connection, keep-alive. A closure
/// answers; every request is kept for assertions. Dropping the server closes every connection.
///
/// # Examples
/// ```
/// use tenantry_http_client::{Answer, Method, Request, StubServer, Transport, Trust, UreqTransport};
///
/// let upstream = StubServer::start(|request| Answer::new(200).body(request.path()));
/// let request = Request::new(Method::Get, upstream.url("/up?x=1"), Trust::Operator);
/// assert_eq!(UreqTransport::new().send(&request)?.body, b"/up");
/// assert_eq!(upstream.requests()[0].target, "/up?x=1");
/// # Ok::<(), tenantry_http_client::HttpError>(())
/// ```
pub struct StubServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Box<dyn Fn(&Recorded) -> Answer + Send + Sync>,
    records: bool,
    requests: Mutex<Vec<Recorded>>,
    sockets: Mutex<HashMap<usize, TcpStream>>,
    connections: AtomicUsize,
    stopping: AtomicBool,
    stop: Cancel,
    client_left: Gate,
}

impl StubServer {
    /// Starts a server that answers by `handler` and records every request.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn start(handler: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        Self::launch(Box::new(handler), true)
    }

    /// Starts a server that records nothing, for benchmarks.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn unrecorded(handler: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        Self::launch(Box::new(handler), false)
    }

    #[expect(
        clippy::expect_used,
        reason = "a test without its server has nothing to report but this"
    )]
    fn launch(handler: Box<dyn Fn(&Recorded) -> Answer + Send + Sync>, records: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            handler,
            records,
            requests: Mutex::default(),
            sockets: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            stop: Cancel::new(),
            client_left: Gate::new(),
        });
        let accepting = {
            let shared = shared.clone();
            std::thread::spawn(move || accept(&listener, &shared))
        };
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path with its query on this server.
    ///
    /// # Panics
    /// When `target` makes no URL.
    #[expect(clippy::expect_used, reason = "a wrong path is a mistake in the test")]
    pub fn url(&self, target: &str) -> Url {
        Url::parse(&format!("http://{}{target}", self.address)).expect("a path makes a url")
    }

    /// The requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.requests).clone()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Opens when a client left in the middle of an answer.
    pub fn client_left(&self) -> &Gate {
        &self.shared.client_left
    }

    /// Closes every open connection; new ones are still accepted.
    pub fn close_connections(&self) {
        for (_, socket) in lock(&self.shared.sockets).drain() {
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for StubServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.stop.cancel();
        // The listener is blocked in accept: one more connection wakes it.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        self.close_connections();
    }
}

impl fmt::Debug for StubServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let id = shared.connections.fetch_add(1, Ordering::SeqCst);
        if let Ok(clone) = stream.try_clone() {
            lock(&shared.sockets).insert(id, clone);
        }
        let shared = shared.clone();
        std::thread::spawn(move || {
            // A client that breaks off is the test's business, not the server's.
            drop(serve(&stream, &shared));
            drop(stream.shutdown(Shutdown::Both));
            lock(&shared.sockets).remove(&id);
        });
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let answer = (shared.handler)(&request);
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if shared.records {
            lock(&shared.requests).push(request);
        }
        if !send_answer(stream, shared, answer)? || last {
            break;
        }
    }
    Ok(())
}

/// Reads one request; `None` when the client has closed the connection instead.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Recorded>> {
    let mut head = reader.by_ref().take(MAX_HEAD);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Recorded {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    request.body = read_body(reader, &request)?;
    Ok(Some(request))
}

fn read_body(reader: &mut impl BufRead, request: &Recorded) -> io::Result<Vec<u8>> {
    if request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return read_chunks(reader);
    }
    let length = request.header("content-length").map_or(Ok(0), str::parse::<u64>);
    let length = length.map_err(|_| io::ErrorKind::InvalidData)?;
    read_exactly(reader, length)
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.by_ref().take(1 << 10).read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        body.extend(read_exactly(reader, length)?);
        reader.by_ref().take(2).read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn read_exactly(reader: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let count = reader.by_ref().take(length).read_to_end(&mut bytes)?;
    if u64::try_from(count).is_ok_and(|count| count == length) {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Sends an answer; says whether the connection can carry another one.
fn send_answer(stream: &TcpStream, shared: &Shared, answer: Answer) -> io::Result<bool> {
    let mut exchange = Exchange { stream, shared };
    for piece in answer.before_head {
        if !matches!(piece, Piece::Bytes(_)) && !exchange.play(piece)? {
            return Ok(false);
        }
    }
    let mut head = format!("HTTP/1.1 {} Stub\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    match answer.body {
        AnswerBody::Raw(bytes) => exchange.write(&bytes).map(|()| false),
        AnswerBody::Whole(body) => {
            head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
            let mut bytes = head.into_bytes();
            bytes.extend(body);
            exchange.write(&bytes).map(|()| true)
        }
        AnswerBody::Pieces(pieces) => {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            exchange.write(head.as_bytes())?;
            for piece in pieces {
                if !exchange.play(piece)? {
                    return Ok(false);
                }
            }
            exchange.write(b"0\r\n\r\n").map(|()| true)
        }
    }
}

struct Exchange<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
}

impl Exchange<'_> {
    /// Takes one step of an answer; says whether to go on.
    fn play(&mut self, piece: Piece) -> io::Result<bool> {
        match piece {
            Piece::Bytes(bytes) => self.chunk(&bytes).map(|()| true),
            Piece::Pause(pause) => Ok(!self.shared.stop.wait(pause)),
            Piece::Open(gate) => {
                gate.open();
                Ok(true)
            }
            Piece::Wait(gate) => {
                while !gate.wait(Duration::from_millis(50)) {
                    if self.shared.stop.is_cancelled() {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Piece::Hold => {
                // Whatever the client sends now, it is not waited for; the end of its half or an error ends this.
                let mut rest = [0; 256];
                while matches!(self.stream.read(&mut rest), Ok(1..)) {}
                self.shared.client_left.open();
                Ok(false)
            }
            Piece::Trickle { bytes, every } => {
                while !self.shared.stop.wait(every) {
                    self.chunk(&bytes)?;
                }
                Ok(false)
            }
            Piece::Break => Ok(false),
        }
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A chunk of no bytes would end the body.
        if bytes.is_empty() {
            return Ok(());
        }
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        self.write(&framed)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.stream.write_all(bytes);
        if written.is_err() {
            self.shared.client_left.open();
        }
        written
    }
}
