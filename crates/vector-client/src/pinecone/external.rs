use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::ExternalIndex;
use tenantry_http_client::Transport;

use super::filter::{Fields, push_down};
use super::index::Index;
use super::metadata;
use super::nearest::Wanted;
use super::options::PineconeOptions;
use crate::records::{passes, record};
use crate::{Record, RecordIndex, RecordQuery, VectorError};

/// Reads a Pinecone index that another tool fills. It sends questions alone, so that a key that may only read is enough.
///
/// The score is what the index measures: the cosine, or the dot product, which is the cosine only of vectors of unit length.
///
/// A filter is about the records' own metadata. Where the service cannot say it, as of ranges of texts, and where records
/// have no text, the nearest 1,000 records are looked through.
#[derive(Debug)]
pub struct PineconeRecordIndex {
    index: Index,
}

impl PineconeRecordIndex {
    /// The index that is served at `host`, with or without a scheme. Nothing is sent yet.
    ///
    /// # Errors
    /// [`VectorError::Unauthorized`] when the key cannot be one, [`VectorError::Refused`] when the host cannot.
    pub fn connect(
        transport: Arc<dyn Transport>,
        options: &PineconeOptions,
        host: &str,
        api_key: SecretString,
    ) -> Result<Self, VectorError> {
        let index = Index::connect(transport, options, host, api_key)?;
        Ok(Self { index })
    }
}

impl RecordIndex for PineconeRecordIndex {
    fn search(&self, index: &ExternalIndex, query: RecordQuery<'_>) -> Result<Vec<Record>, VectorError> {
        let wanted = Wanted {
            namespace: &index.namespace,
            embedding: query.embedding,
            pushdown: &push_down(query.filter, Fields::Theirs),
            limit: query.limit,
            with_embeddings: query.with_embeddings,
        };
        let near = self.index.nearest(
            wanted,
            |id, fields| {
                let fields = metadata::theirs(&fields);
                let record = || record(id, &fields, &index.text_field, 0.0);
                passes(query.filter, &fields).then(record).flatten()
            },
            |near| near.id.clone(),
        )?;
        let records = near.into_iter().map(|near| Record {
            score: near.score,
            embedding: near.embedding.filter(|_| query.with_embeddings),
            ..near.record
        });
        Ok(records.collect())
    }
}
