use std::sync::Arc;

use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore, VectorStore};

use super::WiringError;
use crate::config::LocalVectors;

/// The store of tenants without one of their own.
pub(super) fn local(vectors: &LocalVectors) -> Result<Arc<dyn VectorStore>, WiringError> {
    match vectors {
        LocalVectors::Embedded { data_dir } => {
            EmbeddedVectorStore::open(&data_dir.join("vectors"), EmbeddedOptions::default())
                .map(|store| -> Arc<dyn VectorStore> { Arc::new(store) })
                .map_err(WiringError::Embedded)
        }
        #[cfg(feature = "pgvector")]
        LocalVectors::PgVector { url } => pgvector(url),
    }
}

#[cfg(feature = "pgvector")]
fn pgvector(url: &secrecy::SecretString) -> Result<Arc<dyn VectorStore>, WiringError> {
    use secrecy::ExposeSecret;
    use tenantry_vector_client::{PgVectorOptions, PgVectorStore};

    let store = PgVectorStore::open(url.expose_secret(), PgVectorOptions::default())
        .map_err(WiringError::PgVector)?;
    if let Some(reason) = store.unguarded_because() {
        log::warn!("ROW-LEVEL SECURITY IS NOT ENFORCED for vectors: {reason}");
    }
    Ok(Arc::new(store))
}
