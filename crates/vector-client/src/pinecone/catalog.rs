use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::Dimension;
use tenantry_http_client::{Method, Transport};

use super::options::PineconeOptions;
use super::upstream::Upstream;
use super::wire::{Field, IndexModel, Indexes, Place};
use crate::remote::check_key;
use crate::{IndexCatalog, IndexDescription, Metric, VectorError};

/// Looks up indexes at Pinecone's control plane.
pub struct PineconeCatalog {
    transport: Arc<dyn Transport>,
    options: PineconeOptions,
}

impl PineconeCatalog {
    /// A catalog of every account whose key it is asked with.
    pub fn new(transport: Arc<dyn Transport>, options: PineconeOptions) -> Self {
        Self { transport, options }
    }

    fn upstream(&self, api_key: &SecretString) -> Result<Upstream, VectorError> {
        check_key(api_key)?;
        let PineconeOptions {
            control_url,
            api_version,
            trust,
        } = self.options.clone();
        let transport = self.transport.clone();
        Ok(Upstream {
            transport,
            base: control_url,
            trust,
            api_version,
            api_key: api_key.clone(),
        })
    }
}

impl IndexCatalog for PineconeCatalog {
    fn index(&self, api_key: &SecretString, name: &str) -> Result<Option<IndexDescription>, VectorError> {
        let upstream = self.upstream(api_key)?;
        if !is_index_name(name) {
            return Ok(None);
        }
        let response = upstream.send(&upstream.request(Method::Get, &["indexes", name], &[]))?;
        if response.status == 404 {
            return Ok(None);
        }
        upstream
            .decode(&response)
            .map(|index: IndexModel| Some(describe(index)))
    }

    fn indexes(&self, api_key: &SecretString) -> Result<Vec<IndexDescription>, VectorError> {
        let upstream = self.upstream(api_key)?;
        let response = upstream.send(&upstream.request(Method::Get, &["indexes"], &[]))?;
        let listed: Indexes = upstream.decode(&response)?;
        Ok(listed.indexes.into_iter().map(describe).collect())
    }
}

/// Lower-case letters, digits and hyphens, 1 to 45 of them: no index has another name.
fn is_index_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=45).contains(&name.len()) && name.bytes().all(allowed)
}

fn describe(index: IndexModel) -> IndexDescription {
    let field = index
        .schema
        .and_then(|schema| schema.fields.into_values().find(is_dense));
    let (field_dimension, field_metric) = field.map_or((None, None), |field| (field.dimension, field.metric));
    let spec = index
        .spec
        .and_then(|spec| spec.serverless.or(spec.pod).or(spec.byoc));
    let dimension = index
        .dimension
        .or(field_dimension)
        .and_then(|n| usize::try_from(n).ok());
    IndexDescription {
        name: index.name,
        host: index.host.filter(|host| !host.is_empty()),
        dimension: dimension.and_then(|n| Dimension::new(n).ok()),
        metric: index.metric.or(field_metric).map(metric),
        ready: index.status.is_some_and(|status| status.ready),
        environment: spec.or(index.deployment).and_then(environment),
    }
}

fn is_dense(field: &Field) -> bool {
    field.kind == "dense_vector"
}

fn metric(name: String) -> Metric {
    match name.as_str() {
        "cosine" => Metric::Cosine,
        "dotproduct" => Metric::DotProduct,
        _ => Metric::Other(name),
    }
}

fn environment(place: Place) -> Option<String> {
    match (place.environment, place.region, place.cloud) {
        (Some(environment), ..) => Some(environment),
        (None, Some(region), Some(cloud)) => Some(format!("{region}-{cloud}")),
        _ => None,
    }
}

impl fmt::Debug for PineconeCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PineconeCatalog")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
