use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, RustlsConnector};

use super::buffers::SmallBuffers;
use super::call::{self, Call};
use super::connect::connect;
use super::heard::Heard;
use super::names::{Names, port};
use super::tcp::Tcp;
use crate::{RejectedUrl, address};

/// The longest wait for a connection, whatever a request allows: not every duration is one that the system can wait.
const LONGEST: std::time::Duration = std::time::Duration::from_hours(1);

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    PublicOnly,
}

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        self == Self::Anywhere || address::is_public(address)
    }
}

/// Makes connections: looks the name up, drops the addresses out of reach, connects and shakes hands.
#[derive(Debug)]
pub(super) struct Dial {
    reach: Reach,
    names: Box<dyn Resolver>,
    tls: RustlsConnector,
}

impl Dial {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            reach,
            names: Box::new(Names::new()),
            tls: RustlsConnector::default(),
        }
    }

    fn addresses(&self, details: &ConnectionDetails) -> Result<ResolvedSocketAddrs, Error> {
        let found = match literal(details.uri) {
            // An address needs no lookup, nor the thread that bounds its time.
            Some(address) => {
                let mut found = LateResolver.empty();
                found.push(address);
                found
            }
            None => self.names.resolve(details.uri, details.config, details.timeout)?,
        };
        let mut allowed = LateResolver.empty();
        for address in found.iter().filter(|address| self.reach.allows(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            Err(Error::Other(Box::new(RejectedUrl::NotPublic)))
        } else {
            Ok(allowed)
        }
    }

    fn connect_tcp(&self, details: &ConnectionDetails, call: Option<Arc<Call>>) -> Result<Tcp, Error> {
        let started = Instant::now();
        let addresses = self.addresses(details)?;
        let at_most = match details.timeout.after {
            Duration::Exact(at_most) => at_most.min(LONGEST),
            Duration::NotHappening => LONGEST,
        };
        let left = at_most.saturating_sub(started.elapsed());
        let cancel = call.as_ref().map(|call| call.cancel.clone()).unwrap_or_default();
        let socket = connect(&addresses, left, &cancel)?;
        socket.set_nodelay(details.config.no_delay())?;
        let buffers = SmallBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Tcp::new(socket, buffers, call))
    }
}

impl Connector<()> for Dial {
    type Out = Heard<<RustlsConnector as Connector<Tcp>>::Out>;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let call = call::current();
        if let Some(call) = &call {
            call.dial();
        }
        let tcp = self.connect_tcp(details, call.clone())?;
        let connected = self.tls.connect(&at_agent_level(details), Some(tcp))?;
        Ok(connected.map(Heard::new))
    }
}

/// The same details as if the agent's own settings were used: ureq keeps the TLS configuration, and with it the
/// sessions that can be resumed, only where no request brings its own settings, as each of ours does for its deadlines.
fn at_agent_level<'a>(details: &ConnectionDetails<'a>) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri: details.uri,
        addrs: details.addrs.clone(),
        config: details.config,
        request_level: false,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?.trim_matches(['[', ']']);
    Some(SocketAddr::new(host.parse().ok()?, port(uri)))
}

/// Leaves the lookup to [`Dial`]: ureq would resolve the name for every request, also for one that is served by a
/// pooled connection.
#[derive(Debug)]
pub(super) struct LateResolver;

impl Resolver for LateResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Names other addresses at each lookup, as a name server does that rebinds.
    #[derive(Debug, Clone)]
    struct Rebinding(Arc<AtomicUsize>, Vec<Vec<SocketAddr>>);

    impl Resolver for Rebinding {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            let lookup = self.0.fetch_add(1, Ordering::SeqCst).min(self.1.len() - 1);
            let mut found = self.empty();
            for address in &self.1[lookup] {
                found.push(*address);
            }
            Ok(found)
        }
    }

    fn dial(reach: Reach, lookups: &[&[SocketAddr]]) -> (Result<u16, Error>, usize) {
        let count = Arc::new(AtomicUsize::new(0));
        let names = Rebinding(
            count.clone(),
            lookups.iter().map(|found| found.to_vec()).collect(),
        );
        let dial = Dial {
            names: Box::new(names),
            ..Dial::new(reach)
        };
        let agent = ureq::Agent::with_parts(
            super::super::config((1, 1), &ureq::tls::RootCerts::WebPki),
            dial,
            LateResolver,
        );
        let answer = agent
            .get("http://name.test/")
            .call()
            .map(|answer| answer.status().as_u16());
        (answer, count.load(Ordering::SeqCst))
    }

    fn refused(answer: &Result<u16, Error>) -> bool {
        matches!(answer, Err(Error::Other(cause)) if cause.downcast_ref() == Some(&RejectedUrl::NotPublic))
    }

    #[test]
    fn a_name_with_private_addresses_alone_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let here = listener.local_addr().unwrap();
        let (answer, _) = dial(Reach::PublicOnly, &[&[here, "10.0.0.1:80".parse().unwrap()]]);
        assert!(refused(&answer), "{answer:?}");
        assert!(listener.accept().is_err(), "somebody connected");
    }

    #[test]
    fn a_name_is_looked_up_once_so_that_rebinding_gains_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        // Were there a lookup to check and another one to connect, the second would decide.
        let (answer, lookups) = dial(Reach::PublicOnly, &[&[here], &["1.1.1.1:80".parse().unwrap()]]);
        assert!(refused(&answer), "{answer:?}");
        assert_eq!(lookups, 1);
    }

    #[test]
    fn an_address_in_the_url_needs_no_lookup() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let at = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        assert_eq!(literal(&uri("http://127.0.0.1/x")), at("127.0.0.1:80"));
        assert_eq!(literal(&uri("https://[::1]/x")), at("[::1]:443"));
        assert_eq!(literal(&uri("https://[::1]:8443/x")), at("[::1]:8443"));
        assert_eq!(literal(&uri("https://name.test/x")), None);
    }
}
