use std::collections::HashMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::{Dimension, Embedding};
use tenantry_http_client::{Deadlines, Method, Request, Response, Transport};

use super::options::{PineconeOptions, host_url};
use super::upstream::Upstream;
use super::wire::{Delete, Fetched, FetchedRecord, Stats};
use super::{batch, fault};
use crate::VectorError;
use crate::remote::check_key;

/// The most ids that one request deletes.
const MAX_DELETED_IDS: usize = 1_000;

/// The most ids that one request fetches, and the most bytes that they take in its URL: the documentation names no limit but
/// the URL's, and common servers and proxies end at 8 KB.
const MAX_FETCHED_IDS: usize = 100;
const MAX_FETCHED_BYTES: usize = 6_000;

/// The largest answer that has vectors, in bytes: the service's 4 MB are counted before the numbers become text.
pub(super) const MAX_VECTORS_ANSWER: u64 = 32 << 20;

/// One index of Pinecone's, called namespace by namespace.
#[derive(Debug)]
pub(super) struct Index {
    upstream: Upstream,
}

impl Index {
    pub(super) fn connect(
        transport: Arc<dyn Transport>,
        options: &PineconeOptions,
        host: &str,
        api_key: SecretString,
    ) -> Result<Self, VectorError> {
        check_key(&api_key)?;
        let base = host_url(host)
            .ok_or_else(|| VectorError::Refused("the index host is not a host or url".into()))?;
        let (trust, api_version) = (options.trust.clone(), options.api_version.clone());
        Ok(Self {
            upstream: Upstream {
                transport,
                base,
                trust,
                api_version,
                api_key,
            },
        })
    }

    pub(super) fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Request {
        self.upstream.request(Method::Get, segments, query)
    }

    pub(super) fn post(&self, segments: &[&str], body: Vec<u8>) -> Request {
        let mut request = self
            .upstream
            .request(Method::Post, segments, &[])
            .header("content-type", "application/json");
        request.body = Some(body);
        request
    }

    /// Sends a question about a namespace; `None` where the namespace does not exist.
    pub(super) fn ask(&self, request: &Request) -> Result<Option<Response>, VectorError> {
        let response = self.upstream.send(request)?;
        Ok((!fault::is_missing_namespace(&response)).then_some(response))
    }

    pub(super) fn decode<T: serde::de::DeserializeOwned>(
        &self,
        response: &Response,
    ) -> Result<T, VectorError> {
        self.upstream.decode(response)
    }

    /// Writes records, each as JSON; `given` is the dimension of their vectors.
    pub(super) fn upsert(
        &self,
        namespace: &str,
        records: Vec<Vec<u8>>,
        given: Option<Dimension>,
    ) -> Result<(), VectorError> {
        batch::split(records, namespace)
            .iter()
            .try_for_each(|records| self.send_batch(namespace, records, given))
    }

    fn send_batch(
        &self,
        namespace: &str,
        records: &[Vec<u8>],
        given: Option<Dimension>,
    ) -> Result<(), VectorError> {
        let body = batch::body(records, namespace);
        let response = self.upstream.send(&self.post(&["vectors", "upsert"], body))?;
        match response.status {
            200..=299 => Ok(()),
            // Our measure of "too large" is the documented one; the service has the last word.
            413 if records.len() > 1 => {
                let (first, second) = records.split_at(records.len() / 2);
                self.send_batch(namespace, first, given)?;
                self.send_batch(namespace, second, given)
            }
            _ => Err(self.explained(&response, given)),
        }
    }

    /// What a refused vector means: the answer's text names the dimensions only in words, the index's statistics tell
    /// them in numbers.
    pub(super) fn explained(&self, response: &Response, given: Option<Dimension>) -> VectorError {
        let plain = self.upstream.fault(response);
        let (400 | 422, Some(actual)) = (response.status, given) else {
            return plain;
        };
        let index = self
            .stats()
            .ok()
            .and_then(|stats| Dimension::new(usize::try_from(stats.dimension?).ok()?).ok());
        match index {
            Some(expected) if expected != actual => VectorError::DimensionMismatch { expected, actual },
            _ => plain,
        }
    }

    pub(super) fn stats(&self) -> Result<Stats, VectorError> {
        let response = self
            .upstream
            .send(&self.post(&["describe_index_stats"], b"{}".to_vec()))?;
        self.upstream.decode(&response)
    }

    /// The records of those ids that there are, with their values and metadata, a request at a time, until `enough` says so.
    pub(super) fn fetch(
        &self,
        namespace: &str,
        ids: &[&str],
        deadlines: Deadlines,
        mut enough: impl FnMut(HashMap<String, FetchedRecord>) -> bool,
    ) -> Result<(), VectorError> {
        for ids in fetches(ids) {
            let mut query = vec![("namespace", namespace)];
            query.extend(ids.into_iter().map(|id| ("ids", id)));
            let request = self
                .get(&["vectors", "fetch"], &query)
                .deadlines(deadlines)
                .max_answer(MAX_VECTORS_ANSWER);
            let Some(response) = self.ask(&request)? else {
                return Ok(());
            };
            if enough(self.decode::<Fetched>(&response)?.vectors) {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn delete(&self, namespace: &str, ids: &[String]) -> Result<(), VectorError> {
        ids.chunks(MAX_DELETED_IDS).try_for_each(|ids| {
            let body = encoded(&Delete { namespace, ids })?;
            self.accept_missing(&self.post(&["vectors", "delete"], body))
        })
    }

    pub(super) fn delete_namespace(&self, namespace: &str) -> Result<(), VectorError> {
        let request = self
            .upstream
            .request(Method::Delete, &["namespaces", namespace], &[]);
        self.accept_missing(&request)
    }

    /// Sends what is done already when the namespace does not exist.
    fn accept_missing(&self, request: &Request) -> Result<(), VectorError> {
        match self.ask(request)? {
            Some(response) if !response.is_success() => Err(self.upstream.fault(&response)),
            _ => Ok(()),
        }
    }
}

pub(super) fn encoded(body: &impl Serialize) -> Result<Vec<u8>, VectorError> {
    serde_json::to_vec(body).map_err(|error| VectorError::Refused(error.into()))
}

/// The embedding that a record's values are, if they are one.
pub(super) fn embedding(values: Option<Vec<f32>>) -> Option<Embedding> {
    Embedding::new(values?).ok()
}

/// Splits ids into requests. An id with a space, which the service does not fetch, is left out.
fn fetches<'i>(ids: &[&'i str]) -> Vec<Vec<&'i str>> {
    let mut fetches: Vec<Vec<&str>> = Vec::new();
    let mut bytes = 0;
    for &id in ids.iter().filter(|id| !id.contains(' ')) {
        // A byte is three characters when it is escaped.
        let needed =
            "&ids=".len() + id.len() + 2 * id.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
        match fetches.last_mut() {
            Some(fetch) if fetch.len() < MAX_FETCHED_IDS && bytes + needed <= MAX_FETCHED_BYTES => {
                bytes += needed;
                fetch.push(id);
            }
            _ => {
                bytes = needed;
                fetches.push(vec![id]);
            }
        }
    }
    fetches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(ids: &[&str]) -> Vec<usize> {
        fetches(ids).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_fetch_has_at_most_a_hundred_ids_and_a_short_url() {
        assert_eq!(sizes(&["a"; 250]), [100, 100, 50]);
        assert_eq!(sizes(&[&*"a".repeat(512); 24]), [11, 11, 2]);
        assert_eq!(sizes(&[&*"#".repeat(512); 8]), [3, 3, 2]);
        assert_eq!(sizes(&["a b", "ab"]), [1]);
        assert_eq!(sizes(&[]), Vec::<usize>::new());
    }
}
