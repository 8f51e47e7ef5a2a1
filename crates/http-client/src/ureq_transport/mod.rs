//! The real transport, over ureq.

mod body;
mod buffers;
mod call;
mod connect;
mod dial;
mod heard;
mod names;
mod tcp;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{self, HeaderMap, HeaderValue};
use ureq::tls::{RootCerts, TlsConfig};

use self::body::Body;
use self::call::Call;
use self::dial::{Dial, LateResolver, Reach};
use crate::{
    Cancel, Deadlines, Header, HttpError, Method, RejectedUrl, Request, Response, StreamResponse, Transport,
    Trust, policy,
};

/// The largest head of an answer, in bytes, which is what nginx reads by default; and the most that is read and written
/// at once. Streams are many and slow: over TLS each holds two such buffers for as long as it lasts.
const BUFFER: usize = 8 << 10;
/// Idle connections kept in all and for one host. The operator's hosts are few, and a burst of a thousand calls to one
/// of them finds its connections again at the next. Tenants' hosts may be many, and what ureq does under its lock at
/// each call grows with the number of hosts times that of idle connections.
const OPERATOR_IDLE: (usize, usize) = (1024, 1024);
const PUBLIC_IDLE: (usize, usize) = (256, 128);
/// Shorter than the time for which servers commonly keep a connection, 60 s and more.
const MAX_IDLE_AGE: Duration = Duration::from_secs(30);

/// Sends requests over TCP and TLS (rustls with the `WebPKI` roots), keeping connections alive between them.
///
/// It follows no redirect, takes no proxy from the environment, and sends `User-Agent: tenantry/VERSION`. The head of
/// an answer is limited to 8 KiB. An idle connection is kept for 30 s: up to 1,024 of them to hosts that the operator
/// chose, and 256 to others, 128 to each. A host name is resolved only when a connection is
/// made, and under [`Trust::Public`] the very addresses that are connected to are checked, so that a name that
/// changes its address between check and use gains nothing. The two trusts share no connection. An idempotent request
/// that met a connection which the peer had closed meanwhile is sent once more on a fresh one.
pub struct UreqTransport {
    operator: ureq::Agent,
    public: ureq::Agent,
}

impl UreqTransport {
    /// A transport without any connection yet.
    pub fn new() -> Self {
        Self::trusting(&RootCerts::WebPki)
    }

    fn trusting(roots: &RootCerts) -> Self {
        Self {
            operator: agent(Reach::Anywhere, OPERATOR_IDLE, roots),
            public: agent(Reach::PublicOnly, PUBLIC_IDLE, roots),
        }
    }

    fn agent(&self, trust: &Trust) -> &ureq::Agent {
        match trust {
            Trust::Operator => &self.operator,
            Trust::Public { .. } => &self.public,
        }
    }
}

impl Default for UreqTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").finish_non_exhaustive()
    }
}

fn agent(reach: Reach, idle: (usize, usize), roots: &RootCerts) -> ureq::Agent {
    ureq::Agent::with_parts(config(idle, roots), Dial::new(reach), LateResolver)
}

fn config((idle, idle_per_host): (usize, usize), roots: &RootCerts) -> Config {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
        .no_delay(true)
        .max_response_header_size(BUFFER)
        // One byte more than the largest head, so that a larger one is recognised as such.
        .input_buffer_size(BUFFER + 1)
        .output_buffer_size(BUFFER)
        .max_idle_connections(idle)
        .max_idle_connections_per_host(idle_per_host)
        .max_idle_age(MAX_IDLE_AGE)
        .build()
}

impl Transport for UreqTransport {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let agent = self.agent(&request.trust);
        let (mut body, head) = start(agent, request, &Cancel::new())?;
        let mut bytes = Vec::with_capacity(body.expected());
        body.read_to_end(&mut bytes).map_err(HttpError::from_io)?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: readable(&head.headers),
            body: bytes,
        })
    }

    fn stream(&self, request: &Request, cancel: &Cancel) -> Result<StreamResponse, HttpError> {
        let agent = self.agent(&request.trust);
        let (body, head) = start(agent, request, cancel)?;
        Ok(StreamResponse {
            status: head.status.as_u16(),
            headers: readable(&head.headers),
            patience: body.patience(),
            body: Box::new(body),
        })
    }
}

/// Sends a request until the head of its answer is there.
fn start(
    agent: &ureq::Agent,
    request: &Request,
    cancel: &Cancel,
) -> Result<(Body, http::response::Parts), HttpError> {
    policy::check(request)?;
    let started = Instant::now();
    let call = Arc::new(Call::new(cancel.clone(), request.deadlines.idle));
    let answer = attempt(agent, request, request.deadlines, MAX_IDLE_AGE, &call).or_else(|error| {
        if !(request.idempotent && call.met_closed_connection(&error)) {
            return Err(call.explain(error));
        }
        let total = request.deadlines.total.saturating_sub(started.elapsed());
        call.start_again();
        // No idle connection is young enough: the rest of the pool is as old as the one that failed.
        attempt(
            agent,
            request,
            Deadlines {
                total,
                ..request.deadlines
            },
            Duration::ZERO,
            &call,
        )
        .map_err(|error| call.explain(error))
    })?;
    call.head_is_there();
    let (head, body) = answer.into_parts();
    Ok((Body::new(body, request.max_answer, call)?, head))
}

fn attempt(
    agent: &ureq::Agent,
    request: &Request,
    deadlines: Deadlines,
    max_idle_age: Duration,
    call: &Arc<Call>,
) -> Result<http::Response<ureq::Body>, ureq::Error> {
    let _entered = call::enter(call);
    let head = build(request).map_err(ureq::Error::Http)?;
    let body = match (&request.body, request.method) {
        (Some(body), _) => Some(body.as_slice()),
        // A POST without a body says so by its length.
        (None, Method::Post) => Some(&[][..]),
        (None, Method::Get | Method::Delete) => None,
    };
    match body {
        Some(body) => agent.run(limited(agent, head.map(|()| body), deadlines, max_idle_age)),
        None => agent.run(limited(agent, head, deadlines, max_idle_age)),
    }
}

fn limited<S: ureq::AsSendBody>(
    agent: &ureq::Agent,
    request: http::Request<S>,
    deadlines: Deadlines,
    max_idle_age: Duration,
) -> http::Request<S> {
    agent
        .configure_request(request)
        .timeout_global(Some(deadlines.total))
        .timeout_connect(Some(deadlines.connect))
        .timeout_recv_response(Some(deadlines.first_byte))
        .timeout_per_write(Some(deadlines.idle))
        .max_idle_age(max_idle_age)
        .build()
}

fn build(request: &Request) -> Result<http::Request<()>, http::Error> {
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.url.as_str());
    for (name, header) in &request.headers {
        let mut value = HeaderValue::from_str(&header.expose())?;
        value.set_sensitive(matches!(header, Header::Secret { .. }));
        builder = builder.header(*name, value);
    }
    builder.body(())
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

/// The one cause for which a URL that passed the policy cannot be sent.
fn malformed(error: &http::Error) -> Option<HttpError> {
    error
        .is::<http::uri::InvalidUri>()
        .then_some(HttpError::Url(RejectedUrl::Malformed))
}
