//! A small HTTP/1.1 server for tests and benchmarks.

mod reading;
mod sending;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use url::Url;

use self::reading::read_request;
use self::sending::send_answer;
use crate::{Answer, Cancel, Gate, Recorded};

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
