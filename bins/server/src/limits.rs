//! How much the HTTP side takes and how long it waits.

use std::time::Duration;

use crate::offload::Permits;

/// The limits of the HTTP side.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The origins whose pages may call the API, as browsers write them; compared letter by letter.
    pub cors_origins: Vec<String>,
    /// The largest JSON body in bytes, of everything but documents.
    pub max_json_bytes: usize,
    /// The largest document in bytes, as JSON or as a file.
    pub max_upload_bytes: usize,
    /// How long a body may take to arrive.
    pub body_deadline: Duration,
    /// How often an open answer stream shows that it lives; at most five seconds, because a client that has left is
    /// noticed by writing alone.
    pub heartbeat: Duration,
    /// How long the reader of an answer stream may take nothing before its work is given up.
    pub stall_deadline: Duration,
    /// How much work may be under way.
    pub permits: Permits,
}

impl Default for HttpSettings {
    /// No origins; 256 KiB, 10 MiB; 30 seconds for a body; a heartbeat every 3 seconds; 30 seconds for a stalled reader.
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            max_json_bytes: 256 * 1_024,
            max_upload_bytes: 10 * 1_024 * 1_024,
            body_deadline: Duration::from_secs(30),
            heartbeat: Duration::from_secs(3),
            stall_deadline: Duration::from_secs(30),
            permits: Permits::default(),
        }
    }
}
