use serde::{Deserialize, Serialize};
use tenantry_domain::SearchSettings;
use tenantry_retrieval::SearchTuning;
use utoipa::ToSchema;

/// How a tenant's knowledge is searched.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchSettings)]
pub(in crate::routes) struct SearchView {
    /// What the dense ranking counts for.
    dense_weight: f32,
    /// What the lexical ranking counts for.
    lexical_weight: f32,
    /// The constant of the fusion: the smaller it is, the more the first ranks stand out.
    rrf_k: f32,
    /// The lowest score of a hit.
    min_score: Option<f32>,
}

impl From<SearchSettings> for SearchView {
    fn from(settings: SearchSettings) -> Self {
        Self {
            dense_weight: settings.fusion.dense_weight(),
            lexical_weight: settings.fusion.lexical_weight(),
            rrf_k: settings.fusion.k(),
            min_score: settings.min_score,
        }
    }
}

/// How a tenant's knowledge is to be searched; what is left out is the default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SearchTuning, example = json!({"dense_weight": 1.0, "lexical_weight": 1.0}))]
pub(in crate::routes) struct TuningBody {
    /// What the dense ranking counts for: 0 to 10, else 0.5.
    dense_weight: Option<f32>,
    /// What the lexical ranking counts for: 0 to 10, else 1.
    lexical_weight: Option<f32>,
    /// The constant of the fusion: 1 to 1,000, else 10.
    rrf_k: Option<f32>,
    /// The lowest score of a hit: 0 to 1, else none.
    min_score: Option<f32>,
}

impl From<TuningBody> for SearchTuning {
    fn from(body: TuningBody) -> Self {
        Self {
            dense_weight: body.dense_weight,
            lexical_weight: body.lexical_weight,
            k: body.rrf_k,
            min_score: body.min_score,
        }
    }
}
