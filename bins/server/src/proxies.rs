//! Whose word about a client's address is believed.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// How many addresses of a chain of proxies are looked at; a longer chain is somebody's invention.
const MAX_HOPS: usize = 32;

/// The prefix of the widest private network of IPv4 (RFC 1918, section 3): whoever lists a wider one lists strangers.
const WIDEST_V4: u32 = 8;
/// The same of IPv6 (RFC 4193, section 3.1).
const WIDEST_V6: u32 = 7;

/// The proxies in front of the server, by their addresses; nobody by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<Network>);

/// Text that lists no proxies, to be read after the name of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseProxiesError {
    /// An entry is no address.
    #[error("has an entry that is neither an IP address nor a network")]
    Malformed,
    /// A network has bits beyond its prefix.
    #[error("has a network whose address has bits beyond its prefix")]
    HostBits,
    /// A network is everybody, or so much of everybody that a few of them are.
    #[error("has a network that is too wide to be proxies alone")]
    TooWide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                masked(u128::from(own.to_bits()) << 96, self.prefix)
                    == masked(u128::from(other.to_bits()) << 96, self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                masked(own.to_bits(), self.prefix) == masked(other.to_bits(), self.prefix)
            }
            _ => false,
        }
    }
}

/// The first bits of an address.
fn masked(bits: u128, prefix: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl FromStr for Network {
    type Err = ParseProxiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseProxiesError::Malformed)?;
        // One host is the same host in both spellings; a network of mapped addresses is nothing that anybody means.
        let address = if prefix.is_none() {
            address.to_canonical()
        } else {
            address
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().map_err(|_| ParseProxiesError::Malformed)?
            }
            Some(_) => return Err(ParseProxiesError::Malformed),
            None => bits,
        };
        if prefix > bits {
            return Err(ParseProxiesError::Malformed);
        }
        let widest = if address.is_ipv4() { WIDEST_V4 } else { WIDEST_V6 };
        if prefix < widest {
            return Err(ParseProxiesError::TooWide);
        }
        let network = Self { address, prefix };
        let whole = match address {
            IpAddr::V4(own) => u128::from(own.to_bits()) << 96,
            IpAddr::V6(own) => own.to_bits(),
        };
        if masked(whole, prefix) == whole {
            Ok(network)
        } else {
            Err(ParseProxiesError::HostBits)
        }
    }
}

impl FromStr for TrustedProxies {
    type Err = ParseProxiesError;

    /// Reads a comma list of addresses and networks, as `10.0.0.0/8, 2001:db8::1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let networks = text.split(',').map(|entry| entry.trim().parse());
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// The address of the client: the peer's own, unless that is one of the proxies. Then it is the last of `forwarded` that is none of
    /// them, because each proxy adds at the end whom it was asked by; what stands before it anybody can have written.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = forwarded.rev().flat_map(|line| line.rsplit(','));
        for hop in hops.take(MAX_HOPS) {
            if !self.contain(client) {
                break;
            }
            let Some(before) = address(hop) else { break };
            client = before;
        }
        client
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// The address of a hop, which some proxies write with its port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let parsed = bare.parse().ok();
    let parsed = parsed.or_else(|| hop.parse::<SocketAddr>().ok().map(|at| at.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        proxies
            .client(peer.parse().unwrap(), forwarded.iter().copied())
            .to_string()
    }

    #[test]
    fn nobody_says_for_whom_they_ask_unless_trusted() {
        let nobody = TrustedProxies::default();
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(nobody.client(peer, ["203.0.113.9"].into_iter()), peer);
        assert_eq!(client("10.0.0.1", "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", "10.0.0.2", &["203.0.113.9"]), "10.0.0.2");
    }

    #[test]
    fn the_last_who_is_no_proxy_is_the_client() {
        let proxies = "10.0.0.0/8, 2001:db8::/32";
        assert_eq!(client(proxies, "10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            client(proxies, "10.0.0.1", &["203.0.113.9, 10.1.2.3"]),
            "203.0.113.9"
        );
        assert_eq!(
            client(proxies, "10.0.0.1", &["198.51.100.1, 203.0.113.9", "10.1.2.3"]),
            "203.0.113.9",
            "what the client wrote itself stands before"
        );
        assert_eq!(client(proxies, "2001:db8::7", &["2001:db9::1"]), "2001:db9::1");
        assert_eq!(
            client(proxies, "::ffff:10.0.0.1", &["203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(client(proxies, "10.0.0.1", &["203.0.113.9:51234"]), "203.0.113.9");
        assert_eq!(
            client(proxies, "10.0.0.1", &["[2001:db9::1]:51234"]),
            "2001:db9::1"
        );
        assert_eq!(
            client(proxies, "10.0.0.1", &["::ffff:203.0.113.9"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn what_is_no_address_ends_the_chain() {
        let proxies = "10.0.0.0/8";
        for forwarded in [&["unknown"][..], &[""], &["203.0.113.9, evil"], &[]] {
            assert_eq!(
                client(proxies, "10.0.0.1", forwarded),
                "10.0.0.1",
                "{forwarded:?}"
            );
        }
        assert_eq!(
            client(proxies, "10.0.0.1", &["203.0.113.9, x, 10.0.0.5"]),
            "10.0.0.5"
        );
        let long = vec!["10.0.0.2"; 100].join(",");
        assert_eq!(
            client(proxies, "10.0.0.1", &[&format!("203.0.113.9,{long}")]),
            "10.0.0.2"
        );
    }

    #[test]
    fn a_list_that_trusts_everybody_or_nobody_knows_whom_is_refused() {
        for (text, error) in [
            ("0.0.0.0/0", ParseProxiesError::TooWide),
            ("::/0", ParseProxiesError::TooWide),
            ("10.0.0.1, 0.0.0.0/0", ParseProxiesError::TooWide),
            ("0.0.0.0/1, 128.0.0.0/1", ParseProxiesError::TooWide),
            ("::/1, 8000::/1", ParseProxiesError::TooWide),
            ("10.0.0.0/7", ParseProxiesError::TooWide),
            ("10.0.0.1/8", ParseProxiesError::HostBits),
            ("2001:db8::1/32", ParseProxiesError::HostBits),
            ("10.0.0.0/33", ParseProxiesError::Malformed),
            ("2001:db8::/129", ParseProxiesError::Malformed),
            ("10.0.0.0/+8", ParseProxiesError::Malformed),
            ("10.0.0.0/", ParseProxiesError::Malformed),
            ("proxy.internal", ParseProxiesError::Malformed),
            ("10.0.0.1,", ParseProxiesError::Malformed),
            ("*", ParseProxiesError::Malformed),
            ("", ParseProxiesError::Malformed),
        ] {
            assert_eq!(text.parse::<TrustedProxies>(), Err(error), "{text:?}");
        }
        assert!(
            "10.0.0.0/8,192.0.2.1,::1,fd00::/8,fc00::/7"
                .parse::<TrustedProxies>()
                .is_ok()
        );
    }
}
