use std::fmt;

use crate::Request;
use crate::headers::header;

/// A request as it reached the other side, kept for assertions; secrets stand in it as they were sent, so that
/// `Debug` shows the request line alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The method in upper case.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// Headers by lower-case name, in the order they were sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Recorded {
    pub(crate) fn of(request: &Request) -> Self {
        let url = &request.url;
        let target = url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        );
        let mut headers = vec![("host".to_owned(), url.authority().to_owned())];
        headers.extend(
            request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.expose())),
        );
        Self {
            method: request.method.as_str().to_owned(),
            target,
            headers,
            body: request.body.clone().unwrap_or_default(),
        }
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as JSON; [`serde_json::Value::Null`] when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Recorded({} {}, {} bytes)",
            self.method,
            self.path(),
            self.body.len()
        )
    }
}
