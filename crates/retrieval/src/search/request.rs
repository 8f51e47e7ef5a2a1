use tenantry_domain::{Filter, Fusion, SearchSettings, TopK};

use super::SearchError;
use crate::InvalidField;
use crate::text::prose;

/// The longest query in characters.
const MAX_QUERY: usize = 16_000;
/// How many candidates are asked for a hit that is wanted.
const CANDIDATES: usize = 4;
/// The fewest candidates that are asked for.
const FEWEST_CANDIDATES: usize = 50;

/// What to search for, and how; what is not said is the tenant's setting.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// The query: 1 to 16,000 characters, not blank.
    pub query: String,
    /// How many hits at most: 1 to 100.
    pub limit: TopK,
    /// What the documents' metadata must be like.
    pub filter: Option<Filter>,
    /// The lowest score of a hit, 0 to 1.
    pub min_score: Option<f32>,
    /// How the rankings are fused.
    pub fusion: Option<Fusion>,
    /// How much a hit must differ from those before it: 0, as without it, orders by relevance alone, 1 by difference alone.
    pub diversity: Option<f32>,
    /// Whether chunks that follow each other in a document become one hit.
    pub merge_neighbours: bool,
    /// Whether a reranker orders the best candidates; unsaid it does where one is configured.
    pub rerank: Option<bool>,
    /// Whether the result says how it came about.
    pub explain: bool,
}

impl SearchRequest {
    /// The most hits of one search.
    pub const MAX_LIMIT: u16 = 100;

    /// A search for the best `limit` hits as the tenant is set, neighbours merged.
    pub fn new(query: impl Into<String>, limit: TopK) -> Self {
        Self {
            query: query.into(),
            limit,
            filter: None,
            min_score: None,
            fusion: None,
            diversity: None,
            merge_neighbours: true,
            rerank: None,
            explain: false,
        }
    }

    /// Whether it can be searched for at all.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] or [`SearchError::Filter`] with the first thing that is wrong.
    pub fn check(&self) -> Result<(), SearchError> {
        check_query("query", &self.query)?;
        if self.limit.get() > Self::MAX_LIMIT {
            return Err(InvalidField::new("limit", "is above 100").into());
        }
        for (field, share) in [("min_score", self.min_score), ("diversity", self.diversity)] {
            if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                return Err(InvalidField::new(field, "is not between 0 and 1").into());
            }
        }
        Ok(self.filter.as_ref().map_or(Ok(()), Filter::check)?)
    }

    /// The settings that hold: the request's, else the tenant's.
    pub(super) fn settings(&self, tenant: SearchSettings) -> SearchSettings {
        SearchSettings {
            fusion: self.fusion.unwrap_or(tenant.fusion),
            min_score: self.min_score.or(tenant.min_score),
        }
    }

    /// How many candidates hits are chosen from: some may not be shown, some are merged, and a reranker or diversity may bring
    /// up what stands further down.
    pub(super) fn candidates(&self) -> TopK {
        TopK::clamp((usize::from(self.limit.get()) * CANDIDATES).max(FEWEST_CANDIDATES))
    }

    /// The diversity that was asked for, if it changes anything.
    pub(super) fn diversity(&self) -> Option<f32> {
        self.diversity.filter(|diversity| *diversity > 0.0)
    }
}

/// Whether text may be searched for; `field` is what the error calls it.
pub(crate) fn check_query(field: &'static str, query: &str) -> Result<(), InvalidField> {
    prose(field, query, MAX_QUERY, "has more than 16000 characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut SearchRequest)) -> &'static str {
        let mut request = SearchRequest::new("fees", TopK::new(10).unwrap());
        change(&mut request);
        match request.check() {
            Err(SearchError::Invalid(invalid)) => invalid.field,
            Err(SearchError::Filter(_)) => "filter",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_searched_for_is_named() {
        assert_eq!(refused(|request| request.query = " ".into()), "query");
        assert_eq!(refused(|request| request.query = "x".repeat(16_001)), "query");
        assert_eq!(
            refused(|request| request.limit = TopK::new(101).unwrap()),
            "limit"
        );
        for wrong in [-0.1, 1.1, f32::NAN] {
            assert_eq!(refused(|request| request.min_score = Some(wrong)), "min_score");
            assert_eq!(refused(|request| request.diversity = Some(wrong)), "diversity");
        }
        let wide = Filter::And(vec![Filter::Or(vec![]); 64]);
        assert_eq!(refused(|request| request.filter = Some(wide)), "filter");
    }

    #[test]
    fn a_request_goes_before_the_tenants_settings() {
        let tenant = SearchSettings {
            fusion: Fusion::new(60.0, 1.0, 1.0).unwrap(),
            min_score: Some(0.5),
        };
        let mut request = SearchRequest::new("fees", TopK::new(10).unwrap());
        assert_eq!(request.settings(tenant), tenant);
        request.min_score = Some(0.0);
        request.fusion = Some(Fusion::default());
        let settings = request.settings(tenant);
        assert_eq!(
            (settings.fusion, settings.min_score),
            (Fusion::default(), Some(0.0))
        );
    }
}
