//! The HTTP server around the routes.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::rt::System;
use actix_web::rt::signal::ctrl_c;
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::web::ServiceConfig;
use futures_util::future::{Either, select};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::http::{self, HttpSettings};
use crate::offload::{Offload, Permits, Underway};
use crate::peer;
use crate::startup::Platform;
use crate::workers::Workers;

/// How long a client may take to send a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept: longer than load balancers do, so that they are the ones who close it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a stop waits for answers under way to be settled, in seconds: an upstream is left within moments, and what there is has to
/// be written.
const ANSWERS_SECONDS: u64 = 8;
/// How long it then waits for other requests, in seconds; container platforms wait 10 to 60.
const SHUTDOWN_SECONDS: u64 = 30;
/// How long a client may leave the answer in the server's hands, acknowledging nothing of it, in milliseconds.
#[cfg(target_os = "linux")]
const STALLED: u32 = 60_000;
/// How long a stop then still waits for workers, who stop at the same time as the answers; with all of the above less than what
/// `compose.yaml` allows.
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

/// Serves until SIGTERM or SIGINT. Then answers under way are ended, each with its last event, while the workers give back their jobs; a
/// SIGTERM also lets other requests finish.
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
        trusted_proxies: settings.accounts.trusted_proxies.clone(),
        answer_deadline: settings.answers.deadlines.total,
        permits: Permits {
            streams: settings.answers.max_streams,
            ..Permits::default()
        },
        ..HttpSettings::default()
    };
    allow_many_connections();
    let offload = Offload::new(app.clone(), http.permits)?;
    let workers = Workers::start(ingestor, None, settings.ingest_workers, &app.wake, clock)?;
    let stopping = workers.stopping();
    log::info!("listening at http://{}", listener.local_addr()?);
    System::new().block_on(async move {
        let server = server(http::service(&offload, &http), &http, listener)?;
        let handle = server.handle();
        actix_web::rt::spawn(async move {
            let signal = until_told_to_stop().await;
            stopping.cancel();
            end_answers(offload.underway()).await;
            handle.stop(signal == Signal::Terminate).await;
        });
        server.await
    })?;
    workers.stop(Duration::from_secs(WORKERS_SECONDS));
    log::info!("stopped");
    Ok(())
}

/// The server around the routes, which stops when it is told to by its handle alone.
pub(crate) fn server(
    service: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    http: &HttpSettings,
    listener: TcpListener,
) -> io::Result<Server> {
    let threads = http.permits.threads();
    let http = http.clone();
    let server = HttpServer::new(move || http::app(service.clone(), &http))
        .on_connect(peer::remember)
        .tcp_nodelay(true)
        .client_request_timeout(HEAD_DEADLINE)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .worker_max_blocking_threads(threads)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// Ends the answers under way, and waits until each is settled. Connections are still taken meanwhile, for whoever asks for other
/// things: the framework would end a thread without waiting for what no connection waits for.
pub(crate) async fn end_answers(underway: &Underway) {
    underway.stop();
    let settled = timeout(Duration::from_secs(ANSWERS_SECONDS), underway.ended());
    if settled.await.is_err() {
        log::warn!("some answers could not be ended in time; what there is of them is lost");
    }
}

/// Raises the limit of open files as far as the process may: an answer under way has three sockets, and shells hand down a limit of
/// 1,024.
pub(crate) fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        log::warn!("no more files may be open than {:?}: {error}", limit.current);
    }
}

/// A signal to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Terminate,
    Interrupt,
}

/// Waits for a signal to stop.
async fn until_told_to_stop() -> Signal {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => terminated.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    match select(pin!(terminated), pin!(interrupted)).await {
        Either::Left(_) => Signal::Terminate,
        Either::Right(_) => Signal::Interrupt,
    }
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
