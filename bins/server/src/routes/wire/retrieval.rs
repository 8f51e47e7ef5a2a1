use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tenantry_domain::Fusion;
use tenantry_retrieval::Retrieval;
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::extract::{Json, filter};

/// How two rankings are fused; what is left out is as the tenant is set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Weights {
    /// What the dense ranking counts for: 0 to 10.
    dense: Option<f32>,
    /// What the lexical ranking counts for: 0 to 10.
    lexical: Option<f32>,
    /// The constant of the fusion: 1 to 1,000. The smaller it is, the more the first ranks stand out.
    k: Option<f32>,
}

impl Weights {
    /// The fusion that is meant, for a tenant that is set to `tenant`.
    ///
    /// # Errors
    /// When there is no such fusion.
    pub(in crate::routes) fn fusion(self, tenant: Fusion) -> Result<Fusion, ApiError> {
        let fusion = Fusion::new(
            self.k.unwrap_or(tenant.k()),
            self.dense.unwrap_or(tenant.dense_weight()),
            self.lexical.unwrap_or(tenant.lexical_weight()),
        );
        fusion.map_err(|error| ApiError::new(Code::InvalidRequest).saying(format!("`weights`: {error}")))
    }
}

/// What an answer is to rest on: nothing (`false`), the tenant's passages (`true`), or those that are found in a certain way.
#[derive(Debug)]
pub(in crate::routes) enum RetrievalBody {
    /// Whether there is to be any.
    Switch(bool),
    /// How.
    Tuned(RetrievalTuning),
}

/// How the passages of an answer are found; what is left out is as the tenant is set.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct RetrievalTuning {
    /// How many passages at most.
    #[schema(minimum = 1, maximum = 20)]
    limit: Option<u16>,
    /// The lowest score of a passage, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// What the documents' metadata must be like, as at `/search`.
    #[schema(value_type = Option<Object>)]
    filter: Option<Json>,
    /// How the dense and the lexical ranking are fused.
    weights: Option<Weights>,
}

impl RetrievalBody {
    /// What is meant, for a tenant that is set to `tenant`.
    ///
    /// # Errors
    /// When the filter or the weights cannot be used.
    pub(in crate::routes) fn into_retrieval(self, tenant: Fusion) -> Result<Retrieval, ApiError> {
        let tuning = match self {
            Self::Switch(false) => return Ok(Retrieval::Off),
            Self::Switch(true) => return Ok(Retrieval::default()),
            Self::Tuned(tuning) => tuning,
        };
        Ok(Retrieval::On {
            limit: tuning.limit,
            min_score: tuning.min_score,
            fusion: tuning.weights.map(|weights| weights.fusion(tenant)).transpose()?,
            filter: tuning.filter.map(filter).transpose()?,
        })
    }

    /// Its place in the OpenAPI description.
    pub(in crate::routes) fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let switch = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::Boolean);
        utoipa::openapi::OneOfBuilder::new()
            .item(switch)
            .item(<RetrievalTuning as utoipa::PartialSchema>::schema())
            .description(Some(
                "What the answer rests on: `false` for nothing, else the tenant's passages, found as the tenant is set or as is said here.",
            ))
            .into()
    }
}

impl<'de> Deserialize<'de> for RetrievalBody {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = RetrievalBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`retrieval` to be true, false or an object")
    }

    fn visit_bool<E>(self, value: bool) -> Result<RetrievalBody, E> {
        Ok(RetrievalBody::Switch(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RetrievalBody, A::Error> {
        RetrievalTuning::deserialize(MapAccessDeserializer::new(map)).map(RetrievalBody::Tuned)
    }
}
