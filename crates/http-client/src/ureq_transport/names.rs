use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;
use ureq::{Error, Timeout};

use super::call;

type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks names up as the system does, each on a thread of its own: such a lookup knows no deadline, and the call that
/// asked for it must be able to leave at its own or when it is cancelled. The thread ends with the lookup.
pub(super) struct Names(Arc<Lookup>);

/// As many addresses as [`ResolvedSocketAddrs`] has room for.
const MAX_ADDRESSES: usize = 16;

impl Names {
    pub(super) fn new() -> Self {
        Self(Arc::new(|host, port| {
            Ok((host, port).to_socket_addrs()?.collect())
        }))
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?.to_owned();
        let port = port(uri);
        let (told, outcome) = mpsc::channel();
        let raised = told.clone();
        let _watch = call::current().map(|call| call.cancel.watch(move || drop(raised.send(None))));
        let lookup = self.0.clone();
        std::thread::Builder::new().spawn(move || drop(told.send(Some(lookup(&host, port)))))?;
        let outcome = match timeout.after {
            Duration::Exact(at_most) => outcome.recv_timeout(at_most),
            Duration::NotHappening => outcome.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let found = match outcome {
            Ok(Some(found)) => found?,
            Ok(None) => return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            Err(RecvTimeoutError::Timeout) => return Err(Error::Timeout(Timeout::Resolve)),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::HostNotFound),
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            Err(Error::HostNotFound)
        } else {
            Ok(addresses)
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// The port that a URL names or its scheme implies.
pub(super) fn port(uri: &Uri) -> u16 {
    let implied = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    uri.port_u16().unwrap_or(implied)
}

#[cfg(test)]
mod tests {
    use super::super::call::Call;
    use super::*;
    use crate::{Cancel, Gate, HttpError};

    /// A lookup that says when it has begun and ends only when it may.
    fn stuck(begun: &Gate, end: &Gate) -> Names {
        let (begun, end) = (begun.clone(), end.clone());
        Names(Arc::new(move |_, _| {
            begun.open();
            end.wait(std::time::Duration::from_mins(1));
            Ok(Vec::new())
        }))
    }

    fn resolve(names: &Names, cancel: &Cancel, at_most: std::time::Duration) -> HttpError {
        let call = Arc::new(Call::new(cancel.clone(), at_most));
        let _entered = call::enter(&call);
        let timeout = NextTimeout {
            after: Duration::Exact(at_most),
            ..NextTimeout::default()
        };
        let config = ureq::Agent::config_builder().build();
        let uri = "http://name.test/".parse().unwrap();
        call.explain(names.resolve(&uri, &config, timeout).unwrap_err())
    }

    #[test]
    fn a_cancellation_ends_the_wait_for_a_name() {
        let (begun, end) = (Gate::new(), Gate::new());
        let names = stuck(&begun, &end);
        let cancel = Cancel::new();
        let raised = cancel.clone();
        let raising = std::thread::spawn(move || {
            begun.wait(std::time::Duration::from_secs(20));
            raised.cancel();
        });
        let error = resolve(&names, &cancel, std::time::Duration::from_mins(10));
        assert!(matches!(error, HttpError::Cancelled), "{error:?}");
        raising.join().unwrap();
        end.open();
    }

    #[test]
    fn a_name_that_is_not_found_in_time_meets_the_deadline() {
        let (begun, end) = (Gate::new(), Gate::new());
        let names = stuck(&begun, &end);
        let error = resolve(&names, &Cancel::new(), std::time::Duration::from_millis(20));
        assert!(matches!(error, HttpError::Timeout), "{error:?}");
        end.open();
        let error = resolve(&names, &Cancel::new(), std::time::Duration::from_mins(10));
        assert!(matches!(error, HttpError::Connect(_)), "{error:?}");
    }
}
