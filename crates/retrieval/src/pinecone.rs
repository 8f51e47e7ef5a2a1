use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::Dimension;
use tenantry_vector_client::{IndexCatalog, IndexDescription, Metric, VectorError};

use crate::Embedders;

/// What came of checking a tenant's Pinecone settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PineconeCheck {
    /// Key, index, dimension and metric were checked.
    Verified {
        /// The index that is used.
        index: String,
        /// Where its data is served.
        host: String,
        /// Set when the tenant's environment contradicts the index's own.
        warning: Option<String>,
    },
    /// Pinecone could not be asked; the tenant is saved, and the check is made again before the first use.
    Pending {
        /// Why, in words for a person.
        reason: &'static str,
    },
}

/// Why a tenant's Pinecone settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectedPinecone {
    /// Pinecone refused the key.
    #[error("Pinecone refused the API key")]
    Key,
    /// The project has no index of that name.
    #[error("the Pinecone project has no index named `{0}`")]
    UnknownIndex(String),
    /// No index was named, and none or several of the project's would fit.
    #[error("name the index in `pinecone_index`: {0} of the project's indexes would fit")]
    AmbiguousIndex(usize),
    /// The index holds vectors of another dimension than the embedding model's.
    #[error("the index `{index}` holds vectors of dimension {actual}, the embedding model makes {expected}")]
    Dimension {
        /// The index.
        index: String,
        /// Its dimension.
        actual: String,
        /// The embedding model's.
        expected: Dimension,
    },
    /// The index measures nearness in a way whose scores cannot be compared.
    #[error("the index `{index}` has the metric `{metric}`, expected cosine or dotproduct")]
    Metric {
        /// The index.
        index: String,
        /// Its metric.
        metric: String,
    },
    /// Pinecone refused the question for another reason.
    #[error("Pinecone refused to describe the index")]
    Refused,
}

/// Looks up and checks the index that a tenant's settings mean.
#[derive(Clone)]
pub struct PineconeLookup {
    catalog: Arc<dyn IndexCatalog>,
    dimension: Option<Dimension>,
    embedders: Option<Arc<Embedders>>,
}

impl PineconeLookup {
    /// A lookup in `catalog` for vectors of `dimension`; `None` when no embedding model is configured or its dimension is
    /// not known, which leaves the dimension unchecked.
    pub fn new(catalog: Arc<dyn IndexCatalog>, dimension: Option<Dimension>) -> Self {
        Self {
            catalog,
            dimension,
            embedders: None,
        }
    }

    /// The same, which for a tenant that names one of `embedders` wants that one's dimension.
    #[must_use]
    pub fn with_embedders(self, embedders: Arc<Embedders>) -> Self {
        Self {
            embedders: Some(embedders),
            ..self
        }
    }

    /// The lookup for a tenant whose settings name an embedding model, or none.
    pub(crate) fn of_model(&self, name: Option<&str>) -> Self {
        let mut lookup = self.clone();
        if let (Some(name), Some(embedders)) = (name, &self.embedders) {
            lookup.dimension = embedders
                .named(name)
                .and_then(|embedder| embedder.identity().dimension);
        }
        lookup
    }

    /// Checks key, index, dimension and metric, and finds the index's host.
    ///
    /// # Errors
    /// When the settings cannot work whatever happens later; an unreachable Pinecone is [`PineconeCheck::Pending`].
    pub(crate) fn check(
        &self,
        key: &SecretString,
        index: Option<&str>,
        environment: Option<&str>,
    ) -> Result<PineconeCheck, RejectedPinecone> {
        let found = match index {
            Some(name) => self
                .catalog
                .index(key, name)
                .map(|found| found.ok_or_else(|| RejectedPinecone::UnknownIndex(name.to_owned()))),
            None => self
                .catalog
                .indexes(key)
                .map(|indexes| self.only_fitting(indexes)),
        };
        match found {
            Ok(description) => self.judge(description?, environment),
            Err(error) => unanswered(&error),
        }
    }

    fn only_fitting(&self, mut indexes: Vec<IndexDescription>) -> Result<IndexDescription, RejectedPinecone> {
        indexes.retain(|index| {
            self.dimension
                .is_none_or(|wanted| index.dimension.is_none_or(|dimension| dimension == wanted))
        });
        match indexes.len() {
            1 => indexes.pop().ok_or(RejectedPinecone::AmbiguousIndex(0)),
            n => Err(RejectedPinecone::AmbiguousIndex(n)),
        }
    }

    fn judge(
        &self,
        found: IndexDescription,
        environment: Option<&str>,
    ) -> Result<PineconeCheck, RejectedPinecone> {
        if let Some(Metric::Other(metric)) = found.metric {
            return Err(RejectedPinecone::Metric {
                index: found.name,
                metric,
            });
        }
        if let Some(expected) = self.dimension
            && found.dimension != Some(expected)
        {
            let actual = found
                .dimension
                .map_or_else(|| "none (sparse)".to_owned(), |d| d.to_string());
            return Err(RejectedPinecone::Dimension {
                index: found.name,
                actual,
                expected,
            });
        }
        let Some(host) = found.host.filter(|_| found.ready) else {
            return Ok(PineconeCheck::Pending {
                reason: "the index is not ready yet",
            });
        };
        let warning = match (environment, found.environment) {
            (Some(said), Some(actual)) if said != actual => {
                Some(format!("the index runs in `{actual}`, not in `{said}`"))
            }
            _ => None,
        };
        Ok(PineconeCheck::Verified {
            index: found.name,
            host,
            warning,
        })
    }
}

fn unanswered(error: &VectorError) -> Result<PineconeCheck, RejectedPinecone> {
    match error {
        VectorError::Unauthorized(_) => Err(RejectedPinecone::Key),
        VectorError::RateLimited { .. } | VectorError::Unavailable(_) => Ok(PineconeCheck::Pending {
            reason: "Pinecone could not be reached",
        }),
        _ => Err(RejectedPinecone::Refused),
    }
}

impl fmt::Debug for PineconeLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PineconeLookup")
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}
