use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Failure;
use crate::config::{Environment, address_settings};

/// How long a server may take to answer; a container's health check waits as long by default.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server whether it is alive.
pub(super) fn run(env: &Environment, out: &mut dyn Write) -> Result<(), Failure> {
    let address = reachable(address_settings(|name| env.get(name))?);
    let status = ask(address).map_err(|error| Failure::new(format!("no answer from {address}: {error}")))?;
    if status == "200" {
        Ok(writeln!(out, "the server at {address} is alive")?)
    } else {
        Err(Failure::new(format!(
            "the server at {address} answers with status {status}"
        )))
    }
}

/// Where a server that listens at `address` can be called.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

/// The three digits of the answer's status.
fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    match head.strip_prefix("HTTP/1.1 ") {
        Some(status) => Ok(status.to_owned()),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the answer is not HTTP",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_called_on_loopback() {
        for (listens, called) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), called.parse().unwrap());
        }
    }
}
