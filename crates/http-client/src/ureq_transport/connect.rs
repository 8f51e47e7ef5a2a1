use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Cancel;

/// Connects to the first of `addresses` that answers. Each but the last may use half of the time that is left, so that
/// one that is silent does not keep the others from their turn.
///
/// # Errors
/// Why the last address could not be connected to; [`io::ErrorKind::TimedOut`] when the time is over, and
/// [`io::ErrorKind::ConnectionAborted`] once `cancel` is raised.
pub(super) fn connect(
    addresses: &[SocketAddr],
    at_most: Duration,
    cancel: &Cancel,
) -> io::Result<Arc<TcpStream>> {
    let started = Instant::now();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (number, address) in addresses.iter().enumerate() {
        let left = at_most.saturating_sub(started.elapsed());
        let last = number + 1 == addresses.len();
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match system::connect(*address, if last { left } else { left / 2 }, cancel) {
            Ok(socket) => return Ok(socket),
            Err(_) if cancel.is_cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::net::{Shutdown, SocketAddr, TcpStream};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt::socket_error};

    use crate::Cancel;

    /// Connects without blocking, so that there is a socket to shut down meanwhile, which ends the wait.
    pub(super) fn connect(
        address: SocketAddr,
        at_most: Duration,
        cancel: &Cancel,
    ) -> io::Result<Arc<TcpStream>> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = Arc::new(TcpStream::from(socket_with(
            family,
            SocketType::STREAM,
            flags,
            None,
        )?));
        let watched = socket.clone();
        let _watch = cancel.watch(move || drop(watched.shutdown(Shutdown::Both)));
        match rustix::net::connect(&*socket, &address) {
            Ok(()) => {}
            Err(Errno::INPROGRESS | Errno::INTR) => wait(&socket, at_most, cancel)?,
            Err(error) => return Err(error.into()),
        }
        socket.set_nonblocking(false)?;
        Ok(socket)
    }

    fn wait(socket: &TcpStream, at_most: Duration, cancel: &Cancel) -> io::Result<()> {
        let started = Instant::now();
        loop {
            // A signal that was raised before there was anything to shut down has set its flag.
            if cancel.is_cancelled() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let left = at_most.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) if cancel.is_cancelled() => {}
                Ok(_) => return Ok(socket_error(socket)??),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;
    use std::time::Duration;

    use crate::Cancel;

    /// Connects; a signal raised meanwhile is noticed when the connection stands or its time is over.
    pub(super) fn connect(address: SocketAddr, at_most: Duration, _: &Cancel) -> io::Result<Arc<TcpStream>> {
        TcpStream::connect_timeout(&address, at_most).map(Arc::new)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A listener whose queue is full, so that the next connection is neither made nor refused.
    fn full() -> (TcpListener, Vec<Arc<TcpStream>>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(socket) = connect(&[address], Duration::from_millis(200), &Cancel::new()) {
            queued.push(socket);
            assert!(queued.len() < 16, "the queue does not fill");
        }
        (listener, queued, address)
    }

    /// How many connections to `address` are begun and not yet made.
    fn begun(address: SocketAddr) -> usize {
        const SYN_SENT: &str = "02";
        let peer = format!(":{:04X}", address.port());
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let fields = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        fields
            .filter(|fields| fields[2].ends_with(&peer) && fields[3] == SYN_SENT)
            .count()
    }

    #[test]
    fn a_cancellation_ends_a_connection_that_is_being_made() {
        let (_listener, _queued, address) = full();
        let cancel = Cancel::new();
        let connecting = {
            let cancel = cancel.clone();
            std::thread::spawn(move || connect(&[address, address], Duration::from_mins(10), &cancel))
        };
        while begun(address) == 0 {
            std::thread::yield_now();
        }
        cancel.cancel();
        let outcome = connecting.join().unwrap();
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!((begun(address), cancel.watches()), (0, 0));
    }

    #[test]
    fn a_raised_signal_keeps_a_connection_from_being_made() {
        let (_listener, _queued, address) = full();
        let cancel = Cancel::new();
        cancel.cancel();
        let outcome = connect(&[address], Duration::from_mins(10), &cancel);
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[test]
    fn a_silent_address_leaves_time_for_the_next_one() {
        let (_listener, _queued, silent) = full();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let socket = connect(&[silent, address], Duration::from_secs(1), &Cancel::new()).unwrap();
        assert_eq!(socket.peer_addr().unwrap(), address);
        let outcome = connect(&[silent], Duration::from_millis(20), &Cancel::new());
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_refusal_is_told_as_one_and_the_next_address_is_tried() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let outcome = connect(&[closed, closed], Duration::from_mins(10), &Cancel::new());
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let listener = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.1:0"));
        let address = listener.as_ref().unwrap().local_addr().unwrap();
        assert!(connect(&[closed, address], Duration::from_mins(10), &Cancel::new()).is_ok());
    }
}
