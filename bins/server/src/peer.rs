//! Whether the client at the other end of a connection is still there. The framework tells that only when it reads or writes, and it
//! does neither while an answer is made.
//!
//! A client that closes its sending side alone counts as gone too, as it does for most proxies: the two cannot be told apart until
//! something is written.

use std::any::Any;

use actix_web::dev::Extensions;

/// Keeps what is needed to watch a new connection; for `HttpServer::on_connect`.
pub(crate) fn remember(connection: &dyn Any, of_connection: &mut Extensions) {
    #[cfg(target_os = "linux")]
    if let Some(peer) = Peer::of(connection) {
        of_connection.insert(peer);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, of_connection);
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::Peer;
#[cfg(target_os = "linux")]
pub(crate) use linux::Peer;

#[cfg(target_os = "linux")]
mod linux {
    use std::any::Any;
    use std::cell::{OnceCell, RefCell};
    use std::io::{Error, ErrorKind};
    use std::net;
    use std::os::fd::AsFd;
    use std::rc::Rc;

    use actix_web::rt::net::TcpStream;
    use tokio::io::Interest;

    /// The client of a connection. It has a descriptor of its own for the connection's socket, of which it reads nothing; it goes with
    /// the connection.
    #[derive(Debug, Clone)]
    pub(crate) struct Peer(Rc<Socket>);

    #[derive(Debug)]
    struct Socket {
        /// Until the first watch: many connections never have one.
        unwatched: RefCell<Option<net::TcpStream>>,
        /// `None` when it cannot be watched.
        watched: OnceCell<Option<TcpStream>>,
    }

    impl Peer {
        pub(super) fn of(connection: &dyn Any) -> Option<Self> {
            let stream = connection.downcast_ref::<TcpStream>()?;
            let socket = stream.as_fd().try_clone_to_owned().ok()?;
            Some(Self(Rc::new(Socket {
                unwatched: RefCell::new(Some(socket.into())),
                watched: OnceCell::new(),
            })))
        }

        /// Waits until the client closes its side. The readiness is that of edges (epoll(7)): what a client sends ahead wakes this
        /// once for each piece and stays where it is.
        pub(crate) async fn left(&self) {
            let watch = || TcpStream::from_std(self.0.unwatched.take()?).ok();
            if let Some(socket) = self.0.watched.get_or_init(watch) {
                while let Ok(ready) = socket.ready(Interest::READABLE).await {
                    if ready.is_read_closed() {
                        return;
                    }
                    // Says that there is nothing to read, so that the next edge is waited for; a close is remembered.
                    let nothing = || Err::<(), _>(Error::from(ErrorKind::WouldBlock));
                    let _ = socket.try_io(Interest::READABLE, nothing);
                }
            }
            // Who cannot be watched is noticed by the next write.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    /// The client of a connection, which is noticed by writing alone.
    #[derive(Debug, Clone)]
    pub(crate) struct Peer(std::convert::Infallible);

    impl Peer {
        pub(crate) async fn left(&self) {
            match self.0 {}
        }
    }
}
