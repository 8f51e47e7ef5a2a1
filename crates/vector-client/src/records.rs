use tenantry_domain::{Embedding, ExternalIndex, Filter, TopK};

use crate::VectorError;

/// A record that another tool wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Its text; empty when it has none under the index's text field.
    pub text: String,
    /// Its title, where its metadata has a text under `title`, `source` or `file_name`, in that order.
    pub title: Option<String>,
    /// Its page, where its metadata has a whole number under `page`.
    pub page: Option<u32>,
    /// Cosine similarity to the query.
    pub score: f32,
    /// Its embedding, where the query asked for it.
    pub embedding: Option<Embedding>,
}

/// What to look for among records.
#[derive(Debug, Clone, Copy)]
pub struct RecordQuery<'a> {
    /// The query's embedding, by the model that filled the index.
    pub embedding: &'a Embedding,
    /// How many records at most.
    pub limit: TopK,
    /// What the records' metadata must be like.
    pub filter: Option<&'a Filter>,
    /// Whether records bring their embeddings.
    pub with_embeddings: bool,
}

/// Reads an index that another tool fills; nothing here writes.
pub trait RecordIndex: Send + Sync {
    /// The nearest records, best first; those without text are left out.
    ///
    /// # Errors
    /// When the query's dimension is not the index's, or the service fails.
    fn search(&self, index: &ExternalIndex, query: RecordQuery<'_>) -> Result<Vec<Record>, VectorError>;
}
