use secrecy::SecretString;
use tenantry_domain::Dimension;

use crate::VectorError;

/// How an index measures nearness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Cosine similarity.
    Cosine,
    /// Dot product, which is cosine for unit vectors.
    DotProduct,
    /// Another one, by the service's name for it; scores under it cannot be compared.
    Other(String),
}

/// What the service says of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDescription {
    /// Its name.
    pub name: String,
    /// Where its data is served, without a scheme unless the service gives one; `None` while it is being made.
    pub host: Option<String>,
    /// Its dimension; `None` for a sparse index.
    pub dimension: Option<Dimension>,
    /// Its metric, where the service tells it.
    pub metric: Option<Metric>,
    /// Whether it takes requests.
    pub ready: bool,
    /// Where it runs, as `us-east-1-aws`, where the service tells it.
    pub environment: Option<String>,
}

/// Looks up the indexes of a vector service's account.
pub trait IndexCatalog: Send + Sync {
    /// The index of that name; `None` when the account has none.
    ///
    /// # Errors
    /// [`VectorError::Unauthorized`] when the key is refused; else when the service fails or cannot be reached.
    fn index(&self, api_key: &SecretString, name: &str) -> Result<Option<IndexDescription>, VectorError>;

    /// Every index of the account.
    ///
    /// # Errors
    /// As [`IndexCatalog::index`].
    fn indexes(&self, api_key: &SecretString) -> Result<Vec<IndexDescription>, VectorError>;
}
