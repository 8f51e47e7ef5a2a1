//! The HTTP server around the routes.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::rt::System;
use actix_web::rt::signal::ctrl_c;
use actix_web::rt::signal::unix::{SignalKind, signal};

use crate::http::{self, HttpSettings};
use crate::startup::Platform;
use crate::workers::Workers;

/// How long a client may take to send a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept: longer than load balancers do, so that they are the ones who close it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a stop waits for answers under way, in seconds; container platforms wait 10 to 60.
const SHUTDOWN_SECONDS: u64 = 30;
/// How long a client may leave the answer in the server's hands, acknowledging nothing of it, in milliseconds.
#[cfg(target_os = "linux")]
const STALLED: u32 = 60_000;
/// How long a stop then still waits for workers, who stop at the same time as the requests; with the answers under way less than
/// what `compose.yaml` allows.
const WORKERS_SECONDS: u64 = 15;
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Nobody can be served at the address.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}, which HOST and PORT set")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Listens at an address.
///
/// # Errors
/// When it is taken, not this machine's, or not allowed.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listen(address).map_err(|source| BindError { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // Again, because the standard library asks for a queue that a burst of clients overflows.
    rustix::net::listen(&listener, BACKLOG)?;
    // Accepted connections inherit it (tcp(7)). The framework knows no deadline for sending: without this one, whoever asks
    // and reads nothing would keep a connection and an answer for ever.
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&listener, STALLED)?;
    Ok(listener)
}

/// Serves until SIGTERM or SIGINT, then finishes the answers under way, while the workers give back their jobs.
///
/// # Errors
/// When the server cannot start.
pub fn run(platform: &Platform, listener: TcpListener) -> io::Result<()> {
    let Platform {
        app,
        settings,
        ingestor,
        clock,
        ..
    } = platform;
    let http = HttpSettings {
        cors_origins: settings.cors_origins.clone(),
        max_upload_bytes: settings.max_upload_bytes,
        ..HttpSettings::default()
    };
    let workers = Workers::start(ingestor, None, settings.ingest_workers, &app.wake, clock)?;
    let stopping = workers.stopping();
    let threads = http.permits.threads();
    log::info!("listening at http://{}", listener.local_addr()?);
    let service = http::service(app.clone(), &http);
    System::new().block_on(async move {
        actix_web::rt::spawn(async move {
            until_told_to_stop().await;
            stopping.cancel();
        });
        HttpServer::new(move || http::app(service.clone(), &http))
            .tcp_nodelay(true)
            .client_request_timeout(HEAD_DEADLINE)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .worker_max_blocking_threads(threads)
            .listen(listener)?
            .run()
            .await
    })?;
    workers.stop(Duration::from_secs(WORKERS_SECONDS));
    log::info!("stopped");
    Ok(())
}

/// Waits for the signals that the server itself stops at.
async fn until_told_to_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => terminated.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = std::pin::pin!(ctrl_c());
    // A signal that cannot be waited for is one that stops the workers after the requests.
    drop(futures_util::future::select(std::pin::pin!(terminated), interrupted).await);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_connection_whose_reader_stalls_has_an_end() {
        let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let timeout = rustix::net::sockopt::tcp_user_timeout(&accepted).unwrap();
        assert_eq!(timeout, STALLED);
    }
}
