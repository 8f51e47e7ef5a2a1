//! The server as it runs, on a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::ServiceConfig;

use crate::http::testing::{Backend, Parts};
use crate::offload::{Class, Offload};
use crate::{http, serve};

/// A server on a port of its own, in a thread of its own.
pub(super) struct Live {
    pub(super) backend: Backend,
    pub(super) offload: Offload,
    pub(super) address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    pub(super) fn start(parts: Parts) -> Self {
        Self::serving(parts, |_| {})
    }

    /// With routes that a test adds to ours.
    pub(super) fn serving(parts: Parts, add: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let backend = Backend::new(parts);
        let (settings, offload) = (backend.settings.clone(), backend.offload());
        let routes = http::service(&offload, &settings);
        let service = move |config: &mut ServiceConfig| {
            routes(config);
            add(config);
        };
        let listener = serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (started, starting) = channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let server = serve::server(service, &settings, listener).unwrap();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            backend,
            offload,
            address,
            handle: starting.recv().unwrap(),
            thread: Some(thread),
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends the bytes and reads the answer until the server closes.
    pub(super) fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        rest(&mut stream)
    }

    pub(super) fn request(&self, head: &str) -> String {
        self.exchange(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    /// Waits until no answer is under way, and nothing is held for any.
    pub(super) fn settled(&self) {
        System::new().block_on(async {
            self.offload.underway().ended().await;
            let streams = self.backend.settings.permits.streams;
            self.offload.drain(Class::Stream, streams).await;
        });
        assert_eq!(self.offload.seats().counted(), (0, 0));
    }

    /// Stops as a SIGTERM has it.
    pub(super) fn terminate(&self) {
        System::new().block_on(async {
            serve::end_answers(self.offload.underway()).await;
            self.handle.stop(true).await;
        });
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // The order is given by the call; it is carried out by the thread.
        drop(self.handle.stop(false));
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(super) fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        // A reset after the answer may be, a connection that stays open may not.
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{answer:?}");
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until `wanted` was heard, and gives all that was.
pub(super) fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(wanted) {
        let mut some = [0; 4_096];
        let n = stream.read(&mut some).unwrap();
        assert_ne!(n, 0, "{heard}");
        heard.push_str(std::str::from_utf8(&some[..n]).unwrap());
    }
    heard
}
