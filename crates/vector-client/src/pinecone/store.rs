use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::{Dimension, DocumentId, TenantId, TenantScope};
use tenantry_http_client::{Method, Request, Response, Transport};

use super::options::{PineconeOptions, host_url};
use super::upstream::{SEARCH_DEADLINES, Upstream};
use super::wire::{Delete, Listing, Matches, Query, Stats};
use super::{batch, fault, record};
use crate::remote::check_key;
use crate::store::collection_dimension;
use crate::{IndexedChunk, Match, VectorError, VectorQuery, VectorStore};

/// The most ids that one request deletes.
const MAX_DELETED_IDS: usize = 1_000;

/// Keeps chunks in a Pinecone index, each tenant's in the namespace of its id, and finds them by their embeddings alone.
///
/// Pinecone shows a write a few seconds late, in searches and counts. The index must measure by cosine or dot product;
/// [`crate::IndexCatalog`] tells. Records in the namespace that were written by something else are not matched.
#[derive(Debug)]
pub struct PineconeStore {
    upstream: Upstream,
}

impl PineconeStore {
    /// A store in the index that is served at `host`, as the catalog or the operator names it: with or without a scheme.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`VectorError::Unauthorized`] when the key cannot be one, [`VectorError::Refused`] when the host cannot.
    pub fn connect(
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

    fn post(&self, segments: &[&str], body: Vec<u8>) -> Request {
        let mut request = self
            .upstream
            .request(Method::Post, segments, &[])
            .header("content-type", "application/json");
        request.body = Some(body);
        request
    }

    fn send_batch(
        &self,
        namespace: &TenantId,
        records: &[Vec<u8>],
        given: Option<Dimension>,
    ) -> Result<(), VectorError> {
        let body = batch::body(records, namespace.as_str());
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
    fn explained(&self, response: &Response, given: Option<Dimension>) -> VectorError {
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

    fn stats(&self) -> Result<Stats, VectorError> {
        let response = self
            .upstream
            .send(&self.post(&["describe_index_stats"], b"{}".to_vec()))?;
        self.upstream.decode(&response)
    }

    /// One page of the ids that begin with `prefix`; `None` where the namespace does not exist.
    fn page(
        &self,
        namespace: &str,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<Option<Listing>, VectorError> {
        let mut query = vec![("namespace", namespace), ("prefix", prefix), ("limit", "100")];
        query.extend(token.map(|token| ("paginationToken", token)));
        let response =
            self.upstream
                .send(&self.upstream.request(Method::Get, &["vectors", "list"], &query))?;
        if fault::is_missing_namespace(&response) {
            Ok(None)
        } else {
            self.upstream.decode(&response).map(Some)
        }
    }

    /// Every id that begins with `prefix`, and whether the listing came to its end.
    fn ids(&self, namespace: &str, prefix: &str) -> Result<(Vec<String>, bool), VectorError> {
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        let mut token: Option<String> = None;
        loop {
            let Some(page) = self.page(namespace, prefix, token.as_deref())? else {
                return Ok((ids, true));
            };
            // Only what was asked for may be deleted, whatever was listed.
            ids.extend(
                page.vectors
                    .into_iter()
                    .map(|listed| listed.id)
                    .filter(|id| id.starts_with(prefix)),
            );
            match page
                .pagination
                .and_then(|pagination| pagination.next)
                .filter(|next| !next.is_empty())
            {
                None => return Ok((ids, true)),
                Some(next) if !seen.insert(next.clone()) => return Ok((ids, false)),
                next => token = next,
            }
        }
    }

    fn delete(&self, namespace: &str, ids: &[String]) -> Result<(), VectorError> {
        let body = encoded(&Delete { namespace, ids })?;
        self.accept_missing(&self.post(&["vectors", "delete"], body))
    }

    /// Sends what is done already when the namespace does not exist.
    fn accept_missing(&self, request: &Request) -> Result<(), VectorError> {
        let response = self.upstream.send(request)?;
        if response.is_success() || fault::is_missing_namespace(&response) {
            Ok(())
        } else {
            Err(self.upstream.fault(&response))
        }
    }
}

fn encoded(body: &impl serde::Serialize) -> Result<Vec<u8>, VectorError> {
    serde_json::to_vec(body).map_err(|error| VectorError::Refused(error.into()))
}

/// Best first, ties by document and ordinal: Pinecone does not say how it breaks them.
fn best_first(a: &Match, b: &Match) -> Ordering {
    let place = |found: &Match| (found.document, found.chunk.ordinal);
    b.score
        .score
        .total_cmp(&a.score.score)
        .then_with(|| place(a).cmp(&place(b)))
}

impl VectorStore for PineconeStore {
    fn upsert(&self, scope: &TenantScope, chunks: &[IndexedChunk]) -> Result<(), VectorError> {
        let dimension = collection_dimension(None, chunks)?;
        let records = chunks.iter().map(record::encode).collect::<Result<Vec<_>, _>>()?;
        for records in batch::split(records, scope.id().as_str()) {
            self.send_batch(scope.id(), &records, dimension)?;
        }
        Ok(())
    }

    fn search(&self, scope: &TenantScope, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let embedding = query.embedding.ok_or(VectorError::EmbeddingRequired)?;
        let body = encoded(&Query {
            namespace: scope.id().as_str(),
            top_k: query.limit.get(),
            vector: embedding.as_slice(),
            include_values: false,
            include_metadata: true,
        })?;
        let response = self
            .upstream
            .send(&self.post(&["query"], body).deadlines(SEARCH_DEADLINES))?;
        if fault::is_missing_namespace(&response) {
            return Ok(Vec::new());
        }
        if !response.is_success() {
            return Err(self.explained(&response, Some(embedding.dimension())));
        }
        let found: Matches = self.upstream.decode(&response)?;
        let mut matches: Vec<_> = found.matches.into_iter().filter_map(record::decode).collect();
        matches.sort_by(best_first);
        matches.truncate(usize::from(query.limit.get()));
        Ok(matches)
    }

    fn remove_document(&self, scope: &TenantScope, document: DocumentId) -> Result<(), VectorError> {
        let namespace = scope.id().as_str();
        let (ids, complete) = self.ids(namespace, &record::id_prefix(document))?;
        for ids in ids.chunks(MAX_DELETED_IDS) {
            self.delete(namespace, ids)?;
        }
        if complete {
            Ok(())
        } else {
            Err(VectorError::Unavailable(
                "the listing of the document's records repeats a page".into(),
            ))
        }
    }

    fn clear(&self, scope: &TenantScope) -> Result<(), VectorError> {
        let request = self
            .upstream
            .request(Method::Delete, &["namespaces", scope.id().as_str()], &[]);
        self.accept_missing(&request)
    }

    fn count(&self, scope: &TenantScope) -> Result<u64, VectorError> {
        let stats = self.stats()?;
        Ok(stats
            .namespaces
            .get(scope.id().as_str())
            .and_then(|namespace| namespace.vector_count)
            .unwrap_or(0))
    }
}
