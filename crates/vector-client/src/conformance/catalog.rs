use secrecy::SecretString;
use tenantry_domain::Dimension;

use crate::{IndexCatalog, IndexDescription, Metric, VectorError};

/// What the account behind a catalog holds when the suite runs.
#[derive(Debug, Clone)]
pub struct CatalogFixture {
    /// The account's key.
    pub api_key: SecretString,
    /// A key that the service refuses.
    pub refused_key: SecretString,
    /// The account's indexes, in any order, one at least.
    pub indexes: Vec<IndexDescription>,
}

impl Default for CatalogFixture {
    /// Two indexes: one that takes requests, one that is still being made and has neither host nor dimension.
    fn default() -> Self {
        let docs = IndexDescription {
            name: "docs".into(),
            host: Some("docs-abc1234.svc.aped-4627-b74a.pinecone.io".into()),
            dimension: Dimension::new(3).ok(),
            metric: Some(Metric::Cosine),
            ready: true,
            environment: Some("us-east-1-aws".into()),
        };
        let sparse = IndexDescription {
            name: "sparse-1".into(),
            host: None,
            dimension: None,
            metric: Some(Metric::DotProduct),
            ready: false,
            environment: Some("us-east-1-aws".into()),
        };
        Self {
            api_key: "pcsk_right".into(),
            refused_key: "pcsk_wrong".into(),
            indexes: vec![docs, sparse],
        }
    }
}

/// Checks every promise of [`IndexCatalog`].
pub fn index_catalog(catalog: &dyn IndexCatalog, fixture: &CatalogFixture) {
    an_index_is_found_by_its_name(catalog, fixture);
    an_unknown_index_is_none(catalog, fixture);
    every_index_is_listed(catalog, fixture);
    a_refused_key_is_unauthorized(catalog, fixture);
}

/// An index is described as the account has it.
pub fn an_index_is_found_by_its_name(catalog: &dyn IndexCatalog, fixture: &CatalogFixture) {
    for index in &fixture.indexes {
        let found = catalog
            .index(&fixture.api_key, &index.name)
            .expect("the catalog answers");
        assert_eq!(found.as_ref(), Some(index));
    }
}

/// A name that the account has no index of, or that no index can have, is absence.
pub fn an_unknown_index_is_none(catalog: &dyn IndexCatalog, fixture: &CatalogFixture) {
    for name in [
        "no-such-index",
        "",
        "..",
        "Docs",
        "docs/../docs",
        "docs?x=1",
        "döcs",
        &"a".repeat(46),
    ] {
        let found = catalog
            .index(&fixture.api_key, name)
            .expect("the catalog answers");
        assert_eq!(found, None, "{name:?}");
    }
}

/// The list has every index, once.
pub fn every_index_is_listed(catalog: &dyn IndexCatalog, fixture: &CatalogFixture) {
    let sorted = |mut indexes: Vec<IndexDescription>| {
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        indexes
    };
    let listed = catalog.indexes(&fixture.api_key).expect("the catalog answers");
    assert_eq!(sorted(listed), sorted(fixture.indexes.clone()));
}

/// A key that the service refuses is told apart from an account without indexes, and is not repeated.
pub fn a_refused_key_is_unauthorized(catalog: &dyn IndexCatalog, fixture: &CatalogFixture) {
    use secrecy::ExposeSecret;

    let by_name = catalog.index(&fixture.refused_key, "docs").map(drop);
    let listed = catalog.indexes(&fixture.refused_key).map(drop);
    for answer in [by_name, listed] {
        let error = answer.expect_err("the key is refused");
        assert!(matches!(error, VectorError::Unauthorized(_)), "{error:?}");
        assert!(!format!("{error:?} {error}").contains(fixture.refused_key.expose_secret()));
    }
}
