//! How much the HTTP side takes and how long it waits.

use std::time::Duration;

use crate::offload::Permits;
use crate::proxies::TrustedProxies;

/// The limits of the HTTP side.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The origins whose pages may call the API, as browsers write them; compared letter by letter.
    pub cors_origins: Vec<String>,
    /// The largest JSON body in bytes, of everything but documents.
    pub max_json_bytes: usize,
    /// The largest document in bytes as JSON, which is held in memory whole.
    pub max_text_bytes: usize,
    /// The largest file in bytes, which goes to the store part by part.
    pub max_upload_bytes: usize,
    /// How long a body may take to arrive; a file has one second more for each [`HttpSettings::SLOWEST_UPLOAD`] bytes.
    pub body_deadline: Duration,
    /// How often an open answer stream shows that it lives; at most five seconds, because where connections cannot be watched a
    /// client that has left is noticed by writing alone.
    pub heartbeat: Duration,
    /// How long an answer may take in all.
    pub answer_deadline: Duration,
    /// How often it is looked up, while an answer is made, whether its reader may still have it.
    pub access_check: Duration,
    /// How long the reader of an answer stream may take nothing before its work is given up.
    pub stall_deadline: Duration,
    /// The proxies whose word about a client's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// How much work may be under way.
    pub permits: Permits,
}

impl HttpSettings {
    /// How many bytes of a file have to arrive in a second, once [`HttpSettings::body_deadline`] is used up.
    pub const SLOWEST_UPLOAD: u32 = 128 << 10;
}

impl Default for HttpSettings {
    /// No origins and no proxies; 256 KiB, 10 MiB, 32 MiB; 30 seconds for a body; a heartbeat every 3 seconds; ten minutes for an
    /// answer, with a look at its reader's access every 5 seconds; 30 seconds for a stalled reader.
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            max_json_bytes: 256 * 1_024,
            max_text_bytes: 10 << 20,
            max_upload_bytes: 32 << 20,
            body_deadline: Duration::from_secs(30),
            heartbeat: Duration::from_secs(3),
            answer_deadline: Duration::from_mins(10),
            access_check: Duration::from_secs(5),
            stall_deadline: Duration::from_secs(30),
            trusted_proxies: TrustedProxies::default(),
            permits: Permits::default(),
        }
    }
}
